import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';

import type { CoxswainError } from '../contracts/errors.ts';
import type { Attribute, Constant, ConstantValues, ElementType, Node } from './graph.ts';
import { elementCount } from './graph.ts';
import { unsupported } from './unsupported.ts';

/** The name under which TF.js knows the backend that records. */
export const recordingBackendName = 'coxswain-recorder';

/** Where a recorded tensor's values are in the graph. */
interface Place {
  readonly name: string;
  /**
   * The shape that the graph computes. It may be shorter than the tensor's or have ones where the tensor has more: then
   * the tensor is this value broadcast, and no node spends time on repeating it until one needs the repetition.
   */
  readonly shape: readonly number[];
}

/** A matrix product that a following addition can take in as its bias. */
interface Product {
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * Collects the nodes and constants of one trace. The kernels call it; a tensor of TF.js is known by its `dataId`.
 *
 * 1. The shape of a TensorInfo is the tensor's shape; `Place.shape` broadcasts to it.
 * 2. Names are given in order of recording, so two traces of the same program with other lengths name alike.
 */
export class Recorder {
  readonly nodes: Node[] = [];
  readonly constants: Constant[] = [];
  private readonly places = new Map<object, Place>();
  private readonly fixed = new Map<object, { values: ConstantValues; type: ElementType }>();
  private readonly products = new Map<string, Product>();
  private readonly readOutside: (dataId: object) => ConstantValues;
  private names = 0;
  /** What a program did that cannot be compiled but could not be told of at once. */
  refusal: CoxswainError | null = null;
  private watched: string | undefined;
  /** Where the value given to {@link watch} was recorded. */
  watchedStack: string | undefined;

  /** @param readOutside gives the values of a tensor that was made before the trace. */
  constructor(readOutside: (dataId: object) => ConstantValues) {
    this.readOutside = readOutside;
  }

  /** Lets {@link watchedStack} tell where the value of this name comes from. */
  watch(name: string | undefined): void {
    this.watched = name;
  }

  private nextName(prefix: string): string {
    const name = `${prefix}${this.names++}`;
    if (name === this.watched) this.watchedStack = new Error().stack;
    return name;
  }

  /** A tensor whose values are given when the program runs. */
  input(name: string, shape: readonly number[], dtype: DataType): TensorInfo {
    return this.tensor(name, shape, dtype);
  }

  /** A tensor with known values; equal values are kept once and broadcast. */
  fixedTensor(values: ConstantValues, shape: readonly number[], dtype: DataType): TensorInfo {
    const dataId = {};
    this.fixed.set(dataId, { values: isUniform(values) ? values.slice(0, 1) : values, type: elementType(dtype) });
    return { dataId, shape: [...shape], dtype };
  }

  /** The one value that every element of a fixed tensor has; null when it is not fixed or has several. */
  uniformValue(x: TensorInfo): number | null {
    const values = this.fixed.get(x.dataId)?.values;
    return values?.length === 1 ? values[0] : null;
  }

  /** The values of a fixed tensor; null when they depend on the program's inputs. */
  fixedValues(x: TensorInfo): ConstantValues | null {
    const values = this.fixed.get(x.dataId)?.values;
    if (!values) return null;
    return values.length === 1 ? new Array<number>(elementCount(x.shape)).fill(values[0]) : values;
  }

  /** A tensor that the graph computes under `name`, by default in its full shape. */
  tensor(name: string, shape: readonly number[], dtype: DataType, placeShape = shape): TensorInfo {
    const dataId = {};
    this.places.set(dataId, { name, shape: placeShape });
    return { dataId, shape: [...shape], dtype };
  }

  /** The same values seen in another shape to which they broadcast. */
  view(x: TensorInfo, shape: readonly number[]): TensorInfo {
    return { dataId: x.dataId, shape: [...shape], dtype: x.dtype };
  }

  /** Adds a node with one output and returns the output's name. */
  node(operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.nodeOf(operator, inputs, 1, attributes)[0];
  }

  /** Adds a node with several outputs. */
  nodeOf(
    operator: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, Attribute> = {},
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.nextName('_t'));
    this.nodes.push({ operator, inputs, outputs, attributes });
    return outputs;
  }

  /** A constant of the graph that is no tensor of TF.js. */
  constant(values: ConstantValues, shape: readonly number[], type: ElementType): string {
    const name = this.nextName('_c');
    this.constants.push({ name, type, shape, values });
    return name;
  }

  /** A vector of shapes, axes or indices. */
  integers(values: readonly number[]): string {
    return this.constant(values, [values.length], 'int64');
  }

  /** The name and computed shape of a tensor, for operations that broadcast by themselves. */
  place(x: TensorInfo): Place {
    const known = this.places.get(x.dataId);
    if (known) return known;
    const { values, type } = this.fixed.get(x.dataId) ?? {
      values: this.readOutside(x.dataId),
      type: elementType(x.dtype),
    };
    const shape = values.length === 1 ? [] : x.shape;
    const place = { name: this.constant(values, shape, type), shape };
    this.places.set(x.dataId, place);
    return place;
  }

  /** The name of a tensor in its full shape. */
  name(x: TensorInfo): string {
    const { name, shape } = this.place(x);
    if (sameShape(shape, x.shape)) return name;
    const sameCount = elementCount(shape) === elementCount(x.shape);
    return this.node(sameCount ? 'Reshape' : 'Expand', [name, this.integers(x.shape)]);
  }

  /** Gives a result of the program the name of an output. */
  output(name: string, x: TensorInfo): void {
    this.nodes.push({ operator: 'Identity', inputs: [this.name(x)], outputs: [name], attributes: {} });
  }

  /** Records the matrix product of `inputs` and remembers it for {@link productOf}. */
  product(inputs: readonly string[], attributes: Record<string, Attribute>): string {
    const name = this.node('Gemm', inputs, attributes);
    if (inputs.length === 2) this.products.set(name, { inputs, attributes });
    return name;
  }

  /** The matrix product without bias that computes `name`. */
  productOf(name: string): Product | undefined {
    return this.products.get(name);
  }
}

/** @throws CoxswainError TENSOR_UNSUPPORTED for strings and complex numbers. */
export function elementType(dtype: DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw unsupported(`Tensors of type ${dtype} cannot be compiled; use float32, int32 or bool`);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function isUniform(values: ConstantValues): boolean {
  const first = values[0];
  return values.length > 0 && Array.prototype.every.call(values, (value: number) => Object.is(value, first));
}

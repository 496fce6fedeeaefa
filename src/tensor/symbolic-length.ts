import type { Constant, Dimension, Graph, Node, Port } from './graph.ts';
import { sameShape } from './recorder.ts';
import { unsupported } from './unsupported.ts';

/** A program traced with the named length set to `length`. */
export interface Sample {
  readonly length: number;
  readonly graph: Graph;
}

/** slope · length + offset */
interface Line {
  readonly slope: number;
  readonly offset: number;
}

/**
 * Joins traces of one program that differ in one length into a graph for every length.
 *
 * 1. The traces must have the same nodes; only the values of constants may differ.
 * 2. What differs must be a linear function of the length in all samples. It becomes nodes that compute it from the shape
 *    of an input; a reshape with one unknown length needs none.
 *
 * @param symbol name of the length in `inputs`.
 * @throws CoxswainError TENSOR_UNSUPPORTED when the traces differ in any other way.
 */
export function unifySamples(samples: readonly Sample[], symbol: string, inputs: readonly Port[]): Graph {
  const [first, ...others] = samples.map(({ graph }) => graph);
  const nodes = JSON.stringify(first.nodes);
  if (others.some((graph) => JSON.stringify(graph.nodes) !== nodes)) {
    throw unsupported(`The program does other operations when ${symbol} changes`);
  }
  const unifier = new Unifier(samples, symbol, inputs);
  first.constants.forEach((_, index) => unifier.constant(index));
  return {
    inputs,
    outputs: first.outputs.map((port, index) => ({ ...port, shape: unifier.outputShape(index) })),
    constants: unifier.constants,
    nodes: [...unifier.nodes, ...first.nodes],
  };
}

class Unifier {
  readonly constants: Constant[] = [];
  readonly nodes: Node[] = [];
  private readonly samples: readonly Sample[];
  private readonly symbol: string;
  private readonly inputs: readonly Port[];
  private readonly reshapes: ReadonlySet<string>;

  constructor(samples: readonly Sample[], symbol: string, inputs: readonly Port[]) {
    this.samples = samples;
    this.symbol = symbol;
    this.inputs = inputs;
    const { nodes } = samples[0].graph;
    this.reshapes = new Set(nodes.filter(({ operator }) => operator === 'Reshape').map((node) => node.inputs[1]));
  }

  /** Takes over constant number `index` of the samples, as a constant or as nodes that compute it. */
  constant(index: number): void {
    const versions = this.samples.map(({ graph }) => graph.constants[index]);
    const [first] = versions;
    if (versions.some(({ shape }) => !sameShape(shape, first.shape))) {
      throw unsupported(`A constant that is not uniform has a length that depends on ${this.symbol}`);
    }
    const lines = Array.from(first.values, (_, i) => this.line(versions.map(({ values }) => values[i])));
    const varying = lines.filter(({ slope }) => slope !== 0).length;
    if (varying === 0) this.constants.push(first);
    else if (varying === 1 && this.reshapes.has(first.name)) this.constants.push(withInferredLength(first, lines));
    else this.compute(first, lines);
  }

  outputShape(index: number): Dimension[] {
    const shapes = this.samples.map(({ graph }) => graph.outputs[index].shape as number[]);
    return shapes[0].map((length, axis) => {
      const { slope, offset } = this.line(shapes.map((shape) => shape[axis]));
      if (slope === 0) return length;
      return slope === 1 && offset === 0 ? this.symbol : `${this.symbol}_${index}_${axis}`;
    });
  }

  private line(values: readonly number[]): Line {
    const lengths = this.samples.map(({ length }) => length);
    if (values.every((value) => Object.is(value, values[0]))) return { slope: 0, offset: values[0] };
    const slope = (values[1] - values[0]) / (lengths[1] - lengths[0]);
    const offset = values[0] - slope * lengths[0];
    const bent = values.some((value, i) => !(Math.abs(slope * lengths[i] + offset - value) <= 1e-6 * Math.abs(value)));
    if (bent) throw unsupported(`A constant depends on ${this.symbol}, and not linearly`);
    return { slope, offset };
  }

  /** name = slopes · length + offsets */
  private compute({ name, shape, type }: Constant, lines: readonly Line[]): void {
    const slopes = this.vector(
      `${name}_slopes`,
      type,
      shape,
      lines.map(({ slope }) => slope),
    );
    const offsets = this.vector(
      `${name}_offsets`,
      type,
      shape,
      lines.map(({ offset }) => offset),
    );
    const scaled = this.node('Mul', [this.length(type), slopes], `${name}_scaled`);
    this.nodes.push({ operator: 'Add', inputs: [scaled, offsets], outputs: [name], attributes: {} });
  }

  private vector(name: string, type: Constant['type'], shape: readonly number[], values: readonly number[]): string {
    this.constants.push({ name, type, shape, values });
    return name;
  }

  /** The length as a number of this type, read from the first input that has it. */
  private length(type: Constant['type']): string {
    const name = `_length_${type}`;
    if (this.nodes.some(({ outputs }) => outputs[0] === name)) return name;
    if (type === 'int64') {
      const input = this.inputs.find(({ shape }) => shape!.includes(this.symbol))!;
      const axis = input.shape!.indexOf(this.symbol);
      this.constants.push({ name: '_length_axes', type: 'int64', shape: [1], values: [0] });
      const vector = this.node('Shape', [input.name], '_length_vector', { start: axis, end: axis + 1 });
      return this.node('Squeeze', [vector, '_length_axes'], name);
    }
    return this.node('Cast', [this.length('int64')], name, { to: { float32: 1, int32: 6, bool: 9 }[type] });
  }

  private node(operator: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): string {
    this.nodes.push({ operator, inputs, outputs: [output], attributes });
    return output;
  }
}

/** A reshape works one length out by itself when it is given as −1. */
function withInferredLength(constant: Constant, lines: readonly Line[]): Constant {
  return { ...constant, values: lines.map(({ slope, offset }) => (slope === 0 ? offset : -1)) };
}

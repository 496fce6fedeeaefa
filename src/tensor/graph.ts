/** The element types that our graphs use. `int64` only carries shapes, axes and indices. */
export type ElementType = 'float32' | 'int32' | 'int64' | 'bool';

/** Values of a constant; `int64` is kept as plain numbers below 2⁵³. */
export type ConstantValues = Float32Array | Int32Array | Uint8Array | readonly number[];

/** A named tensor with a fixed value (an ONNX initializer). */
export interface Constant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly values: ConstantValues;
}

/** A length, or the name of a length that is known only when the graph runs. */
export type Dimension = number | string;

/** A graph's input or output. A shape of null leaves the rank open. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[] | null;
}

/** An attribute; plain numbers are ONNX integers, so floats are marked. */
export type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly graph: Graph };

/** An operation: an entry of the standard ONNX operator set. An empty input name leaves an optional input out. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * A program in static single assignment form: every name is given once, nodes stand in execution order. The body of a
 * loop is a graph too and may use names of the graph around it.
 */
export interface Graph {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
}

/** Elements of a tensor of this shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

import type { Constant, Dimension, Graph, Node, Port } from './graph.ts';
import { sameShape } from './recorder.ts';

/** Lengths by name. */
export type Lengths = Readonly<Record<string, number>>;

/** A program traced with its named lengths set to these. */
export interface Sample {
  readonly lengths: Lengths;
  readonly graph: Graph;
}

/**
 * Lengths that named lengths are traced with: primes that no layer is likely to have, others for each name. The first two
 * lie far apart, so that what is linear can be told from them also where numbers were rounded to 32 bits. The second set
 * is for programs that have one of the first as a length of their own.
 */
const primes = [
  [
    [131, 1361, 797],
    [149, 1549, 883],
    [163, 1721, 967],
  ],
  [
    [139, 1381, 811],
    [151, 1559, 887],
    [167, 1733, 977],
  ],
];

/** How many sets of lengths there are to try. */
export const sampleSets = primes.length;

/** More names would need more traces: their number doubles with each. */
export const mostNames = primes[0].length;

/**
 * The lengths to trace a program with: all combinations of two lengths for each name, which fix a function that is linear
 * in each, and further ones, which show whether it is.
 * @param set which of the {@link sampleSets}.
 */
export function sampleLengths(names: readonly string[], set: number): Lengths[] {
  const pick = (choice: (index: number) => number): Lengths =>
    Object.fromEntries(names.map((name, index) => [name, primes[set][index][choice(index)]]));
  const corners = Array.from({ length: 2 ** names.length }, (_, corner) => pick((index) => (corner >> index) & 1));
  const beyond = names.map((_, chosen) => pick((index) => (index === chosen ? 2 : 0)));
  return [...corners, ...beyond, ...(names.length > 1 ? [pick(() => 2)] : [])];
}

/** Why traces cannot be joined, and what in the graph shows it. */
export class Ununified extends Error {
  /** The value of the graph at which the traces differ. */
  readonly value: string | undefined;

  constructor(message: string, value?: string) {
    super(message);
    this.value = value;
  }
}

/**
 * Joins traces of one program that differ in named lengths into a graph for every length.
 *
 * 1. The traces must have the same nodes; only constants may differ.
 * 2. What differs must be linear in each length in all samples, so it may be batch · time + 3. It becomes nodes that compute
 *    it from the shapes of inputs; a reshape with one unknown length needs none.
 * 3. A constant that grows with a length must count on evenly, as ranges do.
 *
 * @param samples at the lengths of {@link sampleLengths}, in that order.
 * @param inputs with the names in their shapes.
 * @throws Ununified when the traces differ in any other way.
 */
export function unifySamples(samples: readonly Sample[], names: readonly string[], inputs: readonly Port[]): Graph {
  const [first, ...others] = samples.map(({ graph }) => graph);
  checkNodes(first, others, names);
  const unifier = new Unifier(samples, names, inputs);
  first.constants.forEach((_, index) => unifier.constant(index));
  return {
    inputs,
    outputs: first.outputs.map((port, index) => ({ ...port, shape: unifier.outputShape(index) })),
    constants: unifier.constants,
    nodes: [...unifier.nodes, ...first.nodes],
  };
}

function checkNodes(first: Graph, others: readonly Graph[], names: readonly string[]): void {
  const nodes = JSON.stringify(first.nodes);
  const other = others.find((graph) => JSON.stringify(graph.nodes) !== nodes);
  if (!other) return;
  const index = first.nodes.findIndex((node, place) => JSON.stringify(node) !== JSON.stringify(other.nodes[place]));
  const node = first.nodes[index] as Node | undefined;
  const operation = node ? ` (first at operation ${node.operator})` : '';
  throw new Ununified(
    `The program does other operations when ${names.join(' or ')} changes${operation}; make it do the same for every length`,
    node?.outputs[0],
  );
}

/** A product of named lengths, and how often it counts. */
interface Term {
  readonly names: readonly string[];
  readonly slope: number;
}

/** offset + Σ slope · product of lengths */
interface Form {
  readonly offset: number;
  readonly terms: readonly Term[];
}

class Unifier {
  readonly constants: Constant[] = [];
  readonly nodes: Node[] = [];
  private readonly samples: readonly Sample[];
  private readonly names: readonly string[];
  private readonly inputs: readonly Port[];
  private readonly reshapes: ReadonlySet<string>;

  constructor(samples: readonly Sample[], names: readonly string[], inputs: readonly Port[]) {
    this.samples = samples;
    this.names = names;
    this.inputs = inputs;
    const { nodes } = samples[0].graph;
    this.reshapes = new Set(nodes.filter(({ operator }) => operator === 'Reshape').map((node) => node.inputs[1]));
  }

  /** Takes over constant number `index` of the samples, as a constant or as nodes that compute it. */
  constant(index: number): void {
    const versions = this.samples.map(({ graph }) => graph.constants[index]);
    const [first] = versions;
    if (versions.some(({ shape }) => !sameShape(shape, first.shape))) {
      this.progression(versions);
      return;
    }
    const columns = Array.from(first.values, (_, i) => versions.map(({ values }) => values[i]));
    const varying = columns.filter((values) => !isConstant(values)).length;
    if (varying === 0) this.constants.push(first);
    else if (varying === 1 && this.reshapes.has(first.name)) this.constants.push(withInferredLength(first, columns));
    else {
      this.compute(
        first,
        columns.map((values) => this.form(values, first)),
      );
    }
  }

  outputShape(index: number): Dimension[] {
    const ports = this.samples.map(({ graph }) => graph.outputs[index]);
    const shapes = ports.map(({ shape }) => shape as number[]);
    return shapes[0].map((length, axis) => {
      const lengths = shapes.map((shape) => shape[axis]);
      if (isConstant(lengths)) return length;
      const same = this.names.find((name) => this.samples.every((sample, i) => sample.lengths[name] === lengths[i]));
      return same ?? `${ports[0].name}_${axis}`;
    });
  }

  /** The function of the lengths that has these values at the samples. */
  private form(values: readonly number[], of: Constant): Form {
    if (isConstant(values)) return { offset: values[0], terms: [] };
    const solved = this.throughCorners(values);
    const candidates = of.type === 'float32' ? [...this.multiples(values), simplified(solved), solved] : [solved];
    const rounding = of.type === 'float32' ? 2 ** -23 : 0;
    const found = candidates.find((form) =>
      this.samples.every(({ lengths }, sample) => {
        return Math.abs(valueAt(form, lengths) - values[sample]) <= rounding * Math.abs(values[sample]);
      }),
    );
    if (!found) throw this.bent(of);
    return found;
  }

  /** Functions that are a multiple of one product of lengths, as counts and means are. */
  private multiples(values: readonly number[]): Form[] {
    const products = Array.from({ length: 2 ** this.names.length - 1 }, (_, index) =>
      this.names.filter((_name, bit) => ((index + 1) >> bit) & 1),
    );
    return products.map((names) => {
      const { lengths } = this.samples[1];
      const slope = values[1] / names.reduce((product, name) => product * lengths[name], 1);
      return { offset: 0, terms: [{ names, slope: nearestSimple(slope) }] };
    });
  }

  /** Solves for one name after the other: each turns pairs of values into an offset and a slope. */
  private throughCorners(values: readonly number[]): Form {
    const coefficients = values.slice(0, 2 ** this.names.length);
    this.names.forEach((name, bit) => {
      const [low, high] = [this.samples[0].lengths[name], this.samples[2 ** bit].lengths[name]];
      for (let corner = 0; corner < coefficients.length; corner++) {
        if ((corner >> bit) & 1) continue;
        const other = corner + 2 ** bit;
        const slope = (coefficients[other] - coefficients[corner]) / (high - low);
        coefficients[corner] -= slope * low;
        coefficients[other] = slope;
      }
    });
    const terms = coefficients.map((slope, corner) => ({
      slope,
      names: this.names.filter((_, bit) => (corner >> bit) & 1),
    }));
    return { offset: coefficients[0], terms: terms.filter(({ slope, names }) => names.length > 0 && slope !== 0) };
  }

  private bent({ name }: Constant): Ununified {
    return new Ununified(
      `A constant${this.usedBy(name)} depends on ${this.names.join(' and ')}, and not linearly; compute it from ones, sums or ranges`,
      name,
    );
  }

  private usedBy(name: string): string {
    const node = this.samples[0].graph.nodes.find(({ inputs }) => inputs.includes(name));
    return node ? ` of operation ${node.operator}` : '';
  }

  /** name = offsets + Σ slopes · product of lengths */
  private compute({ name, shape, type }: Constant, forms: readonly Form[]): void {
    const terms = new Map(
      forms.flatMap((form) => form.terms.map((term) => [term.names.join('_'), term.names] as const)),
    );
    let sum = this.vector(
      `${name}_offsets`,
      type,
      shape,
      forms.map(({ offset }) => offset),
    );
    [...terms].forEach(([key, names], index) => {
      const slopes = forms.map((form) => form.terms.find((term) => term.names.join('_') === key)?.slope ?? 0);
      const vector = this.vector(`${name}_slopes_${key}`, type, shape, slopes);
      const scaled = this.node('Mul', [this.product(names, type), vector], `${name}_scaled_${key}`);
      sum = this.node('Add', [scaled, sum], index === terms.size - 1 ? name : `${name}_sum_${key}`);
    });
  }

  /** A constant whose length varies: start, start + step, start + 2 step … */
  private progression(versions: readonly Constant[]): void {
    const [first] = versions;
    const step = (first.values[1] ?? 0) - (first.values[0] ?? 0);
    const starts = versions.map(({ values }) => values[0]);
    const even = versions.every(({ values, shape }) => shape.length === 1 && countsOn(values, step));
    if (!even || first.type === 'bool') {
      throw new Ununified(
        `A constant${this.usedBy(first.name)} that is not uniform has a length that depends on ${this.names.join(' and ')}; make it of ranges`,
        first.name,
      );
    }
    const { name, type } = first;
    const count = this.scalar(
      `${name}_count`,
      'int64',
      this.form(
        versions.map(({ values }) => values.length),
        first,
      ),
    );
    const [zero, one] = [0, 1].map((value) => this.vector(`${name}_${value}`, 'int64', [], [value]));
    let values = this.node('Range', [zero, count, one], `${name}_range`);
    if (type !== 'int64') values = this.node('Cast', [values], `${name}_places`, { to: elementTypeNumbers[type] });
    values = this.node('Mul', [values, this.vector(`${name}_step`, type, [], [step])], `${name}_steps`);
    this.node('Add', [values, this.scalar(`${name}_start`, type, this.form(starts, first))], name);
  }

  private scalar(name: string, type: Constant['type'], form: Form): string {
    if (form.terms.length === 0) return this.vector(name, type, [], [form.offset]);
    this.compute({ name, type, shape: [], values: [] }, [form]);
    return name;
  }

  private vector(name: string, type: Constant['type'], shape: readonly number[], values: readonly number[]): string {
    this.constants.push({ name, type, shape, values });
    return name;
  }

  /** The product of named lengths as a number of this type. */
  private product(names: readonly string[], type: Constant['type']): string {
    const name = `_length_${names.join('_')}_${type}`;
    if (this.nodes.some(({ outputs }) => outputs[0] === name)) return name;
    if (type !== 'int64') {
      return this.node('Cast', [this.product(names, 'int64')], name, { to: elementTypeNumbers[type] });
    }
    if (names.length === 1) return this.lengthOf(names[0], name);
    return this.node('Mul', [this.product(names.slice(0, -1), type), this.product(names.slice(-1), type)], name);
  }

  /** Reads a length from the first input that has it. */
  private lengthOf(symbol: string, name: string): string {
    const input = this.inputs.find(({ shape }) => shape!.includes(symbol))!;
    const axis = input.shape!.indexOf(symbol);
    if (!this.constants.some((constant) => constant.name === '_length_axes')) {
      this.vector('_length_axes', 'int64', [1], [0]);
    }
    const vector = this.node('Shape', [input.name], `${name}_vector`, { start: axis, end: axis + 1 });
    return this.node('Squeeze', [vector, '_length_axes'], name);
  }

  private node(operator: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): string {
    this.nodes.push({ operator, inputs, outputs: [output], attributes });
    return output;
  }
}

const elementTypeNumbers: Readonly<Record<Constant['type'], number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

function isConstant(values: readonly number[]): boolean {
  return values.every((value) => Object.is(value, values[0]));
}

function valueAt({ offset, terms }: Form, lengths: Lengths): number {
  return terms.reduce(
    (sum, { names, slope }) => sum + slope * names.reduce((product, name) => product * lengths[name], 1),
    offset,
  );
}

/** The multiple of 1/1024 where the number is as good as one: then it was only rounded. */
function nearestSimple(value: number): number {
  const simple = Math.round(value * 1024) / 1024;
  return simple !== 0 && Math.abs(simple - value) <= 1e-6 * Math.abs(value) ? simple : value;
}

/** The function with its numbers freed from what rounding to 32 bits did to them. */
function simplified({ offset, terms }: Form): Form {
  const near = (value: number): number => Math.round(value * 1024) / 1024;
  return {
    offset: near(offset),
    terms: terms.map(({ names, slope }) => ({ names, slope: near(slope) })).filter(({ slope }) => slope !== 0),
  };
}

/** Up to the rounding of 32-bit numbers. */
function countsOn(values: Constant['values'], step: number): boolean {
  return Array.prototype.every.call(values, (value: number, index: number) => {
    const expected = values[0] + index * step;
    return Math.abs(value - expected) <= 1e-6 * Math.max(Math.abs(expected), Math.abs(step));
  });
}

/** A reshape works one length out by itself when it is given as −1. */
function withInferredLength(constant: Constant, columns: readonly (readonly number[])[]): Constant {
  return { ...constant, values: columns.map((values) => (isConstant(values) ? values[0] : -1)) };
}

import type { Dimension } from './graph.ts';

/** A shape whose open length has been worked out. */
export interface Lengths {
  readonly shape: number[];
  /** The open length; 1 when there is none. */
  readonly open: number;
}

/**
 * The shape with the open length worked out from the number of values.
 * @param what names the port in the error, such as `Input x`.
 * @throws Error when the number of values does not fit, or more than one length is open.
 */
export function lengthsOf(what: string, shape: readonly Dimension[], count: number): Lengths {
  const known = shape.filter((length) => typeof length === 'number');
  const unit = known.reduce((product, length) => product * length, 1);
  const openLengths = shape.length - known.length;
  const open = openLengths === 1 && unit > 0 ? count / unit : 1;
  if (openLengths > 1 || !Number.isInteger(open) || open * unit !== count) {
    throw new Error(
      `${what} of a model has ${count} values for shape [${shape.join(', ')}]; at most one length may be open.`,
    );
  }
  return { shape: shape.map((length) => (typeof length === 'number' ? length : open)), open };
}

/** The name of the length that follows from the number of values; empty when there is none, or when there are several. */
export function openName(shape: readonly Dimension[]): string {
  const names = shape.filter((length) => typeof length === 'string');
  return names.length === 1 ? names[0] : '';
}

/** True for a shape with several open lengths: they follow from other ports' only. */
export function hasSeveralOpen(shape: readonly Dimension[]): boolean {
  return shape.filter((length) => typeof length === 'string').length > 1;
}

/** A port with the number of values that were given for it. */
interface Counted {
  readonly name: string;
  readonly shape: readonly Dimension[];
  readonly count: number;
}

/**
 * Shapes of ports with several open lengths. Each length must be known, or be the only unknown one of some port.
 * @param known lengths by name; what is found is added.
 * @throws Error when a number of values does not fit, or a length cannot be worked out.
 */
export function solvedShapes(ports: readonly Counted[], known: Record<string, number>): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  let waiting = ports;
  while (waiting.length > 0) {
    const solvable = waiting.find(({ shape }) => unknownIn(shape, known).length <= 1);
    if (!solvable) {
      const [{ name, shape }] = waiting;
      throw new Error(
        `Input ${name} of a model leaves ${unknownIn(shape, known).join(' and ')} open in shape [${shape.join(', ')}]; add an input that has only one of them.`,
      );
    }
    const { name, shape, count } = solvable;
    const [unknown] = unknownIn(shape, known);
    const substituted = shape.map((length) => (typeof length === 'string' ? (known[length] ?? length) : length));
    const lengths = lengthsOf(`Input ${name}`, substituted, count);
    if (unknown !== undefined) known[unknown] = lengths.open;
    shapes[name] = lengths.shape;
    waiting = waiting.filter((port) => port !== solvable);
  }
  return shapes;
}

function unknownIn(shape: readonly Dimension[], known: Readonly<Record<string, number>>): string[] {
  return shape.filter((length): length is string => typeof length === 'string' && !Object.hasOwn(known, length));
}

/** A port and the open length in the values that were given for it. */
interface Measured {
  readonly name: string;
  readonly openLength: number;
}

/** @throws Error when arrays that share the length `length` have different ones. */
export function refuseOtherLength(length: string, [first, ...others]: readonly Measured[]): void {
  for (const other of others) {
    if (other.openLength === first.openLength) continue;
    throw new Error(
      `The arrays of a model disagree on ${length}: ${first.openLength} in ${first.name}, ${other.openLength} in ${other.name}.`,
    );
  }
}

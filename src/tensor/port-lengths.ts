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

/** The name of the length that follows from the number of values; empty when there is none. */
export function openName(shape: readonly Dimension[]): string {
  return shape.find((length) => typeof length === 'string') ?? '';
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

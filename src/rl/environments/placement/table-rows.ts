import type { SpaceRow } from '../../environment.ts';

/** A feature of a repeated part of an observation. */
export type Feature = Omit<SpaceRow, 'index'>;

/** A feature as a value. */
export function feature(name: string, unit: string, low: number, high: number, meaning: string): Feature {
  return { name, unit, low, high, meaning };
}

/** The rows of `count` times the same features, one block after the other from element `at` on. */
export function repeatedRows(features: readonly Feature[], at: number, count: number): SpaceRow[] {
  const width = features.length;
  return features.map((row, column) => {
    const first = at + column;
    const last = first + (count - 1) * width;
    const every = width === 1 ? '' : `, every ${ordinal(width)}`;
    return { index: count === 1 ? String(first) : `${first}–${last}${every}`, ...row };
  });
}

/** Bounds of every element that the rows describe. */
export function boundsOfRows(parts: readonly (readonly [features: readonly Feature[], count: number])[]): {
  low: number[];
  high: number[];
} {
  const all = parts.flatMap(([features, count]) => Array.from({ length: count }, () => features).flat());
  return { low: all.map((row) => row.low), high: all.map((row) => row.high) };
}

function ordinal(number: number): string {
  if (number === 2) return '2nd';
  return number === 3 ? '3rd' : `${number}th`;
}

/** Something that is measured again and again over the project's life. */
export interface Figure {
  /** snake_case, with the unit's abbreviation where it is not plain. */
  readonly name: string;
  readonly unit: string;
  /** What stands for all measurements. Default: the median. */
  readonly summary?: 'median' | 'mean';
  /** Why it cannot be measured here; null when it can. Default: it can. */
  unavailable?(): Promise<string | null>;
  /** Measures several times, after warming up; one number a measurement. */
  measure(): Promise<readonly number[]>;
}

/** What is printed of a figure. */
export interface FigureLine {
  readonly name: string;
  /** The median, or the mean where the figure asks for it. */
  readonly value: number;
  readonly unit: string;
  readonly n: number;
  readonly min: number;
  readonly max: number;
}

/** The median (or mean), number and range of some measurements. */
export function summarised({ name, unit, summary }: Figure, measurements: readonly number[]): FigureLine {
  const sorted = measurements.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
  const value = summary === 'mean' ? sorted.reduce((sum, entry) => sum + entry, 0) / sorted.length : median;
  return { name, value, unit, n: sorted.length, min: sorted[0], max: sorted[sorted.length - 1] };
}

/** Milliseconds that each of `repetitions` runs of `work` takes, after as many as `warmUp` that do not count. */
export async function millisecondsEach(
  repetitions: number,
  warmUp: number,
  work: () => Promise<unknown>,
): Promise<number[]> {
  for (let run = 0; run < warmUp; run++) await work();
  const measurements: number[] = [];
  for (let run = 0; run < repetitions; run++) {
    const start = performance.now();
    await work();
    measurements.push(performance.now() - start);
  }
  return measurements;
}

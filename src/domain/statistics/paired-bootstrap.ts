/** A mean with the bounds of its interval. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Default 4 000. */
  readonly resamples?: number;
  /** Default 0.95. */
  readonly confidence?: number;
  /** Uniform numbers in [0, 1) from a seeded generator. */
  readonly random: () => number;
}

/**
 * Interval of the mean of `values[seed][episode]` when seeds and episodes are both a sample: each resample draws seeds
 * and episodes with replacement (Owen, "The pigeonhole bootstrap", 2007). One row when there are no seeds (a baseline).
 */
export declare function crossedBootstrap(values: readonly (readonly number[])[], options: BootstrapOptions): Interval;

/** Interval of mean(policy) − mean(baseline), paired by episode; `relative` divides each resample's by its mean(baseline). */
export declare function pairedBootstrap(
  policy: readonly (readonly number[])[],
  baseline: readonly number[],
  options: BootstrapOptions & { readonly relative?: boolean },
): Interval;

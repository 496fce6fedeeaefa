import { normalQuantile, studentQuantile } from './quantiles.ts';

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
 * and episodes with replacement (Owen, "The pigeonhole bootstrap", 2007), and the interval lies between percentiles of
 * the resampled means. A few seeds resampled vary too little: the deviations that come from seeds, and those that come
 * from episodes, are widened to those of Student's t (after Hesterberg, "What Teachers Should Know About the Bootstrap",
 * 2015, expanded percentiles). One row when there are no seeds (a baseline).
 * @throws RangeError when rows are missing, empty or of different lengths.
 */
export function crossedBootstrap(values: readonly (readonly number[])[], options: BootstrapOptions): Interval {
  requireTable(values);
  const { resamples = 4000, confidence = 0.95, random } = options;
  const rowMeans = values.map((row) => meanOf(row));
  const columnMeans = values[0].map((_, episode) => meanOf(values.map((row) => row[episode])));
  const mean = meanOf(rowMeans);
  const rowExcess = widening(rowMeans.length, confidence) - 1;
  const columnExcess = widening(columnMeans.length, confidence) - 1;
  const rows = new Int32Array(rowMeans.length);
  const columns = new Int32Array(columnMeans.length);
  const drawn = Float64Array.from({ length: resamples }, () => {
    draw(rows, random);
    draw(columns, random);
    const fromRows = meanAt(rowMeans, rows) - mean;
    const fromColumns = meanAt(columnMeans, columns) - mean;
    return meanAtCells(values, rows, columns) + rowExcess * fromRows + columnExcess * fromColumns;
  }).sort();
  return { mean, low: percentile(drawn, (1 - confidence) / 2), high: percentile(drawn, (1 + confidence) / 2) };
}

/**
 * Interval of mean(policy) − mean(baseline), paired by episode: policy and baseline of an episode are always drawn
 * together. `relative` divides by mean(baseline), whose own variation is carried along (the ratio is linearised).
 * @throws RangeError when the tables do not fit together, or the mean to divide by is not above 0.
 */
export function pairedBootstrap(
  policy: readonly (readonly number[])[],
  baseline: readonly number[],
  options: BootstrapOptions & { readonly relative?: boolean },
): Interval {
  requireTable(policy);
  if (baseline.length !== policy[0].length) {
    throw new RangeError(`The baseline has ${baseline.length} episodes and the policy ${policy[0].length}.`);
  }
  const differences = policy.map((row) => row.map((value, episode) => value - baseline[episode]));
  if (options.relative !== true) return crossedBootstrap(differences, options);
  const baselineMean = meanOf(baseline);
  if (!(baselineMean > 0)) throw new RangeError(`A relative difference needs a baseline above 0, not ${baselineMean}.`);
  const ratio = meanOf(differences.map((row) => meanOf(row))) / baselineMean;
  const linearised = differences.map((row) =>
    row.map((difference, episode) => ratio + (difference - ratio * baseline[episode]) / baselineMean),
  );
  return crossedBootstrap(linearised, options);
}

/** By how much resampled deviations of a mean of `count` values fall short of Student's t. */
function widening(count: number, confidence: number): number {
  if (count < 2) return 1;
  const probability = (1 + confidence) / 2;
  return (studentQuantile(probability, count - 1) / normalQuantile(probability)) * Math.sqrt(count / (count - 1));
}

function draw(indices: Int32Array, random: () => number): void {
  for (let i = 0; i < indices.length; i++) indices[i] = Math.floor(random() * indices.length);
}

function meanAt(values: readonly number[], indices: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < indices.length; i++) sum += values[indices[i]];
  return sum / indices.length;
}

function meanAtCells(values: readonly (readonly number[])[], rows: Int32Array, columns: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += meanAt(values[rows[i]], columns);
  return sum / rows.length;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Percentile of sorted values, linear between neighbours. */
function percentile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

function requireTable(values: readonly (readonly number[])[]): void {
  const episodes = values[0]?.length ?? 0;
  if (episodes === 0) throw new RangeError('A bootstrap needs at least one row with one value.');
  if (values.some((row) => row.length !== episodes)) throw new RangeError('Every seed must have the same episodes.');
}

/** A bucket of a classic histogram. */
export interface Bucket {
  /** Upper bound, inclusive. */
  readonly bound: number;
  /** Observations up to the bound: a number, or a rate. */
  readonly count: number;
}

/**
 * The quantile of a histogram, interpolated as Prometheus does: evenly inside a bucket, the first one from 0, and the
 * last finite bound for what lies above it. NaN without observations.
 */
export function quantile(share: number, buckets: readonly Bucket[]): number {
  const rising = risingBuckets(buckets);
  const total = rising.at(-1)?.count ?? 0;
  if (!(total > 0)) return NaN;
  const rank = share * total;
  const index = rising.findIndex(({ count }) => count >= rank);
  const { bound, count } = rising[index];
  const before = index === 0 ? { bound: Math.min(0, bound), count: 0 } : rising[index - 1];
  if (bound === Infinity) return before.bound;
  return before.bound + ((bound - before.bound) * (rank - before.count)) / (count - before.count);
}

/**
 * The share of observations above a limit, evenly interpolated inside the limit's bucket. Where the limit lies above the
 * last finite bound, all beyond that bound count: the share is then at most this. NaN without observations.
 */
export function shareAbove(limit: number, buckets: readonly Bucket[]): number {
  const rising = risingBuckets(buckets);
  const total = rising.at(-1)?.count ?? 0;
  if (!(total > 0)) return NaN;
  const index = rising.findIndex(({ bound }) => bound >= limit);
  const { bound, count } = rising[index];
  const before = index === 0 ? { bound: Math.min(0, bound), count: 0 } : rising[index - 1];
  const inside = bound === Infinity ? 0 : (limit - before.bound) / (bound - before.bound);
  return 1 - (before.count + (count - before.count) * Math.max(0, inside)) / total;
}

/**
 * In the order of bounds, never falling (rates of buckets that were not scraped at one moment can), up to +∞. A histogram
 * without its +∞ bucket is none: empty.
 */
function risingBuckets(buckets: readonly Bucket[]): Bucket[] {
  const sorted = buckets.filter(({ count }) => Number.isFinite(count)).toSorted((a, b) => a.bound - b.bound);
  if (sorted.at(-1)?.bound !== Infinity) return [];
  let most = 0;
  return sorted.map(({ bound, count }) => ({ bound, count: (most = Math.max(most, count)) }));
}

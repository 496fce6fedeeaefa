/** A rate under a schedule; `linear` lets it fall to 0. @param remaining share of the training still to come, 1 … 0. */
export function scheduled(rate: number, schedule: 'constant' | 'linear', remaining: number): number {
  return schedule === 'linear' ? rate * remaining : rate;
}

/** A value that goes in a line from `first` to `last`; null keeps it constant. @param remaining as in {@link scheduled}. */
export function inLine(first: number, last: number | null, remaining: number): number {
  const final = last ?? first;
  return final + (first - final) * remaining;
}

/** What {@link RunningStatistics.saveState} returns; JSON keeps it exactly. */
export interface StatisticsState {
  readonly count: number;
  readonly mean: readonly number[];
  readonly squares: readonly number[];
}

/**
 * Mean and variance of a stream of vectors, element by element, in double precision (Welford 1962). Every vector counts
 * the same, however old.
 */
export class RunningStatistics {
  count = 0;
  readonly mean: Float64Array;
  /** Sums of squared differences from the mean. */
  private readonly squares: Float64Array;

  /** @param size elements of a vector. */
  constructor(size: number) {
    this.mean = new Float64Array(size);
    this.squares = new Float64Array(size);
  }

  /** Counts the vector at `offset` of `values`. */
  add(values: ArrayLike<number>, offset = 0): void {
    this.count++;
    for (let i = 0; i < this.mean.length; i++) {
      const difference = values[offset + i] - this.mean[i];
      this.mean[i] += difference / this.count;
      this.squares[i] += difference * (values[offset + i] - this.mean[i]);
    }
  }

  /** Population variance of element `i`; 1 before there are two vectors. */
  variance(i: number): number {
    return this.count < 2 ? 1 : this.squares[i] / this.count;
  }

  saveState(): StatisticsState {
    return { count: this.count, mean: [...this.mean], squares: [...this.squares] };
  }

  loadState(state: StatisticsState): void {
    this.count = state.count;
    this.mean.set(state.mean);
    this.squares.set(state.squares);
  }
}

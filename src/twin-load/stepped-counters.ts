/**
 * Counters that grow evenly over a step of real time and are known in advance: what they were when the step began, and
 * what the step adds. So a scrape at any moment sees smooth rates, however long the steps are.
 */
export class SteppedCounters {
  private readonly totals: Float64Array;
  private readonly increments: Float64Array;

  constructor(count: number) {
    this.totals = new Float64Array(count);
    this.increments = new Float64Array(count);
  }

  /** The step is over: its increments are part of the totals, and the next step adds nothing yet. */
  settle(): void {
    for (let i = 0; i < this.totals.length; i++) {
      this.totals[i] += this.increments[i];
      this.increments[i] = 0;
    }
  }

  /** Lets the step add `amount`, ≥ 0. */
  add(i: number, amount: number): void {
    this.increments[i] += amount;
  }

  /** The counter when this share of the step is over, 0 … 1. */
  at(i: number, share: number): number {
    return this.totals[i] + share * this.increments[i];
  }
}

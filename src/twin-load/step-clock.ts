/** Steps that are played at once to catch up; a machine that slept longer goes on where it was. */
const mostAtOnce = 12;

/**
 * Says when steps of equal length are due, on a grid that begins with the first.
 *
 * A process that was held up plays what it missed; one that was stopped for longer leaves the time out.
 */
export class StepClock {
  readonly #stepMs: number;
  #stepStartMs: number;
  #skippedMs = 0;

  constructor(stepMs: number, nowMs: number) {
    this.#stepMs = stepMs;
    this.#stepStartMs = nowMs - stepMs;
  }

  /** Time that was left out, ms. */
  get skippedMs(): number {
    return this.#skippedMs;
  }

  /** Steps that are due by now; they count as begun. */
  take(nowMs: number): number {
    const due = Math.floor((nowMs - this.#stepStartMs) / this.#stepMs);
    const left = Math.max(0, due - mostAtOnce);
    this.#skippedMs += left * this.#stepMs;
    this.#stepStartMs += due * this.#stepMs;
    return due - left;
  }

  /** Time until the next step is due, ms. */
  untilNext(nowMs: number): number {
    return Math.max(0, this.#stepStartMs + this.#stepMs - nowMs);
  }

  /** How much of the present step is over, 0 … 1. */
  share(nowMs: number): number {
    return Math.min(1, Math.max(0, (nowMs - this.#stepStartMs) / this.#stepMs));
  }
}

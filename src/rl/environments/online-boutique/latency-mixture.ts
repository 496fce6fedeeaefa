/**
 * The latency of the requests of a control step as a mixture of lognormal distributions, one for each request type and
 * sub-step, fitted to mean and variance.
 */
export class LatencyMixture {
  readonly capacity: number;
  private readonly weight: Float64Array;
  private readonly location: Float64Array;
  private readonly deviation: Float64Array;
  private count = 0;
  private total = 0;
  /** Logarithm of the last quantile found: where the next search starts. */
  private lastLog = -1.5;

  /** @param capacity components at most. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.weight = new Float64Array(capacity);
    this.location = new Float64Array(capacity);
    this.deviation = new Float64Array(capacity);
  }

  /** Number of requests in the mixture. */
  get requests(): number {
    return this.total;
  }

  clear(): void {
    this.count = 0;
    this.total = 0;
  }

  /** Adds `requests` whose latency has this mean (seconds) and variance (seconds²). */
  add(requests: number, mean: number, variance: number): void {
    if (requests <= 0) return;
    const spread = Math.log(1 + variance / (mean * mean));
    const i = this.count++;
    this.weight[i] = requests;
    this.location[i] = Math.log(mean) - 0.5 * spread;
    this.deviation[i] = Math.sqrt(spread);
    this.total += requests;
  }

  /** Adds every component of another mixture. */
  append(other: LatencyMixture): void {
    this.weight.set(other.weight.subarray(0, other.count), this.count);
    this.location.set(other.location.subarray(0, other.count), this.count);
    this.deviation.set(other.deviation.subarray(0, other.count), this.count);
    this.count += other.count;
    this.total += other.total;
  }

  /** Requests expected to take longer than `seconds`. */
  countAbove(seconds: number): number {
    const log = Math.log(seconds);
    let sum = 0;
    for (let i = 0; i < this.count; i++) {
      sum += this.weight[i] * normalTail((log - this.location[i]) / this.deviation[i]);
    }
    return sum;
  }

  /** The latency that a share `probability` of the requests stays under, to a relative 1e-4; 0 without requests. */
  quantile(probability: number): number {
    if (this.count === 0) return 0;
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < this.count; i++) {
      low = Math.min(low, this.location[i] - 9 * this.deviation[i]);
      high = Math.max(high, this.location[i] + 9 * this.deviation[i]);
    }
    const wanted = (1 - probability) * this.total;
    let log = Math.min(high, Math.max(low, this.lastLog));
    for (let iteration = 0; iteration < 60; iteration++) {
      const excess = this.tailAndDensity(log) - wanted;
      if (excess > 0) low = log;
      else high = log;
      // Newton, kept inside the bracket.
      let next = log + excess / this.densitySum;
      if (!(next > low && next < high)) next = 0.5 * (low + high);
      const step = next - log;
      log = next;
      if (step < 1e-4 && step > -1e-4) break;
    }
    this.lastLog = log;
    return Math.exp(log);
  }

  /** A search starts where the last one ended, so its last bit depends on the past: that is part of the state. */
  saveState(): number {
    return this.lastLog;
  }

  loadState(state: number): void {
    this.lastLog = state;
  }

  private densitySum = 0;

  private tailAndDensity(log: number): number {
    let tail = 0;
    let density = 0;
    for (let i = 0; i < this.count; i++) {
      const deviation = this.deviation[i];
      const z = (log - this.location[i]) / deviation;
      const magnitude = z < 0 ? -z : z;
      const bell = Math.exp(-0.5 * z * z);
      const upper = bell * millsPolynomial(magnitude);
      tail += this.weight[i] * (z < 0 ? 1 - upper : upper);
      density += (this.weight[i] * INVERSE_ROOT_TWO_PI * bell) / deviation;
    }
    this.densitySum = density;
    return tail;
  }
}

/** P(Z > z) of the standard normal distribution, absolute error below 1e-7 (Abramowitz & Stegun, 26.2.17). */
export function normalTail(z: number): number {
  const upper = Math.exp(-0.5 * z * z) * millsPolynomial(z < 0 ? -z : z);
  return z < 0 ? 1 - upper : upper;
}

const INVERSE_ROOT_TWO_PI = 0.3989422804014327;

function millsPolynomial(magnitude: number): number {
  const t = 1 / (1 + 0.2316419 * magnitude);
  return (
    INVERSE_ROOT_TWO_PI *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  );
}

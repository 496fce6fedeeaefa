import { normalTail } from '../rl/environments/online-boutique/latency-mixture.ts';
import { SteppedCounters } from './stepped-counters.ts';

/** Bounds of Envoy's, and so of Istio's, histograms: milliseconds. */
export const durationBoundsMs = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const;

const COUNT = durationBoundsMs.length;
const SUM = COUNT + 1;
const logBounds = durationBoundsMs.map((bound) => Math.log(bound / 1000));
/** A duration that is always the same is taken for one that hardly varies. */
const LEAST_DEVIATION = 1e-6;

/** Requests between two workloads with one outcome, and the histogram of their durations. */
export class RequestSeries {
  private readonly counters = new SteppedCounters(SUM + 1);

  settle(): void {
    this.counters.settle();
  }

  /** Lets the step add `requests` of a lognormal duration with this mean, seconds, and variance, seconds². */
  add(requests: number, mean: number, variance: number): void {
    if (requests <= 0) return;
    const { counters } = this;
    counters.add(COUNT, requests);
    counters.add(SUM, requests * mean * 1000);
    const spread = Math.log(1 + variance / (mean * mean));
    const location = Math.log(mean) - 0.5 * spread;
    const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(spread));
    for (let i = 0; i < COUNT; i++) {
      counters.add(i, requests * (1 - normalTail((logBounds[i] - location) / deviation)));
    }
  }

  count(share: number): number {
    return this.counters.at(COUNT, share);
  }

  sumMilliseconds(share: number): number {
    return this.counters.at(SUM, share);
  }

  /** Requests up to each of {@link durationBoundsMs}. */
  bucket(i: number, share: number): number {
    return this.counters.at(i, share);
  }
}

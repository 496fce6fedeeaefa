import type { Generator } from '../../random.ts';

/** Bins over which the rate before and after a moment is averaged: two minutes. */
const AVERAGED_BINS = 8;
/** Share of all bins that count as the steepest rises. */
const STEEPEST_SHARE = 0.01;
/** A ramp episode begins up to so many bins before the rise: a quarter of an hour. */
const LEAD_BINS = 60;

/**
 * Draws where training episodes begin: anywhere in the trace, or, for a share of them, shortly before one of the
 * steepest rises of its rate. Rises are rare and decide about violations; meeting them more often teaches them sooner.
 */
export class EpisodeStarts {
  private readonly lastStart: number;
  private readonly rampShare: number;
  private readonly ramps: Int32Array;

  /** @param rampShare share of episodes with a rise, 0 … 1. */
  constructor(trace: Float32Array | Float64Array, episodeSteps: number, rampShare: number) {
    this.lastStart = trace.length - episodeSteps;
    this.rampShare = rampShare;
    this.ramps = rampShare > 0 ? steepestRises(trace) : new Int32Array(0);
  }

  /** The first bin of an episode. */
  draw(generator: Generator): number {
    if (this.ramps.length === 0 || generator.uniform() >= this.rampShare) return generator.integer(this.lastStart + 1);
    const rise = this.ramps[generator.integer(this.ramps.length)];
    return Math.min(this.lastStart, Math.max(0, rise - generator.integer(LEAD_BINS)));
  }
}

/** The bins at which the mean rate of the next two minutes most exceeds that of the last two, relatively. */
function steepestRises(trace: Float32Array | Float64Array): Int32Array {
  const sums = new Float64Array(trace.length + 1);
  trace.forEach((count, bin) => (sums[bin + 1] = sums[bin] + count));
  const growth = (bin: number): number =>
    (1 + sums[bin + AVERAGED_BINS] - sums[bin]) / (1 + sums[bin] - sums[bin - AVERAGED_BINS]);
  const bins = Array.from(
    { length: Math.max(0, trace.length - 2 * AVERAGED_BINS + 1) },
    (_, index) => index + AVERAGED_BINS,
  );
  const growths = new Map(bins.map((bin) => [bin, growth(bin)]));
  bins.sort((a, b) => growths.get(b)! - growths.get(a)! || a - b);
  return Int32Array.from(bins.slice(0, Math.ceil(bins.length * STEEPEST_SHARE)));
}

import type { ClusterRecording, ServiceSeries } from '../../contracts/cluster-metrics.ts';
import type { ServiceParameters } from '../environments/online-boutique/application.ts';
import type { Prediction } from './replay.ts';
import { entryFirst } from './recorded.ts';

/** How far a service's prediction is from what was recorded; null = nothing to compare with. */
export interface ServiceErrors {
  readonly cpuError: number | null;
  readonly callsError: number | null;
  readonly latencyError: number | null;
}

/**
 * Calls and latencies are compared as means over windows with at least this many calls: fewer have an error of their own
 * of 5 %.
 */
const CALLS_PER_WINDOW = 400;
const WINDOW_SECONDS = [60, 900] as const;
/** With fewer calls than this in a window, chance alone is as large as what is to be judged. */
const LEAST_CALLS = 50;
/** A window with a smaller share of known bins is not compared. */
const LEAST_KNOWN = 0.5;
/** What is below this is nothing: a share of the CPU that a service's pods request, and a time. */
const CPU_FLOOR = 0.05;
const LATENCY_FLOOR_SECONDS = 0.001;
const CALLS_FLOOR = 1e-6;

/** How to compare two series. */
export interface Comparison {
  readonly windowBins: number;
  /** The unit's smallest value that matters: differences are not taken relative to less. */
  readonly floor: number;
  /** Weights of the bins within a window. Default: alike. */
  readonly weights?: ArrayLike<number>;
}

/**
 * Mean over windows of |predicted − recorded| / max(predicted, recorded, floor): 0 = equal, 0.5 = twice or half, at most
 * 1. It treats too much and too little alike, and a single spike can neither spoil nor hide everything else. Null without
 * a window.
 */
export function relativeError(
  predicted: ArrayLike<number>,
  recorded: ArrayLike<number>,
  { windowBins, floor, weights }: Comparison,
): number | null {
  let sum = 0;
  let windows = 0;
  for (let from = 0; from + windowBins <= predicted.length; from += windowBins) {
    let known = 0;
    let weight = 0;
    let p = 0;
    let r = 0;
    for (let i = from; i < from + windowBins; i++) {
      const w = weights === undefined ? 1 : weights[i];
      if (!Number.isFinite(predicted[i] + recorded[i] + w)) continue;
      known++;
      weight += w;
      p += w * predicted[i];
      r += w * recorded[i];
    }
    if (known < LEAST_KNOWN * windowBins || !(weight > 0)) continue;
    sum += Math.abs(p - r) / Math.max(p, r, floor * weight);
    windows++;
  }
  return windows === 0 ? null : sum / windows;
}

/** Errors of each service, in the prediction's order. */
export function judgeServices(
  prediction: Prediction,
  recording: ClusterRecording,
  parameters: readonly ServiceParameters[],
): ServiceErrors[] {
  const { from, to } = prediction.range;
  return entryFirst(recording).map(({ series }, s) => {
    const predicted = prediction.services[s];
    const at = (name: ServiceSeries): Float32Array => series[name].subarray(from, to);
    const calls = at('callsPerSecond');
    const windowBins = windowBinsFor(calls, recording.binSeconds, CALLS_PER_WINDOW);
    const cpuWindowBins = windowBinsFor(calls, recording.binSeconds, LEAST_CALLS);
    const often = meanOf(calls) * windowBins * recording.binSeconds >= LEAST_CALLS;
    const cpuFloor = CPU_FLOOR * parameters[s].cpuRequestMillicores * Math.max(1, meanOf(at('readyReplicas')));
    const latency = { windowBins, floor: LATENCY_FLOOR_SECONDS, weights: calls };
    return {
      cpuError: relativeError(predicted.cpuMillicores, at('cpuMillicores'), {
        windowBins: cpuWindowBins,
        floor: cpuFloor,
      }),
      callsError: often ? relativeError(predicted.callsPerSecond, calls, { windowBins, floor: CALLS_FLOOR }) : null,
      latencyError: often ? relativeError(predicted.ownSeconds, at('ownSeconds'), latency) : null,
    };
  });
}

/** Error of the users' 95th percentile, over minutes. */
export function judgeP95(prediction: Prediction, recording: ClusterRecording): number | null {
  const { from, to } = prediction.range;
  const windowBins = Math.max(1, Math.round(WINDOW_SECONDS[0] / recording.binSeconds));
  return relativeError(prediction.p95Seconds, recording.p95Seconds.subarray(from, to), {
    windowBins,
    floor: LATENCY_FLOOR_SECONDS,
    weights: recording.requestsPerSecond.subarray(from, to),
  });
}

/** Bins of a window with at least so many calls, as far as the longest window has them. */
function windowBinsFor(callsPerSecond: Float32Array, binSeconds: number, atLeast: number): number {
  const calls = binSeconds * meanOf(callsPerSecond);
  const [shortest, longest] = WINDOW_SECONDS.map((seconds) => Math.max(1, Math.round(seconds / binSeconds)));
  return calls > 0 ? Math.min(longest, Math.max(shortest, Math.ceil(atLeast / calls))) : shortest;
}

/** Mean of what is known; 0 when nothing is. */
function meanOf(series: Float32Array): number {
  const known = series.filter(Number.isFinite);
  return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
}

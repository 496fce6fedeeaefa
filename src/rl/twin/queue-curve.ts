import { queueExponent } from '../environments/online-boutique/service-queue.ts';
import { quantile, smallestWithin } from './robust.ts';

/** What is known of a service in the bins that it is fitted on; one entry a bin, all of them finite and positive. */
export interface LatencyBins {
  readonly callsPerSecond: Float64Array;
  readonly readyPods: Float64Array;
  readonly ownSeconds: Float64Array;
  readonly binSeconds: number;
}

/** A service time with the number of servers that it was found for. */
export interface ServiceTime {
  readonly servers: number;
  readonly serviceSeconds: number;
  /** Robust deviation of ln(own latency) from the curve. */
  readonly deviation: number;
}

/** Servers a pod that are tried. */
const candidates = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1000];
/** Bins that a curve is fitted to; more are thinned out. */
const MOST_BINS = 1000;
/** Calls in a bin from which more do not make its mean any more certain. */
const CERTAIN_CALLS = 400;
/** Residuals of ln(latency) beyond this count linearly, so that a spike does not decide. */
const LINEAR_FROM = 0.2;
const MOST_UTILISATION = 0.995;
const GRID = 16;

/**
 * Mean time at a service of m servers a pod, without the calls that it makes: S + W with W of M/G/c after Sakasegawa
 * (1977), W = S/c · K·ρ^(√(2(c + 1)) − 1)/(1 − ρ), c = pods · m, ρ = X·S/c (utilisation law), K = (1 + scv)/2. This is
 * what the simulator's queue settles at.
 */
export function ownSecondsOf(
  callsPerSecond: number,
  readyPods: number,
  servers: number,
  serviceSeconds: number,
  serviceScv: number,
): number {
  const c = Math.max(1, readyPods * servers);
  const rho = Math.min(MOST_UTILISATION, (callsPerSecond * serviceSeconds) / c);
  const waiting = (0.5 * (1 + serviceScv) * Math.pow(rho, queueExponent(c) - 1)) / (1 - rho);
  return serviceSeconds * (1 + waiting / c);
}

/**
 * For each number of servers a pod the service time that explains the recorded latencies best, in the order of the
 * servers. Numbers that could not have done the recorded calls explain them badly.
 * @param also numbers that are tried beside the usual ones.
 */
export function fitServiceTimes(bins: LatencyBins, serviceScv: number, also: readonly number[]): ServiceTime[] {
  const thinned = thin(bins);
  const servers = [...new Set([...candidates, ...also])].sort((a, b) => a - b);
  const times: ServiceTime[] = [];
  for (const count of servers) {
    const [last, before] = [times.at(-1), times.at(-2)];
    // Once nobody waits, more servers change nothing.
    const settled = last !== undefined && before !== undefined && isSame(last, before);
    times.push(settled ? { ...last, servers: count } : fitServiceTime(thinned, serviceScv, count));
  }
  return times;
}

/** The best service time with from half to twice as many servers a pod, or with `servers` alone. */
export function refitServiceTime(
  bins: LatencyBins,
  serviceScv: number,
  servers: number,
  { onlyThese }: { readonly onlyThese: boolean },
): ServiceTime {
  const thinned = thin(bins);
  const near = candidates.filter((count) => 2 * count >= servers && count <= 2 * servers);
  const tried = onlyThese ? [servers] : [...new Set([...near, servers])];
  return tried
    .map((count) => fitServiceTime(thinned, serviceScv, count))
    .reduce((a, b) => (b.deviation < a.deviation ? b : a));
}

/** The times that explain the latencies about as well as the best one does: 5 % or half a percent more deviation. */
export function plausible(times: readonly ServiceTime[]): ServiceTime[] {
  const least = Math.min(...times.map(({ deviation }) => deviation));
  return times.filter(({ deviation }) => deviation <= 1.05 * least + 0.005);
}

function fitServiceTime(bins: LatencyBins, serviceScv: number, servers: number): ServiceTime {
  const { callsPerSecond, readyPods, ownSeconds, binSeconds } = bins;
  const observed = ownSeconds.map(Math.log);
  const weights = callsPerSecond.map((rate) => 1 / (1 + CERTAIN_CALLS / (rate * binSeconds)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const loss = (logSeconds: number): number => {
    const seconds = Math.exp(logSeconds);
    let sum = 0;
    for (let i = 0; i < observed.length; i++) {
      const predicted = ownSecondsOf(callsPerSecond[i], readyPods[i], servers, seconds, serviceScv);
      const size = Math.abs(Math.log(predicted) - observed[i]);
      sum += weights[i] * (size < LINEAR_FROM ? size * size : LINEAR_FROM * (2 * size - LINEAR_FROM));
    }
    return sum / total;
  };
  const low = Math.log(0.2 * quantile(ownSeconds, 0.02));
  const high = Math.log(1.2 * quantile(ownSeconds, 0.6));
  const best = smallestWithin(loss, low, high, GRID);
  return { servers, serviceSeconds: Math.exp(best), deviation: Math.sqrt(loss(best)) };
}

function isSame(a: ServiceTime, b: ServiceTime): boolean {
  return Math.abs(a.deviation - b.deviation) < 1e-5 && Math.abs(a.serviceSeconds / b.serviceSeconds - 1) < 1e-4;
}

function thin(bins: LatencyBins): LatencyBins {
  const stride = Math.ceil(bins.ownSeconds.length / MOST_BINS);
  const every = (values: Float64Array): Float64Array => values.filter((_, index) => index % stride === 0);
  return {
    callsPerSecond: every(bins.callsPerSecond),
    readyPods: every(bins.readyPods),
    ownSeconds: every(bins.ownSeconds),
    binSeconds: bins.binSeconds,
  };
}

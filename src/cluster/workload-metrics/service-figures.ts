import type { WorkloadName } from '../../contracts/cluster.ts';
import type { ServiceMetrics } from '../../contracts/cluster-metrics.ts';
import { quantiles, total } from './call-series.ts';
import type { CallSeries, EdgeRates } from './call-series.ts';
import type { PodSeries } from './pod-series.ts';

/** The figures of one service on a grid; NaN where a figure is not known. */
export type ServiceFigures = Readonly<Record<keyof ServiceMetrics, Float64Array>>;

/**
 * The figures of a service.
 *
 * 1. Calls are what the service itself counts; where it counts nothing, what its callers count.
 * 2. No call is counted, but the service has pods and others have calls counted: then there were none, 0.
 * 3. Without a call there is no error either (0), and no duration (NaN).
 * 4. Own time = mean duration − Σ over the calls that it makes, per call of its own, of the mean time that it waits for
 *    one; as the caller saw it, or, where callers tell nothing of an edge, as the server did. Calls that it makes at the
 *    same time count one after the other, so it is never less than 0 but may be too small.
 */
export function serviceFigures(
  workload: WorkloadName,
  { calls, pods, points }: { calls: CallSeries; pods: PodSeries; points: number },
): ServiceFigures {
  const unknown = new Float64Array(points).fill(NaN);
  const isTarget = ({ target }: EdgeRates): boolean => target === workload;
  const sum = (edges: readonly EdgeRates[]): Float64Array => total(edges, points, isTarget);
  const callsPerSecond = countedCalls(workload, { calls, pods, points });
  const errors = sum(calls.errors);
  const [durations, durationCount] = [sum(calls.server.durationSums), sum(calls.server.durationCounts)];
  const waited = waitedAt(workload, calls, points);
  const perCall = (value: number, point: number): number =>
    durationCount[point] > 0 ? value / durationCount[point] : NaN;
  const histogram = calls.histograms.get(workload);
  const meanSeconds = durations.map(perCall);
  return {
    cpuMillicores: pods.cpuMillicores.get(workload) ?? unknown,
    memoryBytes: pods.memoryBytes.get(workload) ?? unknown,
    callsPerSecond,
    errorRate: callsPerSecond.map((rate, i) => errorShare(rate, errors[i])),
    meanSeconds,
    ownSeconds: meanSeconds.map((mean, i) => Math.max(0, mean - perCall(waited[i], i))),
    p50Seconds: quantiles(0.5, histogram, points),
    p95Seconds: quantiles(0.95, histogram, points),
    p99Seconds: quantiles(0.99, histogram, points),
    receivedBytesPerSecond: pods.receivedBytesPerSecond.get(workload) ?? unknown,
    sentBytesPerSecond: pods.sentBytesPerSecond.get(workload) ?? unknown,
  };
}

function countedCalls(
  workload: WorkloadName,
  { calls, pods, points }: { calls: CallSeries; pods: PodSeries; points: number },
): Float64Array {
  const isTarget = ({ target }: EdgeRates): boolean => target === workload;
  const atServer = total(calls.server.requests, points, isTarget);
  const atCallers = total(calls.client.requests, points, isTarget);
  const anywhere = total(calls.server.requests, points, () => true);
  const running = pods.runningPods.get(workload);
  return atServer.map((counted, i) => {
    if (!Number.isNaN(counted)) return counted;
    if (!Number.isNaN(atCallers[i])) return atCallers[i];
    return Number.isNaN(anywhere[i]) || !(running && running[i] > 0) ? NaN : 0;
  });
}

function errorShare(calls: number, errors: number): number {
  if (Number.isNaN(calls)) return NaN;
  if (calls === 0 || Number.isNaN(errors)) return 0;
  return Math.min(1, errors / calls);
}

/** Seconds a second that a workload waits for the calls that it makes. */
function waitedAt(workload: WorkloadName, { client, server }: CallSeries, points: number): Float64Array {
  const isCaller = ({ source }: EdgeRates): boolean => source === workload;
  const told = new Map(client.durationSums.filter(isCaller).map(({ target, rates }) => [target, rates]));
  const atCaller = total(client.durationSums, points, isCaller);
  // An edge of which the caller tells nothing at all; a caller that is silent for a moment has no gap filled in.
  const atServer = total(server.durationSums, points, (edge) => isCaller(edge) && !told.has(edge.target));
  return atCaller.map((value, i) => (Number.isNaN(value) ? 0 : value) + (Number.isNaN(atServer[i]) ? 0 : atServer[i]));
}

import { unknownWorkload } from '../../contracts/cluster.ts';
import type { WorkloadName } from '../../contracts/cluster.ts';
import { serviceSeries } from '../../contracts/cluster-metrics.ts';
import type {
  NamespaceSeries,
  RecordedEdge,
  SeriesReader,
  SeriesRequest,
  ServiceHistory,
} from '../../contracts/cluster-metrics.ts';
import type { PrometheusClient } from '../prometheus/prometheus-client.ts';
import { readCallSeries } from './call-series.ts';
import type { CallSeries, EdgeRates, SeriesRequest as Queries } from './call-series.ts';
import type { MetricNames } from './metric-names.ts';
import { readPodSeries } from './pod-series.ts';
import type { PodSeries } from './pod-series.ts';
import { readReplicaSeries } from './replica-series.ts';
import type { ReplicaSeries } from './replica-series.ts';
import { serviceFigures } from './service-figures.ts';
import { sharpestWindows } from './snapshot-reader.ts';
import { withinTime } from './within-time.ts';

export interface SeriesReaderOptions {
  /** All queries of a stretch together. Default 60 000. */
  readonly timeoutMs?: number;
}

/**
 * Reads series of a stretch of time from Prometheus. A number belongs to the bin at whose end it was asked for. The names
 * of workloads come first (calls, replicas), then what their pods used.
 */
export function createSeriesReader(
  client: PrometheusClient,
  names: MetricNames,
  { timeoutMs = 60_000 }: SeriesReaderOptions = {},
): SeriesReader {
  return {
    read: (request, signal) =>
      withinTime(
        `Prometheus did not answer all queries of a recording within ${timeoutMs} ms.`,
        timeoutMs,
        signal,
        (s) => readSeries(client, names, request, s),
      ),
  };
}

async function readSeries(
  client: PrometheusClient,
  names: MetricNames,
  request: SeriesRequest,
  signal: AbortSignal,
): Promise<NamespaceSeries> {
  const { namespace, dialect, startSeconds, binSeconds, bins, windowSeconds } = request;
  const queries: Queries = {
    namespaces: [namespace],
    grid: { startSeconds: startSeconds + binSeconds, stepSeconds: binSeconds, points: bins },
    rateWindows: sharpestWindows(binSeconds, windowSeconds),
    signal,
  };
  const [calls, replicas] = await Promise.all([
    readCallSeries(client, names.calls[dialect], queries),
    readReplicaSeries(client, names.replicas, queries),
  ]);
  const workloads = workloadsOf(request, calls, replicas);
  const pods = await readPodSeries(client, names.pods, workloads, queries);
  return {
    services: workloads.map((workload) => historyOf(workload, { calls, replicas, pods, bins })).filter(isKnown),
    edges: edgesOf(calls, bins),
  };
}

/** Everybody in the namespace of whom anything is known. */
function workloadsOf(
  { namespace, workloads }: SeriesRequest,
  { server, client, connections }: CallSeries,
  replicas: ReplicaSeries,
): WorkloadName[] {
  const edges = [...server.requests, ...client.requests, ...connections];
  const found = [
    ...workloads,
    ...replicas.replicas.keys(),
    ...replicas.readyReplicas.keys(),
    ...edges.flatMap(({ source, target }) => [source, target]),
  ];
  return [...new Set(found)].filter((name) => name.startsWith(`${namespace}/`)).sort();
}

function historyOf(
  workload: WorkloadName,
  { calls, replicas, pods, bins }: { calls: CallSeries; replicas: ReplicaSeries; pods: PodSeries; bins: number },
): ServiceHistory {
  const unknown = new Float64Array(bins).fill(NaN);
  const figures = {
    ...serviceFigures(workload, { calls, pods, points: bins }),
    replicas: replicas.replicas.get(workload) ?? unknown,
    readyReplicas: replicas.readyReplicas.get(workload) ?? unknown,
  };
  const series = serviceSeries.map((name) => [name, Float32Array.from(figures[name])] as const);
  return {
    workload,
    series: Object.fromEntries(series) as ServiceHistory['series'],
    runningPods: Float32Array.from(pods.runningPods.get(workload) ?? unknown),
  };
}

function isKnown({ series }: ServiceHistory): boolean {
  return Object.values(series).some((values) => values.some((value) => !Number.isNaN(value)));
}

/**
 * Edges as the servers count them; where they are silent, as callers do (who also tell of servers outside of the mesh). An
 * edge without a number in a bin in which others have one carried nothing then.
 */
function edgesOf({ server, client, errors, connections }: CallSeries, bins: number): RecordedEdge[] {
  const counted = byEdge(server.requests);
  const onlyTold = client.requests.filter((edge) => !counted.has(keyOf(edge)));
  const [failed, sums, counts] = [errors, client.durationSums, client.durationCounts].map(byEdge);
  const [serverSums, serverCounts] = [server.durationSums, server.durationCounts].map(byEdge);
  const told = byEdge(client.requests);
  const all = [...server.requests, ...onlyTold];
  const answered = Array.from({ length: bins }, (_, bin) => all.some(({ rates }) => !Number.isNaN(rates[bin])));
  const unknown = new Float64Array(bins).fill(NaN);
  const calls = all.map((edge): RecordedEdge => {
    const key = keyOf(edge);
    const rates = edge.rates.map((rate, bin) => firstKnown(rate, told.get(key)?.[bin], answered[bin] ? 0 : NaN));
    const atCaller = sums.has(key);
    const sum = (atCaller ? sums : serverSums).get(key) ?? unknown;
    const count = (atCaller ? counts : serverCounts).get(key) ?? unknown;
    const errorRates = failed.get(key) ?? unknown;
    return {
      ...endsOf(edge),
      callsPerSecond: Float32Array.from(rates),
      errorRate: Float32Array.from(rates, (rate, bin) => share(errorRates[bin], rate)),
      meanSeconds: Float32Array.from(sum, (seconds, bin) => (count[bin] > 0 ? seconds / count[bin] : NaN)),
    };
  });
  const opened = connections.map((edge): RecordedEdge => ({
    ...endsOf(edge),
    callsPerSecond: Float32Array.from(edge.rates),
    errorRate: Float32Array.from(unknown),
    meanSeconds: Float32Array.from(unknown),
  }));
  return [...calls, ...opened]
    .filter(({ source, target }) => source !== unknownWorkload || target !== unknownWorkload)
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function firstKnown(...values: readonly (number | undefined)[]): number {
  return values.find((value) => value !== undefined && !Number.isNaN(value)) ?? NaN;
}

function share(errors: number, rate: number): number {
  if (Number.isNaN(rate)) return NaN;
  return rate > 0 && errors > 0 ? Math.min(1, errors / rate) : 0;
}

type Ends = Pick<RecordedEdge, 'source' | 'target' | 'protocol'>;

function endsOf({ source, target, protocol }: Ends): Ends {
  return { source, target, protocol };
}

function keyOf({ source, target, protocol }: Ends): string {
  return `${source}\n${target}\n${protocol}`;
}

function byEdge(edges: readonly EdgeRates[]): Map<string, Float64Array> {
  return new Map(edges.map((edge) => [keyOf(edge), edge.rates]));
}

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
import type { CallSeries, SeriesRequest as Queries } from './call-series.ts';
import { countedEdges, edgeKey } from './counted-edges.ts';
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

/** Edges with a number at one end at least, in the order of source, target and protocol. */
function edgesOf(calls: CallSeries, bins: number): RecordedEdge[] {
  const unknown = new Float32Array(bins).fill(NaN);
  const counted = countedEdges(calls, bins).map(
    ({ callsPerSecond, errorRate, meanSeconds, ...ends }): RecordedEdge => ({
      ...ends,
      callsPerSecond: Float32Array.from(callsPerSecond),
      errorRate: Float32Array.from(errorRate),
      meanSeconds: Float32Array.from(meanSeconds),
    }),
  );
  const opened = calls.connections.map(({ rates, source, target, protocol }): RecordedEdge => ({
    ...{ source, target, protocol },
    callsPerSecond: Float32Array.from(rates),
    errorRate: unknown.slice(),
    meanSeconds: unknown.slice(),
  }));
  return [...counted, ...opened]
    .filter(({ source, target }) => source !== unknownWorkload || target !== unknownWorkload)
    .toSorted((a, b) => (edgeKey(a) < edgeKey(b) ? -1 : 1));
}

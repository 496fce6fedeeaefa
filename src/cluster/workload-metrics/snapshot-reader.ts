import type { PrometheusClient, TimeGrid } from '../prometheus/prometheus-client.ts';
import { withinTime } from './within-time.ts';
import type {
  GraphMetrics,
  MetricsSnapshot,
  ServiceMetrics,
  SnapshotReader,
  SnapshotRequest,
} from '../../contracts/cluster-metrics.ts';
import { selector, sharpestRate } from '../prometheus/expressions.ts';
import { added, bucketsAt, readCallSeries } from './call-series.ts';
import type { CallSeries, SeriesRequest } from './call-series.ts';
import { graphFigures, readEdgeSeries } from './graph-figures.ts';
import { shareAbove } from './histogram.ts';
import type { CallMetricNames, MetricNames } from './metric-names.ts';
import { readPodSeries } from './pod-series.ts';
import { serviceFigures } from './service-figures.ts';
import type { ServiceFigures } from './service-figures.ts';

export interface SnapshotReaderOptions {
  /** All queries of a snapshot together. Default 5 000. */
  readonly timeoutMs?: number;
}

/**
 * Reads snapshots from Prometheus: fifteen queries (fourteen without TCP) at once, each for all workloads; up to three more
 * for a graph.
 * A step's request rate is over the step itself where the entry's series have two samples in it, else over half of the
 * window, which has two.
 */
export function createSnapshotReader(
  client: PrometheusClient,
  names: MetricNames,
  { timeoutMs = 5_000 }: SnapshotReaderOptions = {},
): SnapshotReader {
  return {
    read: (request, signal) =>
      withinTime(
        `Prometheus did not answer all queries of a snapshot within ${timeoutMs} ms.`,
        timeoutMs,
        signal,
        (s) => readSnapshot(client, names, request, s),
      ),
  };
}

async function readSnapshot(
  client: PrometheusClient,
  names: MetricNames,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<MetricsSnapshot> {
  const { workloads, entry, dialect, stepSeconds, windowSeconds, sloSeconds } = request;
  const endSeconds = Math.floor(request.at.getTime() / 1000 / stepSeconds) * stepSeconds;
  const namespaces = [...new Set([entry, ...workloads].map((name) => name.slice(0, name.indexOf('/'))))];
  const series: SeriesRequest = {
    namespaces,
    grid: { startSeconds: endSeconds, stepSeconds, points: 1 },
    rateWindows: [windowSeconds],
    signal,
  };
  const [calls, pods, requestsPerSecond, edges] = await Promise.all([
    readCallSeries(client, names.calls[dialect], series),
    readPodSeries(client, names.pods, workloads, series),
    readEntryRates(client, names.calls[dialect], { ...request, endSeconds, signal }),
    request.graph ? readEdgeSeries(client, names.calls[dialect], series) : null,
  ]);
  const graph = edges && graphFigures(workloads, { calls, edges, pods });
  const figures = workloads.map((workload) => serviceFigures(workload, { calls, pods, points: 1 }));
  const users = serviceFigures(entry, { calls, pods, points: 1 });
  const violationShare = shareAbove(sloSeconds, bucketsAt(calls.histograms.get(entry), 0));
  return {
    endSeconds,
    stepSeconds,
    requestsPerSecond: Array.from(requestsPerSecond, (rate) => known(rate)),
    p95Seconds: known(users.p95Seconds[0]),
    violationShare: known(users.callsPerSecond[0] === 0 ? 0 : violationShare),
    services: figures.map(metricsOf),
    ...(graph ? { graph } : {}),
    missing: missingOf({ request, calls, requestsPerSecond, figures, users, graph, names: names.calls[dialect] }),
  };
}

/** Requests that came in, step by step, whoever sent them. */
async function readEntryRates(
  client: PrometheusClient,
  names: CallMetricNames,
  request: SnapshotRequest & { readonly endSeconds: number; readonly signal: AbortSignal },
): Promise<Float64Array> {
  const { entry, stepSeconds, rateSteps, windowSeconds, endSeconds, signal } = request;
  const [namespace, name] = entry.split('/');
  const { target, server, requests } = names;
  const of = { ...server.filter, [target.name]: name, ...(target.namespace ? { [target.namespace]: namespace } : {}) };
  const grid: TimeGrid = {
    startSeconds: endSeconds - (rateSteps - 1) * stepSeconds,
    stepSeconds,
    points: rateSteps,
  };
  const windows = sharpestWindows(stepSeconds, windowSeconds);
  const { series } = await client.queryGrid(sharpestRate(selector(requests, of), windows, [target.name]), grid, signal);
  return series.map(({ values }) => values).reduce(added, new Float64Array(rateSteps).fill(NaN));
}

/** Windows for rates of single steps: the step; half of a window of four scrape intervals, where it is longer. */
export function sharpestWindows(stepSeconds: number, windowSeconds: number): number[] {
  const half = Math.ceil(windowSeconds / 2);
  return half > stepSeconds ? [stepSeconds, half] : [stepSeconds];
}

function metricsOf(figures: ServiceFigures): ServiceMetrics {
  const entries = Object.entries(figures).map(([name, values]) => [name, known(values[0])]);
  return Object.fromEntries(entries) as unknown as ServiceMetrics;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

interface Found {
  readonly request: SnapshotRequest;
  readonly names: CallMetricNames;
  readonly calls: CallSeries;
  readonly requestsPerSecond: Float64Array;
  readonly figures: readonly ServiceFigures[];
  readonly users: ServiceFigures;
  readonly graph: GraphMetrics | null;
}

/** A sentence for each thing that is missing; durations of a service without calls are not. */
function missingOf({ request, names, calls, requestsPerSecond, figures, users, graph }: Found): string[] {
  const { workloads, entry, rateSteps, comingAndGoing = [] } = request;
  const sentences: string[] = [];
  if (calls.server.requests.length === 0)
    sentences.push(`${names.requests} has no series with a rate for calls into the namespaces asked for.`);
  const without = requestsPerSecond.filter(Number.isNaN).length;
  if (without > 0) {
    // All that is there is older than what is missing.
    const late = requestsPerSecond.subarray(0, rateSteps - without).every((rate) => !Number.isNaN(rate));
    const hint =
      late && without < rateSteps ? ', the newest: scrapes are late, or this clock is ahead of Prometheus' : '';
    sentences.push(`The request rate of ${entry} is missing in ${without} of ${rateSteps} steps${hint}.`);
  }
  if (users.callsPerSecond[0] !== 0 && Number.isNaN(users.p95Seconds[0]))
    sentences.push(`The histogram ${names.server.durationBuckets} of ${entry} is missing.`);
  workloads.forEach((workload, i) => {
    if (comingAndGoing.includes(workload) && Number.isNaN(figures[i].memoryBytes[0])) return;
    const lacking = missingFigures(figures[i]);
    if (lacking.length > 0)
      sentences.push(`${lacking.join(', ')} of ${workload} ${lacking.length > 1 ? 'are' : 'is'} missing.`);
  });
  for (const { source, target, p95Seconds } of graph?.edges ?? []) {
    if (p95Seconds === null)
      sentences.push(`The 95th percentile of calls from ${workloads[source]} to ${workloads[target]} is missing.`);
  }
  return sentences;
}

const withCallsOnly: readonly (keyof ServiceMetrics)[] = [
  'meanSeconds',
  'ownSeconds',
  'p50Seconds',
  'p95Seconds',
  'p99Seconds',
];

function missingFigures(figures: ServiceFigures): (keyof ServiceMetrics)[] {
  const idle = figures.callsPerSecond[0] === 0;
  return (Object.keys(figures) as (keyof ServiceMetrics)[]).filter(
    (name) => Number.isNaN(figures[name][0]) && !(idle && withCallsOnly.includes(name)),
  );
}

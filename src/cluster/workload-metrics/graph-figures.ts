import type { WorkloadName } from '../../contracts/cluster.ts';
import type { CallEdge, GraphMetrics } from '../../contracts/cluster-metrics.ts';
import { quantileOf, selector, summedRate } from '../prometheus/expressions.ts';
import type { PrometheusClient } from '../prometheus/prometheus-client.ts';
import { edgeOf, endLabels, sideFilter } from './call-series.ts';
import type { CallSeries, SeriesRequest } from './call-series.ts';
import { countedEdges } from './counted-edges.ts';
import type { CallMetricNames, SideMetricNames } from './metric-names.ts';
import type { PodSeries } from './pod-series.ts';

/** What of edges only graphs need, by source and target. */
export interface EdgeSeries {
  /** 95th percentiles as callers saw them, and as the called sides did, seconds. */
  readonly atCallers: EdgeNumbers;
  readonly atServers: EdgeNumbers;
  /** Calls under mutual TLS per second; null = nobody tells. */
  readonly mutualTls: EdgeNumbers | null;
}

type EdgeNumbers = ReadonlyMap<string, number>;

/**
 * Reads what of edges only graphs need: up to three queries, at once, at one time.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED
 */
export async function readEdgeSeries(
  client: PrometheusClient,
  names: CallMetricNames,
  request: SeriesRequest,
): Promise<EdgeSeries> {
  const windowSeconds = request.rateWindows.at(-1)!;
  const by = endLabels(names);
  const ask = async (expression: string, scale: number): Promise<EdgeNumbers> => {
    const { series } = await client.queryGrid(expression, request.grid, request.signal);
    const edges = series.map(({ labels, values }) => edgeOf(names, request, labels, values));
    return new Map(edges.map((edge) => [keyOf(edge), edge.rates[0] * scale]));
  };
  const p95 = (side: SideMetricNames, end: 'source' | 'target'): Promise<EdgeNumbers> => {
    const buckets = selector(side.durationBuckets, sideFilter(names, side, end, request));
    return ask(quantileOf(0.95, buckets, windowSeconds, by), names.durationSecondsPerUnit);
  };
  const underMutualTls = (filter: CallMetricNames['mutualTls']): Promise<EdgeNumbers> => {
    const requests = selector(names.requests, sideFilter(names, names.server, 'target', request, filter!));
    return ask(summedRate(requests, windowSeconds, by), 1);
  };
  const [atServers, atCallers, mutualTls] = await Promise.all([
    p95(names.server, 'target'),
    names.client === null ? new Map() : p95(names.client, 'source'),
    names.mutualTls === null ? null : underMutualTls(names.mutualTls),
  ]);
  return { atServers, atCallers, mutualTls };
}

/** The calls between workloads, and the memory of their pods, at the first time of the series. */
export function graphFigures(
  workloads: readonly WorkloadName[],
  series: { readonly calls: CallSeries; readonly edges: EdgeSeries; readonly pods: PodSeries },
): GraphMetrics {
  const { calls, edges, pods } = series;
  const placeOf = (workload: WorkloadName): number => workloads.indexOf(workload);
  return {
    edges: callsBetween(new Set(workloads), calls)
      .map(({ source, target, callsPerSecond, errorRate }) => ({
        ...{ source: placeOf(source), target: placeOf(target), callsPerSecond, errorRate },
        ...figuresOf(keyOf({ source, target }), callsPerSecond, edges),
      }))
      .toSorted((a, b) => a.source - b.source || a.target - b.target),
    podMemoryBytes: workloads.map((workload) => {
      const [bytes, running] = [pods.memoryBytes, pods.runningPods].map((of) => of.get(workload)?.[0] ?? NaN);
      return running > 0 && Number.isFinite(bytes) ? bytes / running : null;
    }),
  };
}

interface CallCounts {
  readonly source: WorkloadName;
  readonly target: WorkloadName;
  readonly callsPerSecond: number;
  readonly errorRate: number;
}

/** HTTP and gRPC along an edge are one. */
function callsBetween(workloads: ReadonlySet<WorkloadName>, calls: CallSeries): CallCounts[] {
  const found = new Map<string, CallCounts>();
  for (const { source, target, callsPerSecond: rates, errorRate: errors } of countedEdges(calls, 1)) {
    const [rate, errorRate] = [rates[0], errors[0]];
    if (!workloads.has(source) || !workloads.has(target) || !(rate > 0)) continue;
    const key = keyOf({ source, target });
    const before = found.get(key) ?? { callsPerSecond: 0, errorRate: 0 };
    const callsPerSecond = before.callsPerSecond + rate;
    const failed = before.callsPerSecond * before.errorRate + rate * errorRate;
    found.set(key, { source, target, callsPerSecond, errorRate: failed / callsPerSecond });
  }
  return [...found.values()];
}

function figuresOf(
  key: string,
  callsPerSecond: number,
  { atCallers, atServers, mutualTls }: EdgeSeries,
): Pick<CallEdge, 'p95Seconds' | 'mutualTlsShare'> {
  const p95 = [atCallers.get(key), atServers.get(key)].find((seconds) => Number.isFinite(seconds));
  return {
    p95Seconds: p95 ?? null,
    mutualTlsShare: mutualTls && Math.min(1, (mutualTls.get(key) ?? 0) / callsPerSecond),
  };
}

function keyOf({ source, target }: { readonly source: WorkloadName; readonly target: WorkloadName }): string {
  return `${source}\n${target}`;
}

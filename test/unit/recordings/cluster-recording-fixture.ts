import { serviceSeries } from '../../../src/contracts/cluster-metrics.ts';
import type {
  ClusterRecording,
  NamespaceSeries,
  RecordedEdge,
  RecordedService,
  ServiceHistory,
  ServiceSeries,
} from '../../../src/contracts/cluster-metrics.ts';

/** A number for every bin, or one of each. */
export type Column = number | readonly number[];

export function column(values: Column, bins: number): Float32Array {
  return typeof values === 'number' ? new Float32Array(bins).fill(values) : Float32Array.from(values);
}

/** Series of a service: 1 where nothing else is given. */
export function seriesOf(
  bins: number,
  given: Partial<Record<ServiceSeries, Column>> = {},
): Record<ServiceSeries, Float32Array> {
  const entries = serviceSeries.map((name) => [name, column(given[name] ?? 1, bins)]);
  return Object.fromEntries(entries) as Record<ServiceSeries, Float32Array>;
}

export function history(
  workload: string,
  bins: number,
  given: Partial<Record<ServiceSeries | 'runningPods', Column>> = {},
): ServiceHistory {
  return { workload, series: seriesOf(bins, given), runningPods: column(given.runningPods ?? 1, bins) };
}

export function service(
  workload: string,
  bins: number,
  given: Partial<Record<ServiceSeries, Column>> = {},
  facts: Partial<RecordedService> = {},
): RecordedService {
  return {
    ...{ workload, cpuRequestMillicores: null, cpuLimitMillicores: null, memoryRequestBytes: null },
    ...{ memoryLimitBytes: null, minReplicas: null, maxReplicas: null, startupSeconds: [] },
    ...facts,
    series: seriesOf(bins, given),
  };
}

export function edge(
  source: string,
  target: string,
  calls: Column,
  bins: number,
  protocol: RecordedEdge['protocol'] = 'http',
): RecordedEdge {
  return {
    ...{ source, target, protocol },
    callsPerSecond: column(calls, bins),
    errorRate: column(0, bins),
    meanSeconds: column(0.1, bins),
  };
}

/** A chunk that begins at `startSeconds`, with bins of 15 s. */
export function chunk(startSeconds: number, bins: number, { services, edges }: Partial<ClusterRecording>) {
  return {
    ...{ namespace: 'shop', dialect: 'istio', startSeconds, binSeconds: 15, bins, entry: '', gaps: [] },
    requestsPerSecond: column(NaN, bins),
    p95Seconds: column(NaN, bins),
    services: services ?? [],
    edges: edges ?? [],
  } satisfies ClusterRecording;
}

export function namespaceSeries(services: readonly ServiceHistory[], edges: readonly RecordedEdge[]): NamespaceSeries {
  return { services, edges };
}

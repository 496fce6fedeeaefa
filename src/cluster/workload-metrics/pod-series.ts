import { selector, sharpestRate, recentGauge } from '../prometheus/expressions.ts';
import type { GridSeries, PrometheusClient } from '../prometheus/prometheus-client.ts';
import type { WorkloadName } from '../../contracts/cluster.ts';
import { added } from './call-series.ts';
import type { SeriesRequest } from './call-series.ts';
import type { MetricNames } from './metric-names.ts';
import { podJoin } from './workload-pods.ts';

/** What pods of workloads use, on the grid; NaN where nothing is known. */
export interface PodSeries {
  readonly cpuMillicores: WorkloadSeries;
  readonly memoryBytes: WorkloadSeries;
  readonly receivedBytesPerSecond: WorkloadSeries;
  readonly sentBytesPerSecond: WorkloadSeries;
  /** Pods that run: those that use memory. */
  readonly runningPods: WorkloadSeries;
}

/** One number a time of the grid, for each workload that has any. */
export type WorkloadSeries = ReadonlyMap<WorkloadName, Float64Array>;

/**
 * Reads what the pods of workloads use, with one query a figure.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED
 */
export async function readPodSeries(
  client: PrometheusClient,
  names: MetricNames['pods'],
  workloads: readonly WorkloadName[],
  request: SeriesRequest,
): Promise<PodSeries> {
  const { grid, rateWindows, namespaces, signal } = request;
  const by = [names.namespaceLabel, names.podLabel];
  const inNamespaces = { [names.namespaceLabel]: namespaces };
  const ask = async (expression: string): Promise<readonly GridSeries[]> =>
    (await client.queryGrid(expression, grid, signal)).series;
  const containers = { ...inNamespaces, ...names.containerFilter };
  const rate = (metric: string): Promise<readonly GridSeries[]> => ask(sharpestRate(metric, rateWindows, by));
  const [cpu, memory, received, sent] = await Promise.all([
    rate(selector(names.cpuSeconds, containers)),
    ask(recentGauge('sum', selector(names.memoryBytes, containers), rateWindows.at(-1)!, by)),
    // A pod's network belongs to its sandbox: these series have no container.
    rate(selector(names.receivedBytes, inNamespaces)),
    rate(selector(names.sentBytes, inNamespaces)),
  ]);
  const ownerOf = podJoin(workloads);
  const summed = (pods: readonly GridSeries[], figure: (value: number) => number): WorkloadSeries => {
    const sums = new Map<WorkloadName, Float64Array>();
    for (const { labels, values } of pods) {
      const owner = ownerOf(labels[names.namespaceLabel] ?? '', labels[names.podLabel] ?? '');
      if (owner === null) continue;
      const before = sums.get(owner);
      const own = values.map(figure);
      sums.set(owner, before ? added(before, own) : own);
    }
    return sums;
  };
  return {
    cpuMillicores: summed(cpu, (cores) => cores * 1000),
    memoryBytes: summed(memory, (bytes) => bytes),
    receivedBytesPerSecond: summed(received, (bytes) => bytes),
    sentBytesPerSecond: summed(sent, (bytes) => bytes),
    runningPods: summed(memory, (bytes) => (Number.isNaN(bytes) ? NaN : 1)),
  };
}

import { selector, recentGauge } from '../prometheus/expressions.ts';
import type { PrometheusClient } from '../prometheus/prometheus-client.ts';
import { added } from './call-series.ts';
import type { SeriesRequest } from './call-series.ts';
import type { ReplicaMetricNames } from './metric-names.ts';
import type { WorkloadSeries } from './pod-series.ts';

/** Replicas asked for, and ready ones, on the grid. */
export interface ReplicaSeries {
  readonly replicas: WorkloadSeries;
  readonly readyReplicas: WorkloadSeries;
}

/**
 * Reads what kube-state-metrics tells of replicas; empty where there is none.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED
 */
export async function readReplicaSeries(
  client: PrometheusClient,
  kinds: readonly ReplicaMetricNames[],
  request: SeriesRequest,
): Promise<ReplicaSeries> {
  const [replicas, readyReplicas] = await Promise.all(
    (['replicas', 'readyReplicas'] as const).map((figure) => readGauges(client, kinds, figure, request)),
  );
  return { replicas, readyReplicas };
}

async function readGauges(
  client: PrometheusClient,
  kinds: readonly ReplicaMetricNames[],
  figure: 'replicas' | 'readyReplicas',
  { namespaces, grid, rateWindows, signal }: SeriesRequest,
): Promise<WorkloadSeries> {
  const found = new Map<string, Float64Array>();
  const ask = async (kind: ReplicaMetricNames): Promise<void> => {
    const { namespaceLabel, nameLabel } = kind;
    const metric = selector(kind[figure], { [namespaceLabel]: namespaces });
    // Two instances of it tell the same.
    const expression = recentGauge('max', metric, rateWindows.at(-1)!, [namespaceLabel, nameLabel]);
    const { series } = await client.queryGrid(expression, grid, signal);
    for (const { labels, values } of series) {
      const workload = `${labels[namespaceLabel]}/${labels[nameLabel]}`;
      const before = found.get(workload);
      found.set(workload, before ? added(before, values) : values);
    }
  };
  await Promise.all(kinds.map(ask));
  return found;
}

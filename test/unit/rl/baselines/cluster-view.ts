import type { ClusterView } from '../../../../src/rl/baselines/controller.ts';

/** A cluster of one service whose pods request 100 millicores, by default 1 … 100 replicas. */
export function clusterOf(pods: {
  desired: number;
  ready?: number;
  unready?: number;
  missing?: number;
  /** Mean utilisation of the ready pods, percent. */
  percent: number;
  atSeconds?: number;
  min?: number;
  max?: number;
}): ClusterView {
  const ready = pods.ready ?? pods.desired;
  return {
    services: ['web'],
    minReplicas: Int32Array.of(pods.min ?? 1),
    maxReplicas: Int32Array.of(pods.max ?? 100),
    timeSeconds: pods.atSeconds ?? 0,
    desiredReplicas: Int32Array.of(pods.desired),
    readyPods: Int32Array.of(ready),
    unreadyPods: Int32Array.of(pods.unready ?? 0),
    missingPods: Int32Array.of(pods.missing ?? 0),
    cpuRequestMillicores: Float64Array.of(100),
    cpuUsageMillicores: Float64Array.of(ready * pods.percent),
  };
}

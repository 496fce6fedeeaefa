import type { ClusterGap } from '../contracts/cluster.ts';

/** The resource that could not be read: `nodes`, or `pods.metrics.k8s.io` of `pods.metrics.k8s.io in shop`. */
export function resourceOf({ what }: ClusterGap): string {
  return what.split(' ')[0];
}

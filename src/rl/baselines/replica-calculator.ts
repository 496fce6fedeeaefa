/** The pods of one Deployment as the HPA sorts them, and the CPU usage of the ready ones. */
export interface PodCounts {
  /** `spec.replicas`. */
  readonly currentReplicas: number;
  /** Ready pods with metrics. */
  readonly ready: number;
  /** Pods that are pending, not ready yet, or whose metrics are older than their readiness. */
  readonly unready: number;
  /** Ready pods without metrics. */
  readonly missing: number;
  /** CPU usage summed over the ready pods, millicores. */
  readonly usageMillicores: number;
  /** CPU request of one pod, millicores. */
  readonly requestMillicores: number;
}

/**
 * The replicas that the CPU usage asks for, as Kubernetes' HPA computes them for a resource metric of type Utilization
 * (autoscaling/v2, replica calculator), before stabilisation and scaling policies.
 *
 * 1. Utilisation is usage over request of the ready pods with metrics, in whole percent, rounded down.
 * 2. Within the tolerance nothing changes; otherwise the ratio to the target times the pods counted, rounded up.
 * 3. Pods without metrics count as 100 % (or the target, if above) when the ratio says down and as 0 % when it says up;
 *    unready pods count as 0 % when it says up and are left out when it says down.
 * 4. What 3. changes may stop a scaling, never turn it round.
 *
 * Without any metrics it keeps the current replicas, as the controller does.
 */
export function replicasForUtilisation(pods: PodCounts, targetPercent: number, tolerance: number): number {
  const { currentReplicas, ready, missing } = pods;
  if (ready === 0) return currentReplicas;
  const ratio = usageRatio(pods.usageMillicores, ready * pods.requestMillicores, targetPercent);
  const countUnready = pods.unready > 0 && ratio > 1;
  if (!countUnready && missing === 0) {
    return isWithin(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * ready);
  }
  const assumedPercent = ratio < 1 ? Math.max(100, targetPercent) : 0;
  const assumedUsage = missing * Math.trunc((pods.requestMillicores * assumedPercent) / 100);
  const counted = ready + missing + (countUnready ? pods.unready : 0);
  const newRatio = usageRatio(pods.usageMillicores + assumedUsage, counted * pods.requestMillicores, targetPercent);
  const turned = (ratio < 1 && newRatio > 1) || (ratio > 1 && newRatio < 1);
  if (isWithin(newRatio, tolerance) || turned) return currentReplicas;
  const replicas = Math.ceil(newRatio * counted);
  const against = (newRatio < 1 && replicas > currentReplicas) || (newRatio > 1 && replicas < currentReplicas);
  return against ? currentReplicas : replicas;
}

function usageRatio(usageMillicores: number, requestMillicores: number, targetPercent: number): number {
  return Math.trunc((Math.trunc(usageMillicores) * 100) / requestMillicores) / targetPercent;
}

/** Compared as Kubernetes ≥ 1.33 does: |1 − ratio| ≤ tolerance would miss a ratio of 1.1 by a rounding error. */
function isWithin(ratio: number, tolerance: number): boolean {
  return 1 - tolerance <= ratio && ratio <= 1 + tolerance;
}

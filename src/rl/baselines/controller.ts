/**
 * What a controller sees of a cluster, one entry a service in every array. The arrays belong to their owner and are
 * overwritten at the next step.
 */
export interface ClusterView {
  readonly services: readonly string[];
  readonly minReplicas: Int32Array;
  readonly maxReplicas: Int32Array;
  /** Seconds since the start of the episode, or of the epoch on a cluster. */
  timeSeconds: number;
  /** `spec.replicas`. */
  readonly desiredReplicas: Int32Array;
  /** Pods that are ready and have CPU metrics. */
  readonly readyPods: Int32Array;
  /** Pods that start, or became ready so recently that the metrics do not cover them. */
  readonly unreadyPods: Int32Array;
  /** Ready pods whose metrics are missing. */
  readonly missingPods: Int32Array;
  /** CPU request of a pod, millicores. */
  readonly cpuRequestMillicores: Float64Array;
  /** CPU usage summed over `readyPods`, millicores, as old as the metrics are. */
  readonly cpuUsageMillicores: Float64Array;
}

/** Decides replica counts: HPA, fixed counts, or anything else that acts on a cluster. Keeps its own state. */
export interface Controller {
  readonly name: string;
  /** Forgets what it has seen; called before the first `decide` of an episode. */
  reset(): void;
  /** Writes the wanted replicas of each service into `desiredReplicas`. */
  decide(view: ClusterView, desiredReplicas: Int32Array): void;
}

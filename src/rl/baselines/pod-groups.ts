/** A pod as the HPA looks at it, with its newest CPU sample. Times in seconds of one clock. */
export interface PodSample {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly deleted: boolean;
  /** `status.startTime`; null when the kubelet has not reported one. */
  readonly startedAtSeconds: number | null;
  /** The Ready condition; null when there is none. */
  readonly ready: { readonly status: boolean; readonly lastTransitionSeconds: number } | null;
  /** Newest CPU sample; null when the metrics API has none. */
  readonly cpu: {
    readonly usageMillicores: number;
    readonly timestampSeconds: number;
    readonly windowSeconds: number;
  } | null;
}

/** How long samples of young pods are distrusted. Defaults of kube-controller-manager. */
export interface ReadinessDelays {
  /** `--horizontal-pod-autoscaler-cpu-initialization-period`. Default 300 s. */
  readonly cpuInitializationSeconds: number;
  /** `--horizontal-pod-autoscaler-initial-readiness-delay`. Default 30 s. */
  readonly initialReadinessSeconds: number;
}

export const defaultReadinessDelays: ReadinessDelays = { cpuInitializationSeconds: 300, initialReadinessSeconds: 30 };

/** How many pods fall into each group, and the usage of the ready ones. */
export interface PodGroups {
  readonly ready: number;
  readonly unready: number;
  readonly missing: number;
  /** Deleted or failed pods: they count nowhere. */
  readonly ignored: number;
  readonly usageMillicores: number;
}

/**
 * Sorts the pods of a Deployment as the HPA does for CPU. A pod is unready while it is pending; while it is young and
 * not Ready, or its sample does not lie a whole window after it became Ready; and later when it has never been Ready.
 */
export function groupPods(
  pods: readonly PodSample[],
  nowSeconds: number,
  delays: ReadinessDelays = defaultReadinessDelays,
): PodGroups {
  const groups = { ready: 0, unready: 0, missing: 0, ignored: 0, usageMillicores: 0 };
  for (const pod of pods) {
    const group = groupOf(pod, nowSeconds, delays);
    groups[group]++;
    if (group === 'ready') groups.usageMillicores += pod.cpu?.usageMillicores ?? 0;
  }
  return groups;
}

function groupOf(pod: PodSample, now: number, delays: ReadinessDelays): 'ready' | 'unready' | 'missing' | 'ignored' {
  if (pod.deleted || pod.phase === 'Failed') return 'ignored';
  if (pod.phase === 'Pending') return 'unready';
  if (pod.cpu === null) return 'missing';
  if (pod.ready === null || pod.startedAtSeconds === null) return 'unready';
  const { status, lastTransitionSeconds } = pod.ready;
  if (pod.startedAtSeconds + delays.cpuInitializationSeconds > now) {
    const settled = pod.cpu.timestampSeconds >= lastTransitionSeconds + pod.cpu.windowSeconds;
    return status && settled ? 'ready' : 'unready';
  }
  const neverReady = !status && pod.startedAtSeconds + delays.initialReadinessSeconds > lastTransitionSeconds;
  return neverReady ? 'unready' : 'ready';
}

import type { ErrorCode } from './errors.ts';

/** A workload as a text, `namespace/name`; traffic from outside of the mesh comes from {@link unknownWorkload}. */
export type WorkloadName = string;

/** Where requests come from whose sender is not known. */
export const unknownWorkload: WorkloadName = 'unknown';

/** What can be scaled. */
export type WorkloadKind = 'Deployment' | 'StatefulSet';

/** A cluster as its API server tells it at one moment. */
export interface ClusterState {
  /** By the API server's clock, as all other times here. */
  readonly at: Date;
  readonly nodes: readonly NodeState[];
  /** In the order of namespace and name. */
  readonly workloads: readonly ClusterWorkload[];
  /** Pods of the namespaces read, but for those that have ended. */
  readonly pods: readonly PodState[];
  /** Further pods that the quotas of a namespace have room for; a namespace without a quota is absent. */
  readonly podsLeft: Readonly<Record<string, number>>;
  /** Warnings of the last minutes. */
  readonly events: readonly ClusterEvent[];
  /** What could not be read; the rest is complete. */
  readonly gaps: readonly ClusterGap[];
}

/** Something that was not to be read, for want of the right or of the interface. */
export interface ClusterGap {
  /** For example `horizontalpodautoscalers in shop`. */
  readonly what: string;
  readonly code: ErrorCode;
  readonly reason: string;
}

export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
  /** Cordoned. */
  readonly unschedulable: boolean;
  readonly allocatableMillicores: number;
  readonly allocatableBytes: number;
  readonly allocatablePods: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Deployment or StatefulSet. */
export interface ClusterWorkload {
  readonly workload: WorkloadName;
  readonly kind: WorkloadKind;
  readonly uid: string;
  readonly resourceVersion: string;
  /** `spec.replicas`. */
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Requests and limits of one pod, summed over its containers; null = none is set. */
  readonly cpuRequestMillicores: number | null;
  readonly cpuLimitMillicores: number | null;
  readonly memoryRequestBytes: number | null;
  readonly memoryLimitBytes: number | null;
  /** Who else sets its replicas; null = nobody. */
  readonly owner: ReplicaOwner | null;
  /**
   * The bounds of a foreign autoscaler, also of a paused one; null = there is none. A paused HPA still brings replicas
   * outside of them back.
   */
  readonly autoscaler: { readonly minReplicas: number; readonly maxReplicas: number } | null;
  /** Pods that its disruption budgets allow to go now; 0 when they could not be read, null = no budget. */
  readonly disruptionsAllowed: number | null;
  /**
   * When the replicas were last changed, by whomever, as far as the object tells; null = not known. The API server keeps no
   * time of changes through the `scale` subresource, ours and those of autoscalers among them: remember what was seen.
   */
  readonly scaledAt: Date | null;
  /** Values of the host name's label that our affinity keeps its pods on; null = there is none of ours. Absent: not told. */
  readonly placedOnHosts?: readonly string[] | null;
  /** True while its pods are being replaced by those of a newer template. Absent: not told. */
  readonly rollingOut?: boolean;
}

/** Who else sets the replicas of a workload. */
export interface ReplicaOwner {
  /** `unknown`: whoever it may be could not be read, so it must be taken for owned. */
  readonly kind: 'HorizontalPodAutoscaler' | 'ScaledObject' | 'field-manager' | 'unknown';
  /** Name of the object or of the field manager; for `unknown` what could not be read. */
  readonly name: string;
  /** True when we can pause it, and resume it later. */
  readonly pausable: boolean;
}

export interface PodState {
  readonly name: string;
  readonly namespace: string;
  /** Absent: not told. */
  readonly uid?: string;
  /** Null for a pod that belongs to no Deployment or StatefulSet. */
  readonly workload: WorkloadName | null;
  /** Null until it is scheduled. */
  readonly node: string | null;
  readonly phase: 'Pending' | 'Running' | 'Unknown';
  readonly ready: boolean;
  /** True from the moment that it is told to go. */
  readonly terminating: boolean;
  readonly createdAt: Date;
  /** When it became ready; null while it is not. */
  readonly readyAt: Date | null;
  /** From the metrics API, where it is served; null elsewhere. */
  readonly cpuMillicores: number | null;
  readonly memoryBytes: number | null;
}

export interface ClusterEvent {
  readonly at: Date;
  readonly namespace: string;
  /** Kind and name of what it is about. */
  readonly about: string;
  readonly reason: string;
  readonly message: string;
}

/** What to read of a cluster. */
export interface ClusterScope {
  /** Only these; each must be among the namespaces that the worker's configuration allows. */
  readonly namespaces: readonly string[];
  /** Ask the metrics API as well. Default false. */
  readonly usage?: boolean;
  /** Read the warnings of the last minutes as well. Default false. */
  readonly events?: boolean;
}

/**
 * Reads clusters. Port; adapter: src/cluster/kubernetes.
 *
 * 1. What one right lacks is a gap in the answer, not an error; only workloads and pods are indispensable.
 * 2. Every call ends within its time limit. CLUSTER_UNAVAILABLE when the API server is not there, too slow or overloaded (429,
 *    5xx) for longer than the limit; CLUSTER_REFUSED when the credentials are not accepted or a right is missing.
 */
export interface ClusterReader {
  read(scope: ClusterScope, signal?: AbortSignal): Promise<ClusterState>;
}

/** A change of replicas. */
export interface ScaleRequest {
  readonly workload: WorkloadName;
  readonly kind: WorkloadKind;
  /** What the decision was made for: anything else means that somebody else acted, and nothing is changed. */
  readonly from: number;
  readonly to: number;
}

/** What came of a {@link ScaleRequest}. */
export interface ScaleResult {
  readonly workload: WorkloadName;
  /**
   * `scaled`; `already` = it stood at `to`; `moved` = somebody else changed it from `from` in between; `gone` = there is no
   * such workload any more; `failed` = the API server refused or was not there.
   */
  readonly outcome: 'scaled' | 'already' | 'moved' | 'gone' | 'failed';
  /** Replicas that the API server confirmed; null when it did not. */
  readonly replicas: number | null;
  /** Why; empty when scaled. */
  readonly detail: string;
}

/** What was changed to pause an owner, so that it can be undone. */
export interface PausedOwner {
  readonly workload: WorkloadName;
  readonly kind: 'HorizontalPodAutoscaler' | 'ScaledObject';
  readonly name: string;
}

/** A native autoscaler that takes over (autoscaling/v2, CPU utilisation). */
export interface NativeAutoscaler {
  readonly workload: WorkloadName;
  readonly kind: WorkloadKind;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetPercent: number;
}

/**
 * Acts on clusters, always with field manager `coxswain`. Port; adapter: src/cluster/kubernetes.
 *
 * 1. Replicas change through the `scale` subresource under its resourceVersion; after a conflict it is read again, and
 *    changed only if it still stands at `from`.
 * 2. Every method is idempotent and ends within its time limit. CLUSTER_UNAVAILABLE, CLUSTER_REFUSED; NOT_ALLOWED for a
 *    namespace outside of the configuration.
 */
export interface ClusterActor {
  /** Never throws for one workload's sake: see `failed`. Throws what `signal` was aborted with. */
  scale(request: ScaleRequest, signal?: AbortSignal): Promise<ScaleResult>;
  /**
   * Pauses who owns the replicas, and tells of one that we paused before. WORKLOAD_OWNED when that cannot be paused, or
   * there is more than one. Null when nobody owns them.
   */
  pauseOwner(workload: WorkloadName, kind: WorkloadKind, signal?: AbortSignal): Promise<PausedOwner | null>;
  /** Undoes `pauseOwner`; nothing happens to an owner that is gone or was not paused by us. */
  resumeOwner(paused: PausedOwner, signal?: AbortSignal): Promise<void>;
  /**
   * Creates, or brings up to date, an autoscaler of ours. WORKLOAD_OWNED when the workload has another HPA, also a paused
   * one: Kubernetes lets neither of two act.
   */
  putAutoscaler(autoscaler: NativeAutoscaler, signal?: AbortSignal): Promise<void>;
  /** Removes an autoscaler of ours; one of somebody else's stays. */
  removeAutoscaler(workload: WorkloadName, signal?: AbortSignal): Promise<void>;
  /**
   * Lets pods of the workload be scheduled on these nodes only (required node affinity on the host name); null = anywhere.
   * `gone` when there is no such workload.
   */
  placeOn(
    workload: WorkloadName,
    kind: WorkloadKind,
    nodes: readonly string[] | null,
    signal?: AbortSignal,
  ): Promise<'placed' | 'gone'>;
  /**
   * Evicts a pod, respecting disruption budgets: `budget` when one does not allow it now. With a `uid` only the pod that
   * has it: another one of its name is `gone` as well.
   */
  evict(
    pod: { readonly namespace: string; readonly name: string; readonly uid?: string },
    signal?: AbortSignal,
  ): Promise<'evicted' | 'budget' | 'gone'>;
  /** Leaves a Warning event on a workload, for people who look with kubectl. Best effort: never throws. */
  warn(workload: WorkloadName, kind: WorkloadKind, reason: string, message: string): Promise<void>;
}

/** The parts of Kubernetes objects that are read or changed here, as JSON. What is not named stays as it is in a change. */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly controller?: boolean;
}

/** Who last set which fields. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

export interface ApiObject {
  readonly metadata: ObjectMeta;
}

/** A page of a list. */
export interface ApiList<T> {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly T[] | null;
}

/** Amounts by resource: `cpu`, `memory`, `pods` … */
export type Quantities = Readonly<Record<string, string | number>>;

export interface ApiNode extends ApiObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: { readonly allocatable?: Quantities; readonly conditions?: readonly ApiCondition[] };
}

export interface ApiCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
}

export interface ApiContainer {
  readonly name: string;
  /** Of an init container: `Always` makes it run beside the others. */
  readonly restartPolicy?: string;
  readonly resources?: ApiResources;
}

export interface ApiResources {
  readonly requests?: Quantities;
  readonly limits?: Quantities;
}

export interface ApiPodSpec {
  readonly containers: readonly ApiContainer[];
  readonly initContainers?: readonly ApiContainer[];
  /** Of the pod as a whole, where the cluster knows that. */
  readonly resources?: ApiResources;
  readonly nodeName?: string;
  readonly affinity?: ApiAffinity;
}

export interface ApiAffinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: ApiNodeSelector;
    readonly [other: string]: unknown;
  };
  readonly [other: string]: unknown;
}

/** One of the terms must hold; in a term every expression. */
export interface ApiNodeSelector {
  readonly nodeSelectorTerms: readonly {
    readonly matchExpressions?: readonly MatchExpression[];
    readonly [other: string]: unknown;
  }[];
}

export interface MatchExpression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly MatchExpression[];
}

/** A Deployment or StatefulSet. */
export interface ApiWorkload extends ApiObject {
  readonly spec: {
    readonly replicas?: number;
    /** Of a StatefulSet. */
    readonly updateStrategy?: { readonly type?: string };
    readonly template: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
      readonly spec: ApiPodSpec;
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    /** Of a StatefulSet. */
    readonly currentRevision?: string;
    readonly updateRevision?: string;
  };
}

export interface ApiScale extends ApiObject {
  readonly spec?: { readonly replicas?: number };
}

export interface ApiPod extends ApiObject {
  readonly spec: ApiPodSpec;
  readonly status?: { readonly phase?: string; readonly conditions?: readonly ApiCondition[] };
}

export interface ApiPodMetrics extends ApiObject {
  readonly containers?: readonly { readonly usage?: Quantities }[];
}

export interface ScaleTargetRef {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name: string;
}

export interface ApiHpa extends ApiObject {
  readonly spec: {
    readonly scaleTargetRef: ScaleTargetRef;
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics?: readonly unknown[];
    readonly behavior?: HpaBehavior;
  };
}

export interface HpaBehavior {
  readonly scaleUp?: { readonly selectPolicy?: string };
  readonly scaleDown?: { readonly selectPolicy?: string };
}

/** Of KEDA. */
export interface ApiScaledObject extends ApiObject {
  readonly spec: {
    readonly scaleTargetRef: ScaleTargetRef;
    readonly minReplicaCount?: number;
    readonly maxReplicaCount?: number;
  };
}

export interface ApiPodDisruptionBudget extends ApiObject {
  readonly spec: { readonly selector?: LabelSelector | null };
  readonly status?: { readonly disruptionsAllowed?: number; readonly observedGeneration?: number };
}

export interface ApiResourceQuota extends ApiObject {
  readonly spec?: { readonly scopes?: readonly string[] };
  readonly status?: { readonly hard?: Quantities; readonly used?: Quantities };
}

export interface ApiEvent extends ApiObject {
  readonly involvedObject: { readonly kind?: string; readonly name?: string };
  readonly reason?: string;
  readonly message?: string;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string } | null;
}

/** What the API server answers when it does not do what it was asked. */
export interface ApiStatus {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string }[]; readonly retryAfterSeconds?: number };
}

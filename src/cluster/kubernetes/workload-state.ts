import type { ClusterWorkload, WorkloadKind } from '../../contracts/cluster.ts';
import type { ApiPodDisruptionBudget, ApiWorkload } from './api-objects.ts';
import { selects } from './label-selector.ts';
import { placedOnHosts } from './place-workload.ts';
import { podResources } from './pod-resources.ts';
import { autoscalersOf, ownersOf, setsReplicas } from './replica-owner.ts';
import type { Autoscalers } from './replica-owner.ts';

/** What is known of a namespace beside its workloads. */
export interface NamespaceRules {
  readonly autoscalers: Autoscalers;
  /** Null when they could not be read. */
  readonly budgets: readonly ApiPodDisruptionBudget[] | null;
}

/** A workload as it stands. */
export function workloadState(object: ApiWorkload, kind: WorkloadKind, rules: NamespaceRules): ClusterWorkload {
  const { metadata, spec, status } = object;
  return {
    workload: `${metadata.namespace}/${metadata.name}`,
    kind,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    // The API server fills it in; 1 is what it would fill in.
    replicas: spec.replicas ?? 1,
    readyReplicas: status?.readyReplicas ?? 0,
    ...podResources(spec.template.spec),
    owner: ownersOf(object, kind, rules.autoscalers).at(0) ?? null,
    autoscaler: boundsOf(metadata.name, kind, rules.autoscalers),
    disruptionsAllowed: disruptionsAllowed(spec.template.metadata?.labels ?? {}, rules.budgets),
    scaledAt: scaledAt(object),
    placedOnHosts: placedOnHosts(object),
    rollingOut: isRollingOut(object, kind),
  };
}

/**
 * Until its controller has seen the newest template, and then until no pod of an older one is left. A StatefulSet that
 * waits for its pods to be deleted (`OnDelete`) replaces none by itself.
 */
function isRollingOut({ metadata, spec, status = {} }: ApiWorkload, kind: WorkloadKind): boolean {
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return true;
  if (kind === 'Deployment') return (status.replicas ?? 0) > (status.updatedReplicas ?? 0);
  return spec.updateStrategy?.type !== 'OnDelete' && status.updateRevision !== status.currentRevision;
}

/** KEDA's defaults are 0 and 100, the HPA's least is 1. */
function boundsOf(name: string, kind: WorkloadKind, autoscalers: Autoscalers): ClusterWorkload['autoscaler'] {
  const { hpas, scaledObjects } = autoscalersOf(name, kind, autoscalers);
  const [object] = scaledObjects;
  if (object) {
    const { minReplicaCount = 0, maxReplicaCount = 100 } = object.spec;
    return { minReplicas: minReplicaCount, maxReplicas: maxReplicaCount };
  }
  const [hpa] = hpas;
  return hpa ? { minReplicas: hpa.spec.minReplicas ?? 1, maxReplicas: hpa.spec.maxReplicas } : null;
}

/** The least of all budgets over its pods. One that is not up to date allows none, as the eviction API holds it. */
function disruptionsAllowed(
  labels: Readonly<Record<string, string>>,
  budgets: readonly ApiPodDisruptionBudget[] | null,
): number | null {
  if (budgets === null) return 0;
  const allowed = budgets
    .filter(({ spec }) => selects(spec.selector, labels))
    .map(({ metadata, status }) =>
      (status?.observedGeneration ?? 0) < (metadata.generation ?? 0) ? 0 : (status?.disruptionsAllowed ?? 0),
    );
  return allowed.length === 0 ? null : Math.min(...allowed);
}

/** The last change by whoever set the replicas. The API server keeps no time of changes through `scale`. */
function scaledAt({ metadata }: ApiWorkload): Date | null {
  const times = (metadata.managedFields ?? [])
    .filter((entry) => setsReplicas(entry) && entry.time !== undefined)
    .map(({ time }) => Date.parse(time!));
  return times.length === 0 ? null : new Date(Math.max(...times));
}

import type { PodState, WorkloadName } from '../../contracts/cluster.ts';
import type { ApiPod, ApiPodMetrics } from './api-objects.ts';
import { millicores, wholeNumber } from './quantity.ts';

/** What a pod uses. */
export type PodUsage = Pick<PodState, 'cpuMillicores' | 'memoryBytes'>;

export const noUsage: PodUsage = { cpuMillicores: null, memoryBytes: null };

/** Pods that have not ended, as a field selector. */
export const livingPods = 'status.phase!=Succeeded,status.phase!=Failed';

/** A pod as it stands, without its usage. */
export function podState({ metadata, spec, status }: ApiPod): PodState {
  const ready = status?.conditions?.find(({ type, status: value }) => type === 'Ready' && value === 'True');
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    workload: workloadOf(metadata),
    node: spec.nodeName ?? null,
    phase: phaseOf(status?.phase),
    ready: ready !== undefined,
    terminating: metadata.deletionTimestamp !== undefined,
    createdAt: new Date(metadata.creationTimestamp ?? 0),
    readyAt: ready?.lastTransitionTime === undefined ? null : new Date(ready.lastTransitionTime),
    ...noUsage,
  };
}

/** Sums over the containers. */
export function podUsage({ containers = [] }: ApiPodMetrics): PodUsage {
  const usages = containers.map(({ usage = {} }) => usage);
  return {
    cpuMillicores: usages.reduce((sum, { cpu = 0 }) => sum + millicores(cpu), 0),
    memoryBytes: usages.reduce((sum, { memory = 0 }) => sum + wholeNumber(memory), 0),
  };
}

/**
 * A Deployment's pods belong to a ReplicaSet which carries the Deployment's name and the hash of the pod template; the
 * hash is also a label. So ReplicaSets need not be read. Null for pods of anything else.
 */
function workloadOf({ namespace, labels = {}, ownerReferences = [] }: ApiPod['metadata']): WorkloadName | null {
  const owner = ownerReferences.find(({ controller }) => controller);
  if (owner?.kind === 'StatefulSet') return `${namespace}/${owner.name}`;
  const hash = labels['pod-template-hash'];
  const suffix = `-${hash}`;
  if (owner?.kind !== 'ReplicaSet' || hash === undefined || !owner.name.endsWith(suffix)) return null;
  return `${namespace}/${owner.name.slice(0, -suffix.length)}`;
}

function phaseOf(phase: string | undefined): PodState['phase'] {
  return phase === 'Pending' || phase === 'Running' ? phase : 'Unknown';
}

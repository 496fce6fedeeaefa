import type { ClusterActor, ClusterState, PausedOwner } from '../contracts/cluster.ts';
import type { ControlMode, ControlStore, DeploymentRecord } from '../contracts/control.ts';
import { workloadNamed } from './guard-context.ts';

/**
 * Pauses who else sets the replicas, where the spec says so and the deployment is live. Each pause is recorded before it is
 * done, so that a kill leaves none that is not undone. Idempotent.
 * @throws CoxswainError WORKLOAD_OWNED for an owner that cannot be paused, CLUSTER_UNAVAILABLE, CLUSTER_REFUSED.
 */
export async function pauseOwners(
  { actor, store }: { readonly actor: ClusterActor; readonly store: ControlStore },
  { name, spec, services }: DeploymentRecord,
  mode: ControlMode,
  cluster: ClusterState,
  signal: AbortSignal,
): Promise<void> {
  if (mode === 'shadow' || spec.owners === 'refuse') return;
  for (const { workload } of services) {
    const { owner = null, kind } = workloadNamed(cluster, workload) ?? {};
    if (kind === undefined || owner?.pausable !== true || owner.kind === 'field-manager' || owner.kind === 'unknown')
      continue;
    await store.recordPausedOwners(name, [{ workload, kind: owner.kind, name: owner.name }]);
    await actor.pauseOwner(workload, kind, signal);
  }
}

/** Owners for people. */
export function ownersText(owners: readonly PausedOwner[]): string {
  return owners.map(({ workload, kind, name }) => `${kind} ${name} of ${workload}`).join(', ');
}

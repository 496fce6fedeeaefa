import type { ClusterActor } from '../contracts/cluster.ts';
import type { ControlDecision, ControlledService, DeploymentRecord } from '../contracts/control.ts';
import type { CoxswainError } from '../contracts/errors.ts';
import { troublesWith } from './troubles.ts';

/** How the cluster's own autoscalers stand after a step. */
export interface AutoscalerOutcome {
  /** True when some of ours may be there. */
  readonly present: boolean;
  /** What went wrong, a sentence each. */
  readonly troubles: readonly string[];
}

/** Keeps the cluster's own autoscalers there while a native fallback acts, and takes them away once the policy acts again. */
export async function keepAutoscalers(
  actor: ClusterActor,
  record: DeploymentRecord,
  { state, next }: Pick<ControlDecision, 'state' | 'next'>,
  signal?: AbortSignal,
): Promise<AutoscalerOutcome> {
  const outcomeOf = (present: boolean, troubles: readonly CoxswainError[]): AutoscalerOutcome => ({
    present,
    troubles: troubles.map(({ message }) => message),
  });
  if (next.nativeAutoscalers) return outcomeOf(true, await putAutoscalers(actor, record, signal));
  if (!state.nativeAutoscalers) return outcomeOf(false, []);
  const troubles = await removeAutoscalers(actor, record, signal);
  return outcomeOf(troubles.length > 0, troubles);
}

/**
 * An autoscaler for each service, with the guard's bounds and the calibrated target. Where the deployment has paused an
 * owner, that one is resumed instead: Kubernetes lets neither of two autoscalers of a workload act.
 * @returns what went wrong.
 */
export function putAutoscalers(
  actor: ClusterActor,
  record: DeploymentRecord,
  signal?: AbortSignal,
): Promise<CoxswainError[]> {
  const targetPercent = record.hpaTargetPercent;
  return troublesOfServices(record, ({ workload, kind, limits: { minReplicas, maxReplicas } }) => {
    const owner = record.pausedOwners.find((paused) => paused.workload === workload);
    if (owner !== undefined) return actor.resumeOwner(owner, signal);
    return actor.putAutoscaler({ workload, kind, minReplicas, maxReplicas, targetPercent }, signal);
  });
}

/** @returns what went wrong. */
export function removeAutoscalers(
  actor: ClusterActor,
  record: DeploymentRecord,
  signal?: AbortSignal,
): Promise<CoxswainError[]> {
  return troublesOfServices(record, ({ workload }) => actor.removeAutoscaler(workload, signal));
}

function troublesOfServices(
  { services }: DeploymentRecord,
  work: (service: ControlledService) => Promise<void>,
): Promise<CoxswainError[]> {
  return troublesWith(services, ({ workload }) => `autoscaler of ${workload}`, work);
}

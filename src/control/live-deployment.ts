import type { ControlDecision, ControlMemory, DeploymentRecord } from '../contracts/control.ts';
import type { GuardRules } from '../domain/guard/guard-rules.ts';
import { createLiveScaling } from '../rl/live/live-scaling.ts';
import type { LiveScaling } from '../rl/live/live-scaling.ts';
import type { SteeredApplication } from '../rl/twin/application-of.ts';

/** A deployment with what its steps compute with. */
export interface LiveDeployment {
  readonly record: DeploymentRecord;
  readonly scaling: LiveScaling;
  readonly rules: GuardRules;
}

/**
 * @param application that the policy was trained with: the environment's own, or the fitted twin's.
 * @throws CoxswainError ENVIRONMENT_INVALID when the environment's parameters are not (no longer) allowed.
 */
export function liveDeployment(record: DeploymentRecord, application: SteeredApplication): LiveDeployment {
  const { environment, hpaTargetPercent } = record;
  const scaling = createLiveScaling({ environment, application, hpaTargetPercent });
  return { record, scaling, rules: guardRulesOf(record) };
}

/** What the guard holds a deployment's decisions to. */
export function guardRulesOf({ spec, services }: DeploymentRecord): GuardRules {
  const { podHours, frozen, maxObservationAgeSteps } = spec.guard;
  return {
    workloads: services.map(({ workload, limits }) => ({ workload, ...limits })),
    podHours,
    frozen,
    maxObservationAgeSteps,
  };
}

/**
 * What a step remembers. Of an earlier opening, which may have had another policy and other services, only the pod-hours
 * count on: their budget is the deployment's.
 * @param before the decision before it; null when there is none.
 */
export function memoryBefore({ services, openedAt }: DeploymentRecord, before: ControlDecision | null): ControlMemory {
  if (before !== null && before.at >= openedAt) return before.memory;
  return { hpa: null, policy: [], seen: services.map(() => null), podHours: before?.memory.podHours ?? [] };
}

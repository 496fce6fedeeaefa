import type { WorkloadName } from '../../contracts/cluster.ts';
import type {
  GuardedPlacement,
  ObservedPlacement,
  PlacementObservation,
  PlacementProposal,
  PlacementReason,
  PlacementSpec,
} from '../../contracts/placement.ts';
import { isFrozen } from '../guard/guard-rules.ts';
import type { FrozenHours } from '../guard/guard-rules.ts';

/** What placement may do at all. */
export interface PlacementRules extends Pick<PlacementSpec, 'movesPerStep' | 'coolDownSeconds'> {
  /** The allow-list. */
  readonly workloads: readonly WorkloadName[];
  readonly frozen: readonly FrozenHours[];
  /** Observations older than so many control steps lead to no action. */
  readonly maxObservationAgeSteps: number;
}

/** What the guard knows of the step beside what was observed. */
export interface PlacementMoment {
  readonly at: Date;
  readonly stepSeconds: number;
  readonly paused: boolean;
  /** Workloads whose replicas the same step changes. */
  readonly scaling: readonly WorkloadName[];
  /** When the placement of a workload was last changed; one that never was is absent. */
  readonly changedAt: ReadonlyMap<WorkloadName, Date>;
}

/**
 * Holds proposals to the rules. What is in doubt is not done: each rule must hold for a change to be permitted, and the
 * first that does not is the reason.
 *
 * 1. A placement replaces all pods of a workload by a rollout, which no disruption budget holds back in Kubernetes; so it
 *    must wait until the budget lets a pod go.
 * 2. A pod is moved only away from a workload that has all of its pods, ready.
 * 3. `movesPerStep` is given in the order of the proposals.
 */
export function guardPlacement(
  proposals: readonly PlacementProposal[],
  observation: PlacementObservation,
  rules: PlacementRules,
  moment: PlacementMoment,
): GuardedPlacement[] {
  let moves = 0;
  return proposals.map((proposal) => {
    const observed = observation.workloads.find((entry) => entry?.workload === proposal.workload) ?? null;
    const refusal =
      refusalForAll(observation, rules, moment) ??
      refusalFor(proposal, observed, rules, moment) ??
      (proposal.kind === 'move' && moves >= rules.movesPerStep ? movesPerStepReached(rules) : null);
    if (refusal === null && proposal.kind === 'move') moves++;
    const [reason, detail] = refusal ?? [null, ''];
    return { proposal, permitted: refusal === null, reason, detail };
  });
}

type Refusal = readonly [PlacementReason, string];

/** Why nothing at all may be placed now; null when it may. */
function refusalForAll(
  observation: PlacementObservation,
  { frozen, maxObservationAgeSteps }: PlacementRules,
  { at, stepSeconds, paused }: PlacementMoment,
): Refusal | null {
  const ageSteps = Math.floor((at.getTime() - Date.parse(observation.at)) / 1000 / stepSeconds);
  // Written so that an age that is no number counts as too old.
  if (!(ageSteps <= maxObservationAgeSteps)) {
    return ['stale-observation', `the cluster was read ${ageSteps} steps ago, ${maxObservationAgeSteps} are allowed`];
  }
  if (paused) return ['paused', 'the deployment is paused'];
  if (isFrozen(frozen, at)) return ['frozen', 'these hours are frozen'];
  return null;
}

function refusalFor(
  { kind, workload }: PlacementProposal,
  observed: ObservedPlacement | null,
  { workloads, coolDownSeconds }: PlacementRules,
  { at, scaling, changedAt }: PlacementMoment,
): Refusal | null {
  if (!workloads.includes(workload) || observed === null) return ['not-allowed', 'it is not on the allow-list'];
  const { rollingOut, readyPods, replicas, disruptionsAllowed, openNodes } = observed;
  if (rollingOut) return ['rolling-out', 'its pods are being replaced'];
  const changed = changedAt.get(workload);
  const since = changed === undefined ? Infinity : (at.getTime() - changed.getTime()) / 1000;
  if (!(since >= coolDownSeconds)) {
    return ['cool-down', `changed ${Math.round(since)} s ago, and ${coolDownSeconds} s must pass`];
  }
  if (scaling.includes(workload)) return ['scaling', 'this step changes its replicas'];
  if (kind === 'move' && !(readyPods >= replicas)) {
    return ['not-ready', `${readyPods} of its ${replicas} pods are ready`];
  }
  if (disruptionsAllowed !== null && !(disruptionsAllowed > 0)) {
    return ['disruption-budget', 'its disruption budget lets no pod go now'];
  }
  if (!(openNodes > 0)) return ['no-node', 'no node that it may run on takes pods now'];
  return null;
}

function movesPerStepReached({ movesPerStep }: PlacementRules): Refusal {
  return ['moves-per-step', `${movesPerStep} in a step ${movesPerStep === 1 ? 'is' : 'are'} allowed`];
}

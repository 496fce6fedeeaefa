import type {
  GuardedPlacement,
  ObservedPlacement,
  PlacementMemory,
  PlacementReason,
} from '../../contracts/placement.ts';

/** Of a service whose placement nobody has looked at. */
export const noPlacementYet: PlacementMemory = { changedAt: null, placed: false, due: false, stuckSteps: 0 };

/** Steps in which something was to be done and could not be, after which people should know. */
export const stuckAfterSteps = 4;

/** Reasons that may last until somebody does something. Frozen hours, cool-downs and rollouts pass by themselves. */
const lasting: readonly PlacementReason[] = ['not-ready', 'disruption-budget', 'no-node'];

/**
 * What is remembered of a workload's placement after a step.
 * @param guarded what was decided about it; null when nothing was to be done.
 * @param acts false in shadow mode, where a permitted change is not made.
 */
export function placementAfter(
  before: PlacementMemory,
  observed: ObservedPlacement,
  guarded: GuardedPlacement | null,
  { at, acts }: { readonly at: Date; readonly acts: boolean },
): PlacementMemory {
  const changes = acts && guarded?.permitted === true;
  const underWay = observed.rollingOut || observed.readyPods < observed.replicas;
  return {
    changedAt: changes ? at.toISOString() : before.changedAt,
    placed: before.placed || (changes && guarded.proposal.kind === 'place'),
    due: guarded !== null || (before.due && underWay),
    stuckSteps: stuckSteps(before.stuckSteps, guarded),
  };
}

function stuckSteps(before: number, guarded: GuardedPlacement | null): number {
  if (guarded === null || guarded.permitted) return 0;
  return lasting.includes(guarded.reason!) ? before + 1 : before;
}

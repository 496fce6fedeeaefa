import type { ObservedPlacement, PlacementObservation, PlacementProposal } from '../../contracts/placement.ts';

/**
 * What placement wants, at most one thing of each workload: first its affinity, whose rollout takes the pods where they
 * should be, and once that stands the move of one pod.
 */
export function proposePlacement({ workloads }: PlacementObservation): PlacementProposal[] {
  return workloads.flatMap((workload) => (workload === null ? [] : (proposalFor(workload) ?? [])));
}

function proposalFor({
  workload,
  wantedNodes,
  affinityAsWanted,
  misplaced,
}: ObservedPlacement): PlacementProposal | null {
  if (wantedNodes !== null && !affinityAsWanted) return { kind: 'place', workload, nodes: wantedNodes };
  const [pod] = misplaced;
  return pod === undefined ? null : { kind: 'move', workload, ...pod };
}

import type { ClusterActor, WorkloadKind } from '../contracts/cluster.ts';
import type { ControlDecision, ControlStore, DeploymentRecord } from '../contracts/control.ts';
import { toCoxswainError } from '../contracts/errors.ts';
import type { CoxswainError } from '../contracts/errors.ts';
import type { PlacementProposal, PlacementResult } from '../contracts/placement.ts';
import { troublesWith } from './troubles.ts';

/**
 * Does what a decision permits about the placement, one after the other. Trouble with one does not keep the others back.
 * Done again after a kill it changes nothing more: an affinity that stands is left, and a pod is evicted by its uid.
 * @param refusal why nothing may be done any more; null when it may.
 * @throws what `signal` was aborted with.
 */
export async function placePods(
  actor: ClusterActor,
  { mode, placement }: ControlDecision,
  refusal: string | null,
  signal: AbortSignal,
): Promise<PlacementResult[]> {
  if (mode === 'shadow' || placement === undefined) return [];
  const results: PlacementResult[] = [];
  for (const { proposal, permitted } of placement.guarded) {
    if (!permitted) continue;
    const kind = placement.observation!.workloads.find((one) => one?.workload === proposal.workload)!.kind;
    results.push(
      refusal === null ? await attempt(actor, proposal, kind, signal) : resultOf(proposal, 'failed', refusal),
    );
  }
  return results;
}

async function attempt(
  actor: ClusterActor,
  proposal: PlacementProposal,
  kind: WorkloadKind,
  signal: AbortSignal,
): Promise<PlacementResult> {
  try {
    const outcome =
      proposal.kind === 'place'
        ? await actor.placeOn(proposal.workload, kind, proposal.nodes, signal)
        : await actor.evict(podOf(proposal), signal);
    return resultOf(proposal, outcome, details[outcome] ?? '');
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = toCoxswainError(error);
    return resultOf(proposal, 'failed', `${code}: ${message}`);
  }
}

const details: Partial<Record<PlacementResult['outcome'], string>> = {
  budget: 'a disruption budget does not let it go now',
  gone: 'it is not there any more',
};

function podOf({
  workload,
  pod,
  uid,
}: Extract<PlacementProposal, { kind: 'move' }>): Parameters<ClusterActor['evict']>[0] {
  const [namespace] = workload.split('/');
  return { namespace, name: pod, ...(uid === null ? {} : { uid }) };
}

function resultOf(proposal: PlacementProposal, outcome: PlacementResult['outcome'], detail: string): PlacementResult {
  const { workload, kind } = proposal;
  return { workload, kind, pod: kind === 'move' ? proposal.pod : null, outcome, detail };
}

/** A workload whose affinity may be ours. */
export interface PlacedWorkload {
  readonly workload: string;
  readonly kind: WorkloadKind;
}

/** The workloads that an opening has placed: each was noted with the decision, before anything was changed. */
export async function placedWorkloads(
  store: Pick<ControlStore, 'latestDecision'>,
  { name, services, openedAt }: DeploymentRecord,
): Promise<PlacedWorkload[]> {
  const last = await store.latestDecision(name);
  if (last === null || last.at < openedAt) return [];
  return services.flatMap(({ workload, kind }, s) => {
    if (last.memory.placement?.[s]?.placed !== true) return [];
    return [{ workload, kind: last.placement?.observation?.workloads[s]?.kind ?? kind }];
  });
}

/** Takes our affinity away from workloads. @returns what went wrong. */
export function undoPlacement(
  actor: ClusterActor,
  placed: readonly PlacedWorkload[],
  signal: AbortSignal,
): Promise<CoxswainError[]> {
  return troublesWith(
    placed,
    ({ workload }) => `placement of ${workload}`,
    ({ workload, kind }) => actor.placeOn(workload, kind, null, signal),
  );
}

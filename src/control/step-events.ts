import type { ClusterActor, ScaleResult } from '../contracts/cluster.ts';
import type { ControlDecision, ControlEvent, ControlStore, DeploymentRecord } from '../contracts/control.ts';
import type { PlacementResult } from '../contracts/placement.ts';
import { stuckAfterSteps } from '../domain/placement/placement-progress.ts';

/**
 * Records what of a step people should know, and leaves alerts as events of the cluster as well: the switch to the
 * fallback, workloads that went missing, those that somebody else scales, and those that cannot be placed for long. That a
 * service that comes and goes did so, and that a workload is placed, is no alert.
 */
export async function recordStepEvents(
  { store, actor }: { readonly store: ControlStore; readonly actor: ClusterActor },
  record: DeploymentRecord,
  decision: ControlDecision,
  result: readonly ScaleResult[],
  placementResult: readonly PlacementResult[] = [],
): Promise<void> {
  const { deployment, step, at } = decision;
  const news = [...newsOf(record, decision, result), ...placementNews(decision, placementResult)];
  for (const { kind, message, alert, about } of news) {
    await store.addEvent({ deployment, step, at, kind, alert, message });
    if (!alert) continue;
    const { workload, kind: workloadKind } =
      record.services.find((one) => one.workload === about) ?? record.services[0];
    await actor.warn(workload, workloadKind, reasons[kind] ?? kind, message);
  }
}

/** Reasons of cluster events are words in PascalCase. */
const reasons: Partial<Record<ControlEvent['kind'], string>> = {
  fallback: 'CoxswainFallback',
  'workload-missing': 'CoxswainWorkloadMissing',
  'moved-by-other': 'CoxswainMovedByOther',
  'placement-stuck': 'CoxswainPlacementStuck',
};

interface News extends Pick<ControlEvent, 'kind' | 'message' | 'alert'> {
  /** The workload that it is about; absent when it is about the deployment. */
  readonly about?: string;
}

function placementNews({ placement }: ControlDecision, results: readonly PlacementResult[]): News[] {
  if (placement === undefined) return [];
  const placed = results.filter(({ outcome }) => outcome === 'placed').map(({ workload }) => workload);
  return [
    ...placement.guarded.flatMap(({ proposal }): News[] => {
      if (proposal.kind !== 'place' || !placed.includes(proposal.workload)) return [];
      const message = `${proposal.workload} is kept on ${proposal.nodes.join(', ')}; its pods are being replaced.`;
      return [{ kind: 'placed', alert: false, message }];
    }),
    ...placement.finished.map((workload): News => {
      return { kind: 'placement-finished', alert: false, message: `All pods of ${workload} are where they should be.` };
    }),
    // Only when it begins to be long: what stays as it is would fill the record.
    ...placement.stuck
      .filter(({ steps }) => steps === stuckAfterSteps)
      .map(({ workload, steps, detail }): News => {
        const message = `The pods of ${workload} could not be placed for ${steps} steps: ${detail}.`;
        return { kind: 'placement-stuck', alert: true, message, about: workload };
      }),
  ];
}

function newsOf(
  { services }: DeploymentRecord,
  { state, next, observation, presence }: ControlDecision,
  result: readonly ScaleResult[],
): News[] {
  const news: News[] = [];
  if (state.fallback === null && next.fallback !== null) {
    const { reason, detail } = next.fallback;
    const message = `The fallback takes over from the policy (${reason}): ${detail}`;
    news.push({ kind: 'fallback', alert: true, message });
  }
  const moved = result.filter(({ outcome }) => outcome === 'moved').map(({ workload }) => workload);
  if (moved.length > 0) {
    const message = `Somebody else changed the replicas of ${moved.join(', ')}.`;
    news.push({ kind: 'moved-by-other', alert: true, message });
  }
  // Only when the blindness begins: a workload that stays away would fill the record.
  const missing = services
    .filter(({ comesAndGoes }, s) => !comesAndGoes && observation?.workloads[s] === null)
    .map(({ workload }) => workload);
  if (missing.length > 0 && state.stepsWithoutObservation === 0) {
    const message = `Not in the cluster (any more): ${missing.join(', ')}.`;
    news.push({ kind: 'workload-missing', alert: true, message });
  }
  const { left = [], came = [] } = presence ?? {};
  if (left.length > 0) news.push({ kind: 'workload-left', alert: false, message: `Gone for now: ${left.join(', ')}.` });
  if (came.length > 0)
    news.push({ kind: 'workload-came', alert: false, message: `There (again): ${came.join(', ')}.` });
  return news;
}

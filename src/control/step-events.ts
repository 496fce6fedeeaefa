import type { ClusterActor, ScaleResult } from '../contracts/cluster.ts';
import type { ControlDecision, ControlEvent, ControlStore, DeploymentRecord } from '../contracts/control.ts';

/**
 * Records what of a step people should know, and leaves alerts as events of the cluster as well: the switch to the
 * fallback, workloads that went missing, and those that somebody else scales. That a service that comes and goes did so is
 * no alert.
 */
export async function recordStepEvents(
  { store, actor }: { readonly store: ControlStore; readonly actor: ClusterActor },
  record: DeploymentRecord,
  decision: ControlDecision,
  result: readonly ScaleResult[],
): Promise<void> {
  const { deployment, step, at } = decision;
  for (const { kind, message, alert } of newsOf(record, decision, result)) {
    await store.addEvent({ deployment, step, at, kind, alert, message });
    if (!alert) continue;
    const [{ workload, kind: workloadKind }] = record.services;
    await actor.warn(workload, workloadKind, reasons[kind] ?? kind, message);
  }
}

/** Reasons of cluster events are words in PascalCase. */
const reasons: Partial<Record<ControlEvent['kind'], string>> = {
  fallback: 'CoxswainFallback',
  'workload-missing': 'CoxswainWorkloadMissing',
  'moved-by-other': 'CoxswainMovedByOther',
};

type News = Pick<ControlEvent, 'kind' | 'message' | 'alert'>;

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

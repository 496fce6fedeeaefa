import type { ClusterActor, ScaleResult } from '../contracts/cluster.ts';
import type { ControlDecision, ControlEvent, ControlStore, DeploymentRecord } from '../contracts/control.ts';

/**
 * Records what of a step people should know, and leaves alerts as events of the cluster as well: the switch to the
 * fallback, workloads that went missing, and those that somebody else scales.
 */
export async function recordStepEvents(
  { store, actor }: { readonly store: ControlStore; readonly actor: ClusterActor },
  record: DeploymentRecord,
  decision: ControlDecision,
  result: readonly ScaleResult[],
): Promise<void> {
  const { deployment, step, at } = decision;
  for (const { kind, message } of newsOf(record, decision, result)) {
    await store.addEvent({ deployment, step, at, kind, alert: true, message });
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

function newsOf(
  { services }: DeploymentRecord,
  { state, next, observation }: ControlDecision,
  result: readonly ScaleResult[],
): Pick<ControlEvent, 'kind' | 'message'>[] {
  const news: Pick<ControlEvent, 'kind' | 'message'>[] = [];
  if (state.fallback === null && next.fallback !== null) {
    const { reason, detail } = next.fallback;
    news.push({ kind: 'fallback', message: `The fallback takes over from the policy (${reason}): ${detail}` });
  }
  const moved = result.filter(({ outcome }) => outcome === 'moved').map(({ workload }) => workload);
  if (moved.length > 0) {
    news.push({ kind: 'moved-by-other', message: `Somebody else changed the replicas of ${moved.join(', ')}.` });
  }
  // Only when the blindness begins: a workload that stays away would fill the record.
  const missing = services.filter((_, s) => observation?.workloads[s] === null).map(({ workload }) => workload);
  if (missing.length > 0 && state.stepsWithoutObservation === 0) {
    news.push({ kind: 'workload-missing', message: `Not in the cluster (any more): ${missing.join(', ')}.` });
  }
  return news;
}

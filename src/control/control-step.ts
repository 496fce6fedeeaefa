import type { ClusterActor, ClusterReader, ClusterState, ScaleResult, WorkloadKind } from '../contracts/cluster.ts';
import type { SnapshotReader } from '../contracts/cluster-metrics.ts';
import type {
  ControlDecision,
  ControlState,
  ControlStore,
  DeploymentRecord,
  StepSummary,
} from '../contracts/control.ts';
import { toCoxswainError } from '../contracts/errors.ts';
import type { PlacementResult } from '../contracts/placement.ts';
import type { PolicyProcesses } from '../contracts/policy-process.ts';
import { decideStep } from './decide-step.ts';
import type { AskPolicy } from './decide-step.ts';
import { noteSeen, readGuardContext } from './guard-context.ts';
import { memoryBefore } from './live-deployment.ts';
import type { LiveDeployment } from './live-deployment.ts';
import { keepAutoscalers } from './native-fallback.ts';
import { nodesUnread, observePlacement, placementOf } from './observe-placement.ts';
import { ageOf, observeStep } from './observe-step.ts';
import { pauseOwners } from './pause-owners.ts';
import { placePods } from './place-pods.ts';
import { recordStepEvents } from './step-events.ts';

/** What a control step touches. */
export interface ControlStepPorts {
  readonly store: ControlStore;
  readonly reader: ClusterReader;
  readonly actor: ClusterActor;
  readonly snapshots: SnapshotReader;
  readonly policies: PolicyProcesses;
  readonly now: () => Date;
}

/** Part of a control step that observing may take; the policy and acting have the rest. */
const observingShare = 0.5;
const longestObservingMs = 10_000;
const shortestObservingMs = 2_000;

/**
 * One step of a control loop: observe → decide → guard → act (replicas, then placement) → verify → record.
 *
 * 1. The decision is stored before anything is changed, and its result after: a step that is repeated after a kill goes on
 *    with what is stored. A stored decision that is older than a step is not acted on any more.
 * 2. What is changed is changed from what the decision was made for; what somebody else moved in between stays as it is.
 * 3. Trouble with the cluster, the metrics or the policy is in the summary; only the store's trouble is thrown.
 *
 * @throws CoxswainError STORE_UNAVAILABLE; what `signal` was aborted with.
 */
export async function runControlStep(
  ports: ControlStepPorts,
  live: LiveDeployment,
  state: ControlState,
  signal: AbortSignal,
): Promise<StepSummary> {
  const { store } = ports;
  const stored = await store.getDecision(state.deployment, state.step);
  if (stored?.summary) return stored.summary;
  const decision = stored ?? (await decide(ports, live, state, signal));
  // Owners that were paused meanwhile are in the store's record only.
  const record = (decision.next.nativeAutoscalers ? await store.getDeployment(state.deployment) : null) ?? live.record;
  const autoscalers = await keepAutoscalers(ports.actor, record, decision, signal);
  const result = await act(ports, live, decision, signal);
  const placementResult =
    decision.placement && (await placePods(ports.actor, decision, tooOld(ports, live, decision), signal));
  const summary = summaryOf(decision, result, placementResult ?? null, autoscalers);
  await recordStepEvents(ports, live.record, decision, result, placementResult);
  const outcome = placementResult ? { result, placementResult, summary } : { result, summary };
  await store.completeDecision(state.deployment, state.step, outcome);
  return summary;
}

async function decide(
  ports: ControlStepPorts,
  live: LiveDeployment,
  state: ControlState,
  signal: AbortSignal,
): Promise<ControlDecision> {
  const { record } = live;
  const { intervalSeconds, guard } = record.spec;
  const before =
    (await ports.store.getDecision(state.deployment, state.step - 1)) ??
    (await ports.store.latestDecision(state.deployment));
  const memory = memoryBefore(record, before);
  const at = ports.now();
  const limitMs = Math.min(longestObservingMs, Math.max(shortestObservingMs, intervalSeconds * 1000 * observingShare));
  const { cluster, observation, problems } = await observeStep(ports, live, at, limitMs, signal);
  const ownerTrouble = state.nativeAutoscalers ? [] : await pauseNewOwners(ports, live, state, cluster, signal);
  const metrics = observation?.metrics ?? null;
  const observed = record.services.map((_, s) => observation?.workloads[s]?.replicas ?? null);
  const upToDate = { ...memory, seen: noteSeen(memory.seen, observed, at) };
  const guardContext =
    cluster &&
    readGuardContext(cluster, record.services, upToDate, {
      at,
      stepSeconds: intervalSeconds,
      observationAgeSteps: metrics === null ? 0 : ageOf(metrics, at),
      windowHours: guard.podHours?.windowHours ?? 1,
    });
  const { placement, placementTrouble } = placementSeen(record, cluster);
  const troubles = [...problems, ...ownerTrouble, ...placementTrouble];
  const input = { state, at, observation, problems: troubles, guardContext, placement, memory };
  const decision = await decideStep(live, input, askingOf(ports, live, signal));
  return ports.store.writeDecision({ ...decision, after: before?.step ?? null });
}

/** What placing must know, in a deployment that places. */
function placementSeen(record: DeploymentRecord, cluster: ClusterState | null) {
  const spec = placementOf(record);
  if (spec === null || cluster === null) return { placement: null, placementTrouble: [] };
  const unread = nodesUnread(cluster);
  const placementTrouble = unread === null ? [] : [`placement: the nodes could not be read: ${unread}`];
  return { placement: observePlacement(cluster, record, spec), placementTrouble };
}

/** Owners that came, or that were left alone in shadow mode; from the next step on they are paused. */
async function pauseNewOwners(
  ports: ControlStepPorts,
  { record }: LiveDeployment,
  { mode }: ControlState,
  cluster: ClusterState | null,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    if (cluster !== null) await pauseOwners(ports, record, mode, cluster, signal);
    return [];
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = toCoxswainError(error);
    if (code === 'STORE_UNAVAILABLE') throw error;
    return [`owners: ${message}`];
  }
}

function askingOf({ policies }: ControlStepPorts, { record }: LiveDeployment, signal: AbortSignal): AskPolicy {
  return async (question) => {
    const startedMs = performance.now();
    try {
      const answer = await policies.ask({ ...question, deployment: record.name, policy: record.policy }, signal);
      return { answer, milliseconds: performance.now() - startedMs };
    } catch (error) {
      signal.throwIfAborted();
      return { failure: `policy: ${toCoxswainError(error).message}` };
    }
  };
}

/** Changes what the guard permits, all workloads side by side; empty in shadow mode. */
async function act(
  ports: ControlStepPorts,
  live: LiveDeployment,
  decision: ControlDecision,
  signal: AbortSignal,
): Promise<ScaleResult[]> {
  if (decision.mode === 'shadow') return [];
  const { record } = live;
  const changes = decision.guarded.flatMap(({ workload, before, permitted }) =>
    before === null || permitted === null || permitted === before
      ? []
      : [{ workload, kind: kindOf(record, decision, workload), from: before, to: permitted }],
  );
  const detail = tooOld(ports, live, decision);
  if (detail !== null) {
    return changes.map(({ workload }) => ({ workload, outcome: 'failed', replicas: null, detail }));
  }
  return Promise.all(changes.map((change) => ports.actor.scale(change, signal)));
}

/** Why a stored decision is not acted on any more; null when it is. */
function tooOld(
  { now }: ControlStepPorts,
  { record }: LiveDeployment,
  { at }: Pick<ControlDecision, 'at'>,
): string | null {
  const ageSeconds = (now().getTime() - at.getTime()) / 1000;
  if (ageSeconds <= Math.max(record.spec.intervalSeconds, shortestObservingMs / 1000)) return null;
  return `the decision was ${Math.round(ageSeconds)} s old: its process was killed before it could act`;
}

/** What a workload is now: one that was not there at the opening may be another than was taken for granted. */
function kindOf({ services }: DeploymentRecord, { observation }: ControlDecision, workload: string): WorkloadKind {
  const s = services.findIndex((service) => service.workload === workload);
  return observation?.workloads[s]?.kind ?? services[s].kind;
}

function summaryOf(
  decision: ControlDecision,
  result: readonly ScaleResult[],
  placement: readonly PlacementResult[] | null,
  autoscalers: { readonly present: boolean; readonly troubles: readonly string[] },
): StepSummary {
  const troubles = result.filter(({ outcome }) => outcome !== 'scaled' && outcome !== 'already');
  const isDone = ({ outcome }: PlacementResult): boolean => outcome === 'placed' || outcome === 'evicted';
  const unplaced = placement?.filter((one) => !isDone(one)) ?? [];
  return {
    step: decision.step,
    at: decision.at.toISOString(),
    actor: decision.actor,
    changed: result.filter(({ outcome }) => outcome === 'scaled').length,
    guarded: decision.guarded.filter(({ reasons }) => reasons.length > 0).length,
    ...(placement === null ? {} : { placed: placement.filter(isDone).length }),
    state: { ...decision.next, nativeAutoscalers: autoscalers.present },
    notes: [
      ...decision.problems,
      ...autoscalers.troubles,
      ...troubles.map(({ workload, outcome, detail }) => `${workload}: ${outcome}: ${detail}`),
      ...unplaced.map(({ workload, pod, outcome, detail }) => `${pod ?? workload}: ${outcome}: ${detail}`),
    ]
      .slice(0, maxNotes)
      .map((note) => (note.length > maxNoteLength ? `${note.slice(0, maxNoteLength)}…` : note)),
  };
}

/** Histories stay small, whatever goes wrong at once; the decision in the store has all of it. */
const maxNotes = 5;
const maxNoteLength = 300;

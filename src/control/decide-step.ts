import type {
  ControlActor,
  ControlDecision,
  ControlMemory,
  ControlObservation,
  ControlState,
  DeploymentRecord,
  PolicyDecision,
} from '../contracts/control.ts';
import type { PlacementObservation } from '../contracts/placement.ts';
import type { PolicyAnswer } from '../contracts/policy-process.ts';
import type { JsonValue } from '../contracts/run-spec.ts';
import { afterStep } from '../domain/control/fallback-rules.ts';
import { guardProposals } from '../domain/guard/guard.ts';
import type { GuardContext } from '../domain/guard/guard.ts';
import type { HpaState } from '../rl/baselines/hpa.ts';
import type { LiveDecision } from '../rl/live/live-scaling.ts';
import { bytesText } from './bytes-text.ts';
import { decidePlacement, placementNotes } from './decide-placement.ts';
import { addPodHours, noteSeen, storedGuardContext } from './guard-context.ts';
import type { LiveDeployment } from './live-deployment.ts';

/** Everything that a decision is made from, the policy's answer excepted. */
export interface StepInput {
  readonly state: ControlState;
  readonly at: Date;
  /** Null when the cluster could not be read. */
  readonly observation: ControlObservation | null;
  readonly problems: readonly string[];
  readonly guardContext: GuardContext | null;
  /** Null in a deployment that does not place, and when cluster or nodes could not be read. */
  readonly placement: PlacementObservation | null;
  /** After the step before. */
  readonly memory: ControlMemory;
}

/** Asks the policy. `failure` = why there is no answer. */
export type AskPolicy = (question: {
  readonly observation: Float32Array;
  readonly mask: Uint8Array;
  readonly memory: Float32Array;
}) => Promise<PolicyAttempt>;

/** What came of asking the policy. */
export type PolicyAttempt =
  { readonly answer: PolicyAnswer; readonly milliseconds: number } | { readonly failure: string };

/**
 * The decision of a step: observation → policy or fallback → guard. A function of its input and the policy's answer, so
 * that replaying a record gives the same, bit for bit.
 */
export async function decideStep(
  { record, scaling, rules }: LiveDeployment,
  input: StepInput,
  ask: AskPolicy,
): Promise<ControlDecision> {
  const { state, at, observation, memory, guardContext } = input;
  const remembered = { ...memory, hpa: memory.hpa as HpaState | null };
  const live = observation && scaling.decide(observation, at.getTime() / 1000, remembered);
  const attempt = await attemptOf(live, state, memory, ask);
  const answered = attempt !== null && 'answer' in attempt ? attempt : null;
  const next = afterStep(
    state,
    {
      at,
      observed: live?.question != null,
      answered: attempt === null ? null : answered !== null,
      traffic: trafficOf(observation),
    },
    record.spec.fallback,
  );
  const policy =
    answered && live?.question ? policyDecision(record.policy.sha256, live, live.question, answered) : null;
  const { actor, replicas } = chosen(next.fallback !== null, policy, live, record.spec.fallback.controller);
  const proposals = record.services.flatMap(({ workload }, s) => {
    const wanted = replicas?.[s] ?? null;
    return wanted === null ? [] : [{ workload, replicas: wanted }];
  });
  const guarded = guardContext === null ? [] : guardProposals(proposals, rules, guardContext);
  const placed = decidePlacement(record, { state, at, observation: input.placement, scaled: guarded, memory });
  const observed = record.services.map((_, s) => observation?.workloads[s]?.replicas ?? null);
  const permitted = new Map(guarded.map((one) => [one.workload, one.permitted]));
  const planned = observed.map((before, s) =>
    state.mode === 'live' ? (permitted.get(record.services[s].workload) ?? before) : before,
  );
  const isGone = (s: number): boolean => record.services[s].comesAndGoes === true && observation?.workloads[s] === null;
  const seen = noteSeen(noteSeen(memory.seen, observed, at), planned, at).map((one, s) => (isGone(s) ? null : one));
  const presence = observation && presenceChanges(record, memory.seen, observation);
  const pods = seen.reduce((sum, workload) => sum + (workload?.replicas ?? 0), 0);
  const { intervalSeconds: stepSeconds, guard } = record.spec;
  const windowHours = guard.podHours?.windowHours ?? 1;
  return {
    deployment: state.deployment,
    step: state.step,
    at,
    state,
    mode: state.mode,
    actor,
    next,
    observation,
    problems: [
      ...input.problems,
      ...(live?.flaws ?? []),
      ...(live?.notes ?? []),
      ...(attempt !== null && 'failure' in attempt ? [attempt.failure] : []),
      ...(placed ? placementNotes(placed.placement) : []),
    ],
    memory: {
      hpa: (live?.memory.hpa ?? memory.hpa) as JsonValue,
      ...slotsOf(live?.memory ?? memory),
      policy: answered ? [...answered.answer.memory] : memory.policy,
      seen,
      podHours: addPodHours(memory.podHours, pods, { at, stepSeconds, windowHours }),
      ...(placed ? { placement: placed.memory } : {}),
    },
    ...(presence ? { presence } : {}),
    policy,
    hpaReplicas: live?.hpaReplicas ?? null,
    proposals,
    guardContext: guardContext && (storedGuardContext(guardContext) as unknown as JsonValue),
    guarded,
    ...(placed ? { placement: placed.placement } : {}),
    result: null,
    summary: null,
  };
}

function slotsOf({ slots }: Pick<ControlMemory, 'slots'>): Pick<ControlMemory, 'slots'> {
  return slots === undefined ? {} : { slots };
}

/** Which of the services that come and go did since they were last looked at; null when none did. */
function presenceChanges(
  { services }: DeploymentRecord,
  seen: ControlMemory['seen'],
  { workloads }: ControlObservation,
): NonNullable<ControlDecision['presence']> | null {
  const isFirstLook = seen.every((one) => one === null);
  const changed = services.map(({ comesAndGoes }, s) => comesAndGoes && (seen[s] === null) !== (workloads[s] === null));
  if (isFirstLook || !changed.includes(true)) return null;
  const changedTo = (there: boolean): string[] =>
    services.flatMap(({ workload }, s) => (changed[s] && (workloads[s] !== null) === there ? [workload] : []));
  return { came: changedTo(true), left: changedTo(false) };
}

/** Null when the policy is not asked: after a switch to the fallback, or without a complete observation. */
async function attemptOf(
  live: LiveDecision | null,
  state: ControlState,
  memory: ControlMemory,
  ask: AskPolicy,
): Promise<PolicyAttempt | null> {
  if (live?.question == null || state.fallback !== null) return null;
  return ask({ ...live.question, memory: Float32Array.from(memory.policy) });
}

function policyDecision(
  sha256: string,
  live: LiveDecision,
  { observation, mask }: NonNullable<LiveDecision['question']>,
  { answer: { action }, milliseconds }: Extract<PolicyAttempt, { answer: PolicyAnswer }>,
): PolicyDecision {
  return {
    sha256,
    observation: bytesText(observation),
    mask: bytesText(mask),
    action: [...action],
    replicas: live.replicasOf(action),
    milliseconds,
  };
}

function chosen(
  fallback: boolean,
  policy: PolicyDecision | null,
  live: LiveDecision | null,
  controller: 'own' | 'native',
): { actor: ControlActor; replicas: readonly (number | null)[] | null } {
  if (!fallback) return { actor: policy ? 'policy' : 'nobody', replicas: policy?.replicas ?? null };
  // Native autoscalers act by themselves; the loop only keeps them there.
  if (controller === 'native') return { actor: 'fallback', replicas: null };
  const replicas = live?.hpaReplicas ?? null;
  return { actor: replicas === null ? 'nobody' : 'fallback', replicas };
}

/** Users' requests of the newest step, and those above the SLO. */
function trafficOf(observation: ControlObservation | null): { requests: number; violations: number } | null {
  const metrics = observation?.metrics ?? null;
  const rate = metrics?.requestsPerSecond.at(-1) ?? null;
  if (metrics === null || rate === null) return null;
  const requests = rate * metrics.stepSeconds;
  return { requests, violations: requests * (metrics.violationShare ?? 0) };
}

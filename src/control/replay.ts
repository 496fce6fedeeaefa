import type { ControlDecision, ReplayResult } from '../contracts/control.ts';
import { CoxswainError } from '../contracts/errors.ts';
import { bytesText } from './bytes-text.ts';
import { decideStep } from './decide-step.ts';
import type { AskPolicy } from './decide-step.ts';
import { guardContextOf } from './guard-context.ts';
import type { StoredGuardContext } from './guard-context.ts';
import { memoryBefore } from './live-deployment.ts';
import type { LiveDeployment } from './live-deployment.ts';

/** The part of a policy that a replay needs; src/rl/policy.ts has it. */
export interface ReplayedPolicy {
  act(observations: Float32Array, actionMasks: Uint8Array | null, memory?: Float32Array): Promise<ArrayLike<number>>;
  readonly memorySize: number;
}

/**
 * Computes recorded decisions again, from the observations in the record: the HPA, what the policy is asked, its answer,
 * what that means, and what the guard permits.
 *
 * @param decisions in rising steps. One that goes on from a decision that is not among them is taken as it is.
 * @param earlier the last decisions before the first one.
 * @throws CoxswainError REPLAY_DIFFERS at the first decision that differs by a bit, naming step and field.
 */
export async function replayDecisions(
  deployment: LiveDeployment,
  decisions: AsyncIterable<ControlDecision> | Iterable<ControlDecision>,
  policy: ReplayedPolicy,
  earlier: readonly ControlDecision[] = [],
): Promise<ReplayResult> {
  let steps = 0;
  let policyAnswers = 0;
  let recent = earlier;
  for await (const decision of decisions) {
    const before = decisionBefore(decision, recent);
    if (before !== undefined) {
      await replayDecision(deployment, decision, memoryBefore(deployment.record, before), policy);
      steps++;
      if (decision.policy !== null) policyAnswers++;
    }
    recent = lastDecisions([...recent, decision]);
  }
  return { steps, policyAnswers };
}

/** As many as a decision may be written late by. */
export function lastDecisions(decisions: readonly ControlDecision[]): readonly ControlDecision[] {
  return decisions.slice(-mostRecent);
}

const mostRecent = 8;

/** The decision that another goes on from: null = none, undefined = not at hand. */
function decisionBefore(
  { step, after }: ControlDecision,
  recent: readonly ControlDecision[],
): ControlDecision | null | undefined {
  // Records without it tell only of steps that follow each other.
  const from = after !== undefined ? after : step === 0 ? null : step - 1;
  return from === null ? null : recent.find((decision) => decision.step === from);
}

async function replayDecision(
  deployment: LiveDeployment,
  recorded: ControlDecision,
  memory: ControlDecision['memory'],
  policy: ReplayedPolicy,
): Promise<void> {
  const context = recorded.guardContext as unknown as StoredGuardContext | null;
  const input = {
    state: recorded.state,
    at: recorded.at,
    observation: recorded.observation,
    problems: [],
    guardContext: context && guardContextOf(context),
    placement: recorded.placement?.observation ?? null,
    memory,
  };
  const again = await decideStep(deployment, input, answering(recorded, policy));
  for (const field of comparedFields) compare(recorded.step, field, recorded[field], again[field]);
  const asked = recorded.policy && { ...recorded.policy, milliseconds: 0 };
  compare(recorded.step, 'policy', asked, again.policy && { ...again.policy, milliseconds: 0 });
}

const comparedFields = [
  'actor',
  'next',
  'hpaReplicas',
  'memory',
  'presence',
  'proposals',
  'guarded',
  'placement',
] as const;

/** A policy that gave no answer then gives none now: why it failed is not in what was observed. */
function answering(recorded: ControlDecision, policy: ReplayedPolicy): AskPolicy {
  return async ({ observation, mask, memory }) => {
    if (recorded.policy === null) return { failure: 'no answer is recorded' };
    compare(recorded.step, 'policy.observation', recorded.policy.observation, bytesText(observation));
    compare(recorded.step, 'policy.mask', recorded.policy.mask, bytesText(mask));
    const next = memory.length === 0 ? new Float32Array(policy.memorySize) : memory;
    const action = await policy.act(observation, mask, next);
    return { answer: { action: Array.from(action), memory: next }, milliseconds: 0 };
  };
}

/** Compares as the store writes: JSON keeps every bit of a double. */
function compare(step: number, field: string, recorded: unknown, again: unknown): void {
  const [before, now] = [canonical(recorded), canonical(again)];
  if (before === now) return;
  const message = `Step ${step} differs in ${field}: the record has ${shortened(before)}, computed again it is ${shortened(now)}.`;
  throw new CoxswainError('REPLAY_DIFFERS', message, { details: { step, field } });
}

/** JSON with the names in order; a store may give them back in another one. What is not there is null. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

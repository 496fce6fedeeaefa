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
 * @param decisions in rising steps. The first one needs what the loop remembered before it: it is computed again when it
 * is step 0, and else taken as it is. The same holds after a gap in the steps.
 * @param earlier the decision before the first one, where it was replayed already.
 * @throws CoxswainError REPLAY_DIFFERS at the first decision that differs by a bit, naming step and field.
 */
export async function replayDecisions(
  deployment: LiveDeployment,
  decisions: AsyncIterable<ControlDecision> | Iterable<ControlDecision>,
  policy: ReplayedPolicy,
  earlier: ControlDecision | null = null,
): Promise<ReplayResult> {
  let steps = 0;
  let policyAnswers = 0;
  let before = earlier;
  for await (const decision of decisions) {
    const first = decision.step === 0;
    if (first || before?.step === decision.step - 1) {
      await replayDecision(deployment, decision, memoryBefore(deployment.record, first ? null : before), policy);
      steps++;
      if (decision.policy !== null) policyAnswers++;
    }
    before = decision;
  }
  return { steps, policyAnswers };
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
    memory,
  };
  const again = await decideStep(deployment, input, answering(recorded, policy));
  for (const field of comparedFields) compare(recorded.step, field, recorded[field], again[field]);
  const asked = recorded.policy && { ...recorded.policy, milliseconds: 0 };
  compare(recorded.step, 'policy', asked, again.policy && { ...again.policy, milliseconds: 0 });
}

const comparedFields = ['actor', 'next', 'hpaReplicas', 'memory', 'presence', 'proposals', 'guarded'] as const;

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

import { createHash } from 'node:crypto';

/**
 * Where control decisions lie and under which ids.
 *
 * 1. A step has two documents, the decision and what came of it: `deployment step 0` and `deployment step 1`, the step
 *    with leading zeros. Both are inserted once, and the index on `_id` gives them in order.
 * 2. Steps lie in blocks of 256 (about an hour), and the blocks of a deployment one after the other in 64 collections,
 *    because FerretDB reads a whole collection for every read of more than one id: a week has 40 320 steps.
 */
const shardCount = 64;
const blockSteps = 256;

/** Which of a step's two documents. */
export type DecisionPart = 'decision' | 'outcome';

/** The block that a step lies in, from 0. */
export function blockOf(step: number): number {
  return Math.floor(step / blockSteps);
}

/** The last step of a block. */
export function lastStepOf(block: number): number {
  return (block + 1) * blockSteps - 1;
}

/** The collection that holds a block: `controlDecisions_00` … `controlDecisions_3f`. */
export function decisionCollectionName(deployment: string, block: number): string {
  const first = createHash('sha256').update(deployment).digest()[0]!;
  return `controlDecisions_${((first + block) % shardCount).toString(16).padStart(2, '0')}`;
}

/** The id of a step's document. Names of deployments have no space, so it separates. */
export function decisionId(deployment: string, step: number, part: DecisionPart): string {
  return `${deployment} ${String(step).padStart(16, '0')} ${part === 'decision' ? 0 : 1}`;
}

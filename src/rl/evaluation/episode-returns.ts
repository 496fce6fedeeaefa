import type { Environment, Observation } from '../environment.ts';
import type { Policy } from '../policy.ts';
import { Generator } from '../random.ts';

/** Which episodes. */
export interface EpisodeReturnsOptions {
  /** Number of episodes, from 1. */
  readonly episodes: number;
  /** uint32; the episodes' seeds follow from it, so every policy sees the same episodes. */
  readonly seed: number;
  /** Ends the evaluation between two steps. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/** An episode under way. */
interface Run {
  readonly environment: Environment;
  readonly memory: Float32Array;
  seen: Observation;
  return: number;
  over: boolean;
}

/**
 * Undiscounted returns of a policy that takes its most probable actions, one an episode, in the order of the seeds. All
 * episodes go on side by side, each in an environment of its own, so that each step is one batched call.
 * @param createEnvironment makes an environment whose episodes end.
 * @throws what `signal` was aborted with.
 */
export async function episodeReturns(
  policy: Policy,
  createEnvironment: () => Environment,
  { episodes, seed, signal }: EpisodeReturnsOptions,
): Promise<number[]> {
  const generator = new Generator(seed);
  const runs = Array.from({ length: episodes }, () => begin(policy, createEnvironment(), generator.uint32()));
  for (let open = runs; open.length > 0; open = open.filter(({ over }) => !over)) {
    signal?.throwIfAborted();
    await step(policy, open);
  }
  return runs.map((run) => run.return);
}

function begin({ memorySize }: Policy, environment: Environment, seed: number): Run {
  const memory = new Float32Array(memorySize);
  return { environment, memory, seen: environment.reset(seed), return: 0, over: false };
}

/** One step of each episode. */
async function step(policy: Policy, runs: readonly Run[]): Promise<void> {
  const { actionSize, memorySize } = policy;
  const observations = joined(runs.map(({ seen }) => seen.observation));
  const memory = joined(runs.map((run) => run.memory));
  const actions = await policy.act(observations, masksOf(policy, runs), memory);
  runs.forEach((run, index) => {
    const transition = run.environment.step(actions.subarray(index * actionSize, (index + 1) * actionSize));
    run.seen = transition;
    run.return += transition.reward;
    run.over = transition.terminated || transition.truncated;
    run.memory.set(memory.subarray(index * memorySize, (index + 1) * memorySize));
  });
}

/** The masks of all rows, all true where the environment masks nothing; null for a policy without masks. */
function masksOf({ actionMaskSize }: Policy, runs: readonly Run[]): Uint8Array | null {
  if (actionMaskSize === 0) return null;
  const masks = new Uint8Array(runs.length * actionMaskSize).fill(1);
  runs.forEach(({ seen }, index) => {
    if (seen.actionMask) masks.set(seen.actionMask, index * actionMaskSize);
  });
  return masks;
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const [{ length }] = rows;
  const all = new Float32Array(rows.length * length);
  rows.forEach((row, index) => all.set(row, index * length));
  return all;
}

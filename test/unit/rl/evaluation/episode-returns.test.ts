import assert from 'node:assert/strict';
import test from 'node:test';

import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { episodeReturns } from '../../../../src/rl/evaluation/episode-returns.ts';
import type { Policy } from '../../../../src/rl/policy.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { ContextualBandit } from '../toy-environments.ts';

/** A policy that computes each row's action from its observation, mask and memory. */
function rowPolicy(
  sizes: Pick<Policy, 'observationSize' | 'actionMaskSize' | 'actionSize' | 'memorySize'>,
  decide: (observation: Float32Array, mask: Uint8Array | null, memory: Float32Array) => readonly number[],
): Policy {
  const { observationSize, actionMaskSize, actionSize, memorySize } = sizes;
  const act: Policy['act'] = async (observations, masks, memory = new Float32Array(0)) => {
    const rows = observations.length / observationSize;
    const actions = new Int32Array(rows * actionSize);
    for (let row = 0; row < rows; row++) {
      const part = <T extends Float32Array | Uint8Array>(values: T, size: number): T =>
        values.subarray(row * size, (row + 1) * size) as T;
      const mask = masks && part(masks, actionMaskSize);
      actions.set(decide(part(observations, observationSize), mask, part(memory, memorySize)), row * actionSize);
    }
    return actions;
  };
  const sample: Policy['sample'] = (observations, masks, _, memory) => act(observations, masks, memory);
  return { ...sizes, choices: [], act, sample, dispose: () => Promise.resolve() };
}

const cartPoleSizes = { observationSize: 4, actionMaskSize: 2, actionSize: 1, memorySize: 0 };
/** Pushes towards the side to which the pole leans: it falls after a while. */
const towardsFall = (observation: Float32Array): number[] => [Number(observation[2] > 0)];

test('returns are those of the same episodes played one after the other', async () => {
  const seeds = new Generator(7);
  const expected = Array.from({ length: 6 }, () => {
    const environment = new CartPole();
    let { observation } = environment.reset(seeds.uint32());
    for (let rewards = 0; ;) {
      const transition = environment.step(Int32Array.from(towardsFall(observation)));
      rewards += transition.reward;
      observation = transition.observation;
      if (transition.terminated || transition.truncated) return rewards;
    }
  });
  const policy = rowPolicy(cartPoleSizes, towardsFall);
  assert.deepEqual(await episodeReturns(policy, () => new CartPole(), { episodes: 6, seed: 7 }), expected);
  assert.ok(new Set(expected).size > 1, 'the episodes have different lengths');
});

test('each row gets the mask of its environment', async () => {
  const sizes = { observationSize: 3, actionMaskSize: 5, actionSize: 2, memorySize: 0 };
  const policy = rowPolicy(sizes, (observation, mask) => {
    const context = observation.indexOf(1);
    assert.deepEqual([mask!.length, mask![2 + context], mask!.filter((bit) => bit === 1).length], [5, 1, 4]);
    return [context % 2, context];
  });
  const returns = await episodeReturns(policy, () => new ContextualBandit(), { episodes: 5, seed: 1 });
  assert.deepEqual(returns, [2, 2, 2, 2, 2]);
});

test('a memory starts at zero and is carried from step to step within its own episode', async () => {
  const calls = new Map<number, number>();
  const policy = rowPolicy({ ...cartPoleSizes, memorySize: 1 }, (observation, _, memory) => {
    calls.set(memory[0], (calls.get(memory[0]) ?? 0) + 1);
    memory[0]++;
    return towardsFall(observation);
  });
  const lengths = await episodeReturns(policy, () => new CartPole(), { episodes: 5, seed: 3 });
  for (const [made, rows] of calls) assert.equal(rows, lengths.filter((length) => length > made).length);
  assert.equal(calls.size, Math.max(...lengths));
});

test('an aborted signal ends the evaluation with its reason', async () => {
  const stop = new AbortController();
  const policy = rowPolicy(cartPoleSizes, (observation) => {
    stop.abort(new Error('enough'));
    return towardsFall(observation);
  });
  const options = { episodes: 2, seed: 1, signal: stop.signal };
  await assert.rejects(
    episodeReturns(policy, () => new CartPole(), options),
    /enough/,
  );
});

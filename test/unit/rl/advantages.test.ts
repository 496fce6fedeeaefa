import assert from 'node:assert/strict';
import test from 'node:test';

import { explainedVariance, generalisedAdvantages, normalisedByMinibatch } from '../../../src/rl/advantages.ts';
import type { RolloutValues } from '../../../src/rl/advantages.ts';

const rollout = (values: Partial<RolloutValues>): RolloutValues => ({
  environments: 1,
  rewards: Float32Array.of(1, 2, 3),
  values: Float32Array.of(0.5, 1, 1.5),
  ends: Uint8Array.of(0, 0, 0),
  endValues: new Float32Array(3),
  nextValues: Float32Array.of(2),
  ...values,
});

const close = (actual: Float32Array, expected: number[]): void => {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(Math.abs(actual[i] - value) < 1e-6, `${i}: ${actual[i]} instead of ${value}`),
  );
};

test('three steps of an episode that goes on, worked out by hand', () => {
  // γ = 0.5, λ = 0.8: δ2 = 3 + 0.5·2 − 1.5 = 2.5; δ1 = 2 + 0.5·1.5 − 1 = 1.75; δ0 = 1 + 0.5·1 − 0.5 = 1
  const { advantages, returns } = generalisedAdvantages(rollout({}), 0.5, 0.8);
  close(advantages, [1 + 0.4 * (1.75 + 0.4 * 2.5), 1.75 + 0.4 * 2.5, 2.5]);
  close(returns, [0.5 + 2.1, 1 + 2.75, 1.5 + 2.5]);
});

test('termination counts nothing after it', () => {
  const { advantages } = generalisedAdvantages(rollout({ ends: Uint8Array.of(0, 1, 0) }), 0.5, 0.8);
  close(advantages, [1 + 0.4 * (2 - 1), 2 - 1, 2.5]);
});

test('truncation bootstraps from the last observation, and no advantage crosses it', () => {
  const values = { ends: Uint8Array.of(0, 1, 0), endValues: Float32Array.of(0, 4, 0) };
  const { advantages } = generalisedAdvantages(rollout(values), 0.5, 0.8);
  close(advantages, [1 + 0.4 * (2 + 0.5 * 4 - 1), 2 + 0.5 * 4 - 1, 2.5]);
});

test('λ = 1 gives discounted returns, λ = 0 one-step errors', () => {
  const returns = generalisedAdvantages(rollout({ ends: Uint8Array.of(0, 0, 1) }), 0.9, 1).returns;
  close(returns, [1 + 0.9 * (2 + 0.9 * 3), 2 + 0.9 * 3, 3]);
  const { advantages } = generalisedAdvantages(rollout({}), 0.9, 0);
  close(advantages, [1 + 0.9 * 1 - 0.5, 2 + 0.9 * 1.5 - 1, 3 + 0.9 * 2 - 1.5]);
});

test('environments side by side do not mix', () => {
  const one = rollout({ ends: Uint8Array.of(0, 1, 0), endValues: Float32Array.of(0, 4, 0) });
  const other = rollout({ rewards: Float32Array.of(-1, 0, 5), nextValues: Float32Array.of(-3) });
  const interleave = <T extends Float32Array | Uint8Array>(a: T, b: T): T => {
    const both = a.slice(0, 0) as T;
    return (both.constructor as unknown as { from(values: number[]): T }).from(
      Array.from(a, (x, i) => [x, b[i]]).flat(),
    );
  };
  const both = generalisedAdvantages(
    {
      environments: 2,
      rewards: interleave(one.rewards, other.rewards),
      values: interleave(one.values, other.values),
      ends: interleave(one.ends, other.ends),
      endValues: interleave(one.endValues, other.endValues),
      nextValues: Float32Array.of(one.nextValues[0], other.nextValues[0]),
    },
    0.9,
    0.7,
  ).advantages;
  const [first, second] = [one, other].map((single) => generalisedAdvantages(single, 0.9, 0.7).advantages);
  assert.deepEqual([...both], Array.from(first, (x, i) => [x, second[i]]).flat());
});

test('advantages of each minibatch have mean 0 and deviation 1; one sample alone stays as it is', () => {
  const order = Int32Array.of(3, 0, 1, 2);
  const normalised = normalisedByMinibatch(Float32Array.of(1, 2, 6, 4), order, [3, 1]);
  // minibatch [4, 1, 2]: mean 7/3, deviation √((25/9 + 16/9 + 1/9) / 2) = √(7/3)
  const deviation = Math.sqrt(7 / 3);
  close(normalised, [5 / 3 / deviation, -4 / 3 / deviation, -1 / 3 / deviation, 6]);
});

test('explained variance is 1 for perfect values, 0 for constant ones and for returns that do not vary', () => {
  const returns = Float32Array.of(1, 2, 3);
  assert.equal(explainedVariance(returns, returns), 1);
  assert.equal(explainedVariance(Float32Array.of(7, 7, 7), returns), 0);
  assert.equal(explainedVariance(returns, Float32Array.of(5, 5, 5)), 0);
  assert.ok(explainedVariance(Float32Array.of(3, 2, 1), returns) < 0);
});

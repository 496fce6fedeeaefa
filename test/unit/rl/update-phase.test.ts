import assert from 'node:assert/strict';
import test from 'node:test';

import { Generator } from '../../../src/rl/random.ts';
import { assertFinitePhase, meansOverUpdates, shuffledMinibatches } from '../../../src/rl/update-phase.ts';

test('every epoch takes every sample once, in an order of its own; the last minibatch takes what is left', () => {
  const { order, batchSizes } = shuffledMinibatches(10, 4, 3, new Generator(1));
  assert.deepEqual(batchSizes, [4, 4, 2, 4, 4, 2, 4, 4, 2]);
  const epochs = [0, 1, 2].map((epoch) => [...order.subarray(10 * epoch, 10 * epoch + 10)]);
  for (const epoch of epochs) {
    assert.deepEqual(
      epoch.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  }
  assert.equal(new Set(epochs.map((epoch) => epoch.join())).size, 3);
  assert.deepEqual(shuffledMinibatches(10, 4, 3, new Generator(1)).order, order);
});

test('figures are averaged over the updates', () => {
  assert.deepEqual(meansOverUpdates({ entropy: Float32Array.of(1, 2, 6), approxKl: Float32Array.of(0.5) }), {
    entropy: 3,
    approxKl: 0.5,
  });
});

test('what is not finite is named with its update', () => {
  const fine = { policyLoss: Float32Array.of(1, 2), gradientNorm: Float32Array.of(1, 1) };
  assert.doesNotThrow(() => assertFinitePhase('PPO', fine, Float32Array.of(1), 5));
  const refused = (figures: Record<string, Float32Array>, weights: number[], message: string): void =>
    assert.throws(() => assertFinitePhase('PPO', figures, Float32Array.from(weights), 5), {
      code: 'TRAINING_DIVERGED',
      message,
    });
  refused(
    { ...fine, gradientNorm: Float32Array.of(1, Infinity) },
    [1],
    'PPO diverged: the gradient norm is Infinity at minibatch update 7.',
  );
  refused({ entropy: Float32Array.of(NaN) }, [1], 'PPO diverged: entropy is NaN at minibatch update 6.');
  refused(fine, [1, NaN], 'PPO diverged: weight 1 is NaN at minibatch update 7.');
});

import assert from 'node:assert/strict';
import test from 'node:test';

import { ppo } from '../../../../src/rl/algorithms/ppo.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { episodeReturns } from '../../../../src/rl/evaluation/episode-returns.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { Training } from '../../../../src/rl/training-loop.ts';
import { ContextualBandit } from '../toy-environments.ts';
import { Target } from './target-toy.ts';

const quick = {
  rolloutSteps: 256,
  minibatchSize: 64,
  epochs: 8,
  learningRate: 0.01,
  hiddenSizes: [16],
  initialLogDeviation: -0.5,
};

async function trained(hyperparameters: object, environments = targets()): Promise<Training> {
  const training = await createTraining({ algorithm: ppo, hyperparameters, environments, seed: 4, totalSteps: 5120 });
  await training.run();
  return training;
}

const targets = (): Target[] => Array.from({ length: 8 }, () => new Target());

for (const sharedNetwork of [false, true]) {
  test(`continuous actions reach their target with ${sharedNetwork ? 'one trunk' : 'two networks'}, within bounds`, async () => {
    const environments = targets();
    const training = await trained({ ...quick, sharedNetwork }, environments);
    const policy = await training.policy();
    const returns = await episodeReturns(policy, () => new Target(), { episodes: 50, seed: 1 });
    const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
    // An action of 0 has −1/6; a uniformly random one about −0.6.
    assert.ok(mean > -0.01, String(mean));
    assert.equal(
      Math.max(...environments.map(({ largest }) => largest)),
      Math.fround(0.8),
      'bounds are reached and kept',
    );
    await Promise.all([policy.dispose(), training.dispose()]);
  });
}

test('drawn actions of the exported policy have the deviation that was learned', async () => {
  const training = await trained({ ...quick, initialLogDeviation: -3, learningRate: 1e-6 });
  const policy = await training.policy();
  const observations = new Float32Array(2000).fill(0.1);
  const [mean] = await policy.act(Float32Array.of(0.1, 0.1), null);
  const drawn = await policy.sample(observations, null, new Generator(2));
  const errors = Array.from({ length: 1000 }, (_, i) => drawn[2 * i] - mean);
  const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
  assert.ok(Math.abs(deviation / Math.exp(-3) - 1) < 0.08, String(deviation));
  await Promise.all([policy.dispose(), training.dispose()]);
});

test('killed and gone on from a checkpoint, continuous actions give the same weights', async () => {
  const options = {
    algorithm: ppo,
    hyperparameters: { ...quick, normaliseObservations: true },
    seed: 8,
    totalSteps: 2048,
  };
  const whole = await createTraining({ ...options, environments: targets() });
  let middle: Uint8Array | null = null;
  await whole.run({ onCheckpoint: ({ step, bytes }) => void (step === 768 && (middle = bytes)) });
  const resumed = await createTraining({ ...options, environments: targets(), checkpoint: middle! });
  assert.equal(resumed.step, 768);
  await resumed.run();
  const weights = (training: Training): Float32Array => readCheckpoint(training.checkpoint()).parameters;
  assert.deepEqual(weights(resumed), weights(whole));
  await Promise.all([whole.dispose(), resumed.dispose()]);
});

test('a trunk for both networks solves the bandit with masked heads', async () => {
  const training = await createTraining({
    algorithm: ppo,
    hyperparameters: {
      rolloutSteps: 128,
      minibatchSize: 48,
      epochs: 6,
      learningRate: 0.01,
      hiddenSizes: [16],
      sharedNetwork: true,
    },
    environments: Array.from({ length: 4 }, () => new ContextualBandit()),
    seed: 1,
    totalSteps: 2560,
  });
  const rewards: number[] = [];
  await training.run({ onUpdate: ({ metrics }) => void rewards.push(metrics.rewardMean) });
  assert.ok(rewards.at(-1)! > 1.9, String(rewards.at(-1)));
  await training.dispose();
});

test('a probability of doing nothing is refused for continuous actions', async () => {
  const hyperparameters = { initialNoopProbability: 0.5 };
  await assert.rejects(
    createTraining({ algorithm: ppo, hyperparameters, environments: [new Target()], seed: 1, totalSteps: 1 }),
    { code: 'SPEC_INVALID', message: /actions of target are continuous/ },
  );
});

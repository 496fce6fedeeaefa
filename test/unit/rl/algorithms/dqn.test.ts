import assert from 'node:assert/strict';
import test from 'node:test';

import * as tf from '@tensorflow/tfjs-core';

import { DqnModel, dqn } from '../../../../src/rl/algorithms/dqn.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { loadPolicy } from '../../../../src/rl/policy.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { Training, TrainingOptions, UpdateMetrics } from '../../../../src/rl/training-loop.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { Corridor } from '../grid-worlds.ts';
import { ConstantReward } from '../toy-environments.ts';

const quick = {
  hiddenSizes: [16],
  learningRate: 3e-3,
  trainFrequency: 2,
  learningStarts: 50,
  targetUpdateInterval: 100,
  replayCapacity: 2000,
  discount: 0.9,
  explorationFraction: 0.5,
};

/** A training that has run, and its reports. */
async function trained(
  options: Partial<TrainingOptions>,
): Promise<{ training: Training; reports: UpdateMetrics[]; parameters: Float32Array }> {
  const training = await createTraining({
    algorithm: dqn,
    hyperparameters: quick,
    environments: [new Corridor()],
    seed: 1,
    totalSteps: 3000,
    ...options,
  });
  const reports: UpdateMetrics[] = [];
  await training.run({ onUpdate: ({ metrics }) => void reports.push(metrics) });
  return { training, reports, parameters: readCheckpoint(training.checkpoint()).parameters };
}

/** Cells of the corridor as observations. */
const cells = Float32Array.from({ length: 20 }, (_, i) => Number(i % 5 === Math.floor(i / 5)));

const variants: Record<string, object> = {
  'with its defaults': {},
  double: { doubleQ: true },
  duelling: { duelling: true },
  'over three steps': { returnSteps: 3 },
  prioritised: { prioritisedReplay: true },
  'with a target network that follows slowly': { targetRate: 0.05, targetUpdateInterval: 1 },
  'with as many updates as steps': { gradientSteps: null, trainFrequency: 8 },
};

for (const [name, hyperparameters] of Object.entries(variants)) {
  test(`${name}: the corridor is walked straight to its end, and its values are those of the discount`, async () => {
    const { training, parameters } = await trained({ hyperparameters: { ...quick, ...hyperparameters } });
    const { onnx } = await training.exportPolicy();
    const policy = await loadPolicy(onnx);
    assert.deepEqual([...(await policy.act(cells, null))], [2, 2, 2, 2]);
    const model = new DqnModel(dqn.configure({ ...quick, ...hyperparameters }), new Corridor().description);
    const values = await compile((inputs) => model.act(inputs), model.actInputs(4));
    const { values: learned } = await values.run({
      parameters: parameters.slice(0, model.layout.size),
      observation: cells,
    });
    // Right at the last cell but one gives 1, and before it −0.1 + 0.9 × what follows.
    [0.458, 0.62, 0.8, 1].forEach((value, cell) => {
      const found = learned[3 * cell + 2];
      assert.ok(Math.abs(found - value) < 0.15, `cell ${cell}: ${found} for ${value}`);
    });
    await Promise.all([values.dispose(), policy.dispose(), training.dispose()]);
  });
}

test('masked choices are never taken, neither by chance nor as the best', async () => {
  const environments = [new Corridor(true), new Corridor(true)];
  const { training, reports } = await trained({ environments });
  assert.equal(environments[0].violations + environments[1].violations, 0);
  const [first, last] = [reports[0].rewardMean, reports.at(-1)!.rewardMean];
  assert.ok(last > 0.25 && last > first + 0.1, `it learns all the same: from ${first} to ${last}`);
  await training.dispose();
});

test('masks count in the target: a forbidden choice that would be best is not', async () => {
  // Staying is forbidden, so its value is never learned; the target network's first guesses of it must not leak in.
  const { training, reports } = await trained({
    environments: [new Corridor(true)],
    hyperparameters: { ...quick, discount: 0.5, targetUpdateInterval: 10 },
  });
  // With a discount of ½ no state is worth more than 1.
  assert.ok(reports.at(-1)!.learning.meanQ < 1.1, String(reports.at(-1)!.learning.meanQ));
  await training.dispose();
});

/** The mean of the values that training gives the only observation of {@link ConstantReward}. */
async function learnedValue(end: 'truncated' | 'terminated'): Promise<number> {
  const hyperparameters = { ...quick, discount: 0.8, targetUpdateInterval: 20 };
  const { training, reports } = await trained({ hyperparameters, environments: [new ConstantReward(2, end)] });
  await training.dispose();
  return reports.at(-1)!.learning.meanQ;
}

test('the value of an endless reward that is only cut off counts what would follow', async () => {
  // 1 / (1 − 0.8) = 5
  const value = await learnedValue('truncated');
  assert.ok(Math.abs(value - 5) < 0.2, String(value));
});

test('the value of a reward that ends counts nothing after the end', async () => {
  // Every second step ends the episode, and the steps look alike: q = 1 + 0.8 × ½ q = 1.67
  const value = await learnedValue('terminated');
  assert.ok(Math.abs(value - 5 / 3) < 0.2, String(value));
});

test('nothing is learned before learning starts, and exploration falls as configured', async () => {
  const hyperparameters = { ...quick, learningStarts: 1000, initialExplorationRate: 0.8, finalExplorationRate: 0.2 };
  const { training, reports } = await trained({ hyperparameters, totalSteps: 4000 });
  assert.deepEqual(reports[0].learning, {});
  const rates = reports.slice(1).map(({ learning }) => learning.explorationRate);
  // From 0.8 to 0.2 over 2000 steps: the mean of the second thousand, then the end.
  assert.ok(Math.abs(rates[0] - 0.35) < 1e-3, String(rates));
  assert.ok(
    rates.slice(1).every((rate) => Math.abs(rate - 0.2) < 1e-12),
    String(rates),
  );
  await training.dispose();
});

test('a loss that overflows ends the training, which stands where it stood before', async () => {
  const environments = [new ConstantReward(5, 'terminated', (step) => (step > 2500 ? 1e38 * 10 : 1))];
  const training = await createTraining({
    algorithm: dqn,
    hyperparameters: { ...quick, prioritisedReplay: true },
    environments,
    seed: 1,
    totalSteps: 10_000,
  });
  let before = new Uint8Array();
  const failed = training.run({ onCheckpoint: ({ bytes }) => void (before = new Uint8Array(bytes)) });
  await assert.rejects(failed, {
    code: 'TRAINING_DIVERGED',
    message: /^DQN diverged: the loss is .* at update \d+\.$/,
  });
  assert.equal(training.step, 2000);
  assert.deepEqual(training.checkpoint(), before);
  await training.dispose();
});

test('memory does not grow with the steps', async () => {
  const training = await createTraining({
    algorithm: dqn,
    hyperparameters: { ...quick, hiddenSizes: [64, 64], prioritisedReplay: true, replayCapacity: 1000 },
    environments: [new CartPole()],
    seed: 1,
    totalSteps: 8000,
  });
  const seen: { rss: number; tensors: number }[] = [];
  await training.run({
    onUpdate: () => void seen.push({ rss: process.memoryUsage.rss(), tensors: tf.engine().state.numTensors }),
  });
  await training.dispose();
  assert.equal(seen.at(-1)!.tensors, seen[3].tensors);
  // Kept, the weights and moments of the last 2 000 updates would be 110 MB.
  const grown = seen.at(-1)!.rss - seen[3].rss;
  assert.ok(grown < 60e6, `${(grown / 1e6).toFixed(1)} MB`);
});

test('settings that contradict each other or are unknown are refused', () => {
  assert.throws(() => dqn.configure({ prioritizedReplay: true }), {
    code: 'SPEC_INVALID',
    message: /prioritizedReplay is unknown; nearest valid name: prioritisedReplay/,
  });
  assert.throws(() => dqn.configure({ targetRate: 0 }), { code: 'SPEC_INVALID', message: /targetRate: found 0/ });
});

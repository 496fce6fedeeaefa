import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { A2cModel, a2c } from '../../../../src/rl/algorithms/a2c.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import type { Environment } from '../../../../src/rl/environment.ts';
import { episodeReturns } from '../../../../src/rl/evaluation/episode-returns.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { Training } from '../../../../src/rl/training-loop.ts';
import { elementCount } from '../../../../src/tensor/graph.ts';
import type { Values } from '../../../../src/tensor/loaded-model.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { assertClose } from '../../tensor/compare.ts';
import { ConstantReward, ContextualBandit } from '../toy-environments.ts';
import { Target } from './target-toy.ts';

const rows = 20;

/** Random inputs in the shapes that an update asks for. */
function randomInputs(model: A2cModel, generator: Generator): Record<string, Float32Array> {
  const { layout } = model.networks.distribution;
  const inputs = Object.fromEntries(
    Object.entries(model.updateInputs).map(([name, { shape }]) => {
      const length = elementCount(shape.map((size) => (size === 'batch' ? rows : (size as number))));
      return [name, Float32Array.from({ length }, () => generator.normal())];
    }),
  );
  inputs.parameters = model.networks.initialParameters(generator).map((value) => value + 0.1 * generator.normal());
  inputs.squares.forEach((value, i, all) => (all[i] = value * value));
  inputs.learningRate[0] = 0.01;
  if (layout) {
    inputs.action.fill(0);
    for (let head = 0; head < rows * layout.heads; head++) {
      inputs.action[head * layout.width + generator.integer(Math.min(...layout.choices))] = 1;
    }
    inputs.penalty?.forEach((_, i, all) => (all[i] = layout.maskPlaces[i % layout.logits] < 0 ? -1e8 : 0));
  }
  return inputs;
}

for (const [name, environment, sharedNetwork] of [
  ['heads of different sizes', new ContextualBandit(), false],
  ['continuous actions', new Target(), false],
  ['one trunk', new ContextualBandit(), true],
] as const) {
  test(`an update (${name}) is that of the CPU backend within 1e-5`, async () => {
    const config = a2c.configure({ hiddenSizes: [16, 16], entropyCoefficient: 0.02, sharedNetwork });
    const model = new A2cModel(config, environment.description);
    const inputs = randomInputs(model, new Generator(3));
    const program = await compile((tensors) => model.update(tensors), model.updateInputs);
    const actual = await program.run(inputs);
    await program.dispose();
    await tf.setBackend('cpu');
    const tensors = Object.entries(model.updateInputs).map(([input, { shape }]) => {
      const lengths = shape.map((size) => (size === 'batch' ? rows : (size as number)));
      return [input, tf.tensor(inputs[input], lengths)];
    });
    const expected = model.update(Object.fromEntries(tensors) as Record<string, tf.Tensor>);
    for (const [output, value] of Object.entries(expected)) {
      assertClose(actual[output], value.dataSync() as Values, 1e-5, output);
    }
  });
}

async function trained(
  environments: Environment[],
  hyperparameters: object,
  totalSteps: number,
): Promise<{ training: Training; rewards: number[] }> {
  const training = await createTraining({ algorithm: a2c, hyperparameters, environments, seed: 5, totalSteps });
  const rewards: number[] = [];
  await training.run({ onUpdate: ({ metrics }) => void rewards.push(metrics.rewardMean) });
  return { training, rewards };
}

test('a bandit with masked heads is solved, and no masked choice is ever taken', async () => {
  const environments = Array.from({ length: 8 }, () => new ContextualBandit());
  const hyperparameters = { hiddenSizes: [16], learningRate: 0.01, normaliseAdvantages: true };
  const { training, rewards } = await trained(environments, hyperparameters, 3 * 2080);
  assert.ok(rewards.at(-1)! > 1.9, rewards.join());
  assert.ok(environments.every(({ violations }) => violations === 0));
  await training.dispose();
});

test('continuous actions reach their target', async () => {
  const hyperparameters = {
    hiddenSizes: [16],
    learningRate: 0.01,
    initialLogDeviation: -1,
    normaliseObservations: true,
  };
  const environments = Array.from({ length: 16 }, () => new Target());
  const { training } = await trained(environments, hyperparameters, 20_000);
  const policy = await training.policy();
  const returns = await episodeReturns(policy, () => new Target(), { episodes: 50, seed: 1 });
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  assert.ok(mean > -0.02, String(mean));
  await Promise.all([policy.dispose(), training.dispose()]);
});

test('one update comes after every five steps of all environments, and a report after many', async () => {
  const environments = [new ConstantReward(7, 'truncated'), new ConstantReward(9, 'terminated')];
  const { training, rewards } = await trained(environments, {}, 2050);
  const { values } = readCheckpoint(training.checkpoint());
  assert.equal(training.step, 2050);
  assert.equal((values as { agent: { updates: number } }).agent.updates, 205);
  assert.equal(rewards.length, 1);
  await training.dispose();
});

test('killed and gone on from a checkpoint, it gives the same weights', async () => {
  const options = {
    algorithm: a2c,
    hyperparameters: { hiddenSizes: [8], normaliseObservations: true, scaleRewards: true },
    seed: 8,
    totalSteps: 6 * 2050,
  };
  const bandits = (): ContextualBandit[] => [new ContextualBandit(), new ContextualBandit()];
  const whole = await createTraining({ ...options, environments: bandits() });
  let middle: Uint8Array | null = null;
  await whole.run({ onCheckpoint: ({ step, bytes }) => void (step === 4100 && (middle = bytes)) });
  const resumed = await createTraining({ ...options, environments: bandits(), checkpoint: middle! });
  await resumed.run();
  const weights = (training: Training): Float32Array => readCheckpoint(training.checkpoint()).parameters;
  assert.deepEqual(weights(resumed), weights(whole));
  await Promise.all([whole.dispose(), resumed.dispose()]);
});

test('the value of an endless reward that is only cut off counts what would follow', async () => {
  const environments = Array.from({ length: 4 }, () => new ConstantReward(2, 'truncated'));
  const hyperparameters = { hiddenSizes: [8], discount: 0.8, learningRate: 0.01, maxGradientNorm: 100 };
  const { training } = await trained(environments, hyperparameters, 4 * 2060);
  const { networks } = new A2cModel(a2c.configure(hyperparameters), environments[0].description);
  const program = await compile((inputs) => networks.value(inputs), networks.valueInputs);
  const { parameters } = readCheckpoint(training.checkpoint());
  const { values } = await program.run({
    parameters: networks.criticPart(parameters),
    observation: Float32Array.of(1),
  });
  // 1 / (1 − 0.8) = 5
  assert.ok(Math.abs(values[0] - 5) < 0.4, String(values[0]));
  await Promise.all([program.dispose(), training.dispose()]);
});

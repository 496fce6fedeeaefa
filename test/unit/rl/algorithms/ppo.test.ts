import assert from 'node:assert/strict';
import test from 'node:test';

import { PpoModel, ppo } from '../../../../src/rl/algorithms/ppo.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { UpdateMetrics } from '../../../../src/rl/training-loop.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { ConstantReward, ContextualBandit } from '../toy-environments.ts';

const quick = { rolloutSteps: 128, minibatchSize: 48, epochs: 6, learningRate: 0.01, hiddenSizes: [16] };

test('a bandit with masked heads is solved, and no masked choice is ever taken', async () => {
  const environments = Array.from({ length: 4 }, () => new ContextualBandit());
  const training = await createTraining({
    algorithm: ppo,
    hyperparameters: quick,
    environments,
    seed: 1,
    totalSteps: 2560,
  });
  const rewards: number[] = [];
  await training.run({ onUpdate: ({ metrics }) => void rewards.push(metrics.rewardMean) });
  assert.ok(rewards[0] < 1.4, `chance level at first: ${rewards[0]}`);
  assert.ok(rewards.at(-1)! > 1.9, `solved at the end: ${rewards.at(-1)}`);
  assert.equal(
    environments.reduce((sum, environment) => sum + environment.violations, 0),
    0,
  );
  await training.dispose();
});

test('measures are averaged over the rollout', async () => {
  const environments = [new ContextualBandit()];
  const training = await createTraining({
    algorithm: ppo,
    hyperparameters: quick,
    environments,
    seed: 1,
    totalSteps: 128,
  });
  await training.run({
    onUpdate: ({ metrics }) => assert.ok(Math.abs(metrics.measures.right - metrics.rewardMean / 2) < 1e-9),
  });
  await training.dispose();
});

/** The value that training gives the only observation of {@link ConstantReward}. */
async function learnedValue(end: 'truncated' | 'terminated'): Promise<number> {
  const config = ppo.configure({ ...quick, learningRate: 0.02, discount: 0.8, maxGradientNorm: 100 });
  const environments = [new ConstantReward(2, end), new ConstantReward(2, end)];
  const training = await createTraining({
    algorithm: ppo,
    hyperparameters: config,
    environments,
    seed: 2,
    totalSteps: 128 * 25,
  });
  await training.run();
  const { parameters } = readCheckpoint(training.checkpoint());
  await training.dispose();
  const { networks } = new PpoModel(config, environments[0].description);
  const program = await compile((inputs) => networks.value(inputs), networks.valueInputs);
  const inputs = { parameters: networks.criticPart(parameters), observation: Float32Array.of(1) };
  const { values } = await program.run(inputs);
  await program.dispose();
  return values[0];
}

test('the value of an endless reward that is only cut off counts what would follow', async () => {
  // 1 / (1 − 0.8) = 5
  const value = await learnedValue('truncated');
  assert.ok(Math.abs(value - 5) < 0.4, String(value));
});

test('the value of a reward that ends counts nothing after the end', async () => {
  // The two steps of an episode look alike: about (1 + 1.8) / 2
  const value = await learnedValue('terminated');
  assert.ok(value > 1 && value < 1.9, String(value));
});

test('a target divergence ends phases early', async () => {
  const minibatches = async (targetKl: number | null): Promise<number> => {
    const hyperparameters = { ...quick, learningRate: 0.05, targetKl };
    let made = 0;
    const training = await createTraining({
      algorithm: ppo,
      hyperparameters,
      environments: [new ContextualBandit()],
      seed: 3,
      totalSteps: 128,
    });
    await training.run({ onUpdate: ({ metrics }) => void (made = metrics.learning.minibatches) });
    await training.dispose();
    return made;
  };
  assert.equal(await minibatches(null), 6 * 3);
  const stopped = await minibatches(0.001);
  assert.ok(stopped >= 1 && stopped < 18, String(stopped));
});

test('schedules fall linearly with the steps done', async () => {
  const hyperparameters = {
    ...quick,
    learningRateSchedule: 'linear',
    entropyCoefficient: 0.1,
    finalEntropyCoefficient: 0,
  };
  const rates: number[] = [];
  const training = await createTraining({
    algorithm: ppo,
    hyperparameters,
    environments: [new ContextualBandit()],
    seed: 3,
    totalSteps: 512,
  });
  await training.run({ onUpdate: ({ metrics }) => void rates.push(metrics.learning.learningRate) });
  assert.deepEqual(rates, [0.01, 0.0075, 0.005, 0.0025]);
  await training.dispose();
});

test('the first policy does nothing in every head with the asked probability', async () => {
  const { description } = new ContextualBandit();
  const model = new PpoModel(ppo.configure({ initialNoopProbability: 0.9 }), description);
  const parameters = model.initialParameters(new Generator(5));
  const program = await compile((inputs) => model.networks.act(inputs), model.networks.actInputs);
  const { probabilities } = await program.run({
    parameters: model.networks.policyPart(parameters),
    observation: Float32Array.of(0, 1, 0),
    penalty: Float32Array.of(0, 0, -1e8, 0, 0, 0),
  });
  await program.dispose();
  const expected = [0.9, 0.1, 0, 0.9, 0.05, 0.05];
  expected.forEach((value, i) => assert.ok(Math.abs(probabilities[i] - value) < 0.005, `${i}: ${probabilities[i]}`));
});

test('normalised observations and scaled rewards still solve the bandit', async () => {
  const hyperparameters = { ...quick, normaliseObservations: true, scaleRewards: true };
  const environments = Array.from({ length: 4 }, () => new ContextualBandit());
  const training = await createTraining({ algorithm: ppo, hyperparameters, environments, seed: 6, totalSteps: 2560 });
  let last: UpdateMetrics | null = null;
  await training.run({ onUpdate: ({ metrics }) => void (last = metrics) });
  assert.ok(last!.rewardMean > 1.9, String(last!.rewardMean));
  await training.dispose();
});

test('a number of environments that does not divide the rollout is refused', async () => {
  const environments = [new ContextualBandit(), new ContextualBandit(), new ContextualBandit()];
  await assert.rejects(
    createTraining({ algorithm: ppo, hyperparameters: quick, environments, seed: 1, totalSteps: 1 }),
    {
      code: 'SPEC_INVALID',
      message: /rolloutSteps: found 128; allowed: a multiple of the number of environments \(3\)/,
    },
  );
});

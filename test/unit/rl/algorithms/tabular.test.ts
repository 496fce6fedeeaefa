import assert from 'node:assert/strict';
import test from 'node:test';

import type { Algorithm } from '../../../../src/rl/algorithm.ts';
import { qLearning } from '../../../../src/rl/algorithms/q-learning.ts';
import { sarsa } from '../../../../src/rl/algorithms/sarsa.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { episodeReturns } from '../../../../src/rl/evaluation/episode-returns.ts';
import { loadPolicy } from '../../../../src/rl/policy.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { TabularLearner } from '../../../../src/rl/tabular/tabular-learner.ts';
import type { TabularRule } from '../../../../src/rl/tabular/tabular-learner.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { Training } from '../../../../src/rl/training-loop.ts';
import { VectorEnvironment } from '../../../../src/rl/vector-environment.ts';
import { CliffWalk } from '../grid-worlds.ts';
import { ConstantReward } from '../toy-environments.ts';

const bookSettings = {
  bins: [4, 12],
  learningRate: 0.5,
  discount: 1,
  initialExplorationRate: 0.1,
  finalExplorationRate: 0.1,
};

/** A training on the cliff that has run, and the mean return of the episodes while it ran. */
async function walked(
  algorithm: Algorithm,
  environment: CliffWalk,
  totalSteps: number,
): Promise<{ training: Training; whileLearning: number }> {
  const training = await createTraining({
    algorithm,
    hyperparameters: bookSettings,
    environments: [environment],
    seed: 3,
    totalSteps,
  });
  let whileLearning = 0;
  await training.run({ onUpdate: ({ metrics }) => void (whileLearning = metrics.episodeReturn!) });
  return { training, whileLearning };
}

/** The return of the policy's own path. */
async function pathReturn(training: Training): Promise<number> {
  const { onnx } = await training.exportPolicy();
  const policy = await loadPolicy(onnx);
  const [value] = await episodeReturns(policy, () => new CliffWalk(), { episodes: 1, seed: 1 });
  await Promise.all([policy.dispose(), training.dispose()]);
  return value;
}

test('Q-learning finds the shortest path along the cliff, SARSA a safe one, and SARSA falls less while it explores', async () => {
  const careless = new CliffWalk();
  const careful = new CliffWalk();
  const bold = await walked(qLearning, careless, 60_000);
  const safe = await walked(sarsa, careful, 60_000);
  assert.equal(await pathReturn(bold.training), -13);
  const detour = await pathReturn(safe.training);
  assert.ok(detour === -15 || detour === -17, `return of the safe path: ${detour}`);
  assert.ok(
    safe.whileLearning > bold.whileLearning + 10,
    `while learning: ${safe.whileLearning} and ${bold.whileLearning}`,
  );
});

for (const algorithm of [qLearning, sarsa]) {
  test(`${algorithm.name} never takes a masked action, and exports a policy that keeps to the masks`, async () => {
    const environment = new CliffWalk({ masked: true });
    const { training } = await walked(algorithm, environment, 20_000);
    assert.equal(environment.bumps, 0);
    const { onnx } = await training.exportPolicy();
    const policy = await loadPolicy(onnx);
    const judge = new CliffWalk({ masked: true });
    await episodeReturns(policy, () => judge, { episodes: 1, seed: 1 });
    assert.equal(judge.bumps, 0);
    await Promise.all([policy.dispose(), training.dispose()]);
  });

  test(`${algorithm.name} gives a reward that is only cut off the value of what would follow, and not after an end`, async () => {
    const learned = async (end: 'truncated' | 'terminated'): Promise<Float32Array> => {
      const training = await createTraining({
        algorithm,
        hyperparameters: { bins: 1, discount: 0.5, learningRateSchedule: 'linear' },
        environments: [new ConstantReward(1, end)],
        seed: 1,
        totalSteps: 10_000,
      });
      await training.run();
      const { parameters } = readCheckpoint(training.checkpoint());
      await training.dispose();
      return parameters;
    };
    // 1 / (1 − 0.5), and the reward alone.
    for (const value of await learned('truncated')) assert.ok(Math.abs(value - 2) < 1e-4, String(value));
    for (const value of await learned('terminated')) assert.ok(Math.abs(value - 1) < 1e-4, String(value));
  });
}

/** Q of the two choices after each of three steps with the rewards 0, 4, 4, without exploration. */
function threeSteps(rule: TabularRule): number[][] {
  const environments = new VectorEnvironment(
    [new ConstantReward(1000, 'truncated', (step) => (step === 1 ? 0 : 4))],
    new Generator(1),
  );
  const config = qLearning.configure({
    bins: 1,
    learningRate: 0.5,
    discount: 0.5,
    initialValue: 4,
    initialExplorationRate: 0,
    finalExplorationRate: 0,
  });
  const learner = new TabularLearner(rule, config, {
    environment: environments.description,
    environments: 1,
    generator: new Generator(1),
    device: 'cpu',
    recipe: null,
  });
  return [0, 1, 2].map((step) => {
    learner.act(environments, { step, totalSteps: 10, remaining: 1 });
    learner.record(environments.step(), environments);
    return [...learner.weights().parameters];
  });
}

test('Q-learning changes the table as worked out by hand', () => {
  // The first of equal choices: 4 + ½ (0 + ½·4 − 4). Then the better one: 4 + ½ (4 + ½·4 − 4), 5 + ½ (4 + ½·5 − 5).
  assert.deepEqual(threeSteps('q-learning'), [
    [3, 4],
    [3, 5],
    [3, 5.75],
  ]);
});

test('SARSA changes the table as worked out by hand', () => {
  // What comes next is chosen before the table changes: the first choice again, 3 + ½ (4 + ½·4 − 3), then the second one,
  // followed by the first: 4 + ½ (4 + ½·4.5 − 4).
  assert.deepEqual(threeSteps('sarsa'), [
    [3, 4],
    [4.5, 4],
    [4.5, 5.125],
  ]);
});

test('CartPole is balanced much longer than by chance from bins of its angle and its speed', async () => {
  const training = await createTraining({
    algorithm: qLearning,
    hyperparameters: {
      bins: [1, 1, 6, 12],
      low: [-2.4, -3, -0.21, -3],
      high: [2.4, 3, 0.21, 3],
      learningRateSchedule: 'linear',
      learningRate: 0.3,
    },
    environments: [new CartPole(), new CartPole()],
    seed: 5,
    totalSteps: 60_000,
  });
  await training.run();
  const policy = await training.policy();
  const returns = await episodeReturns(policy, () => new CartPole(), { episodes: 20, seed: 1 });
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
  // Chance is 22.
  assert.ok(mean > 120, String(mean));
  await Promise.all([policy.dispose(), training.dispose()]);
});

test('bounds that are missing, do not fit or make too many cells are refused with what to do', async () => {
  const refused = async (hyperparameters: object, message: RegExp): Promise<void> =>
    assert.rejects(
      createTraining({ algorithm: sarsa, hyperparameters, environments: [new CartPole()], seed: 1, totalSteps: 1 }),
      { code: 'SPEC_INVALID', message },
    );
  await refused(
    {},
    /cart-pole: element 1 of the observation goes from -Infinity to Infinity; give finite numbers in low and high/,
  );
  await refused({ bins: [2, 2] }, /bins has 2 entries for 4 elements/);
  const box = { low: [-1, -1, -1, -1], high: [1, 1, 1, 1] };
  await refused({ bins: 1000, ...box }, /bins make 1000000000000 cells; allowed: up to 16777216/);
  await refused({ bins: 2.5, ...box }, /bins: found 2.5; allowed: a whole number from 1 to 100000, or a list/);
});

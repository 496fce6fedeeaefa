import assert from 'node:assert/strict';
import test from 'node:test';

import type { AgentSetup } from '../../../../src/rl/algorithm.ts';
import { SacModel, sac } from '../../../../src/rl/algorithms/sac.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { Pendulum } from '../../../../src/rl/environments/pendulum.ts';
import { policyModel } from '../../../../src/rl/policy-export.ts';
import { loadPolicy } from '../../../../src/rl/policy.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { assertSameUpdates, described, updated } from './off-policy-update.ts';
import { HugeRewards } from './huge-rewards.ts';
import { greedyRewardInToy } from './train-toy.ts';

const box = (elements: number) => ({ kind: 'box', shape: [elements], low: -2, high: 2 }) as const;
const modelOf = (hyperparameters: object, elements = 1): SacModel =>
  new SacModel(sac.configure({ hiddenSizes: [4], ...hyperparameters }), described(box(elements), 3));

const one = {
  observation: [0.1, 0.2, 0.3],
  action: [0.5],
  reward: [1],
  discount: [0.9],
  nextObservation: [0, 0, 0],
  noise: [0],
  nextNoise: [0],
  stepSize: [0],
  epsilon: [1e-8],
  targetRate: [0.25],
};

test('the target is the reward and the discounted soft value of the lower target critic', async () => {
  const model = modelOf({ batchSize: 1 });
  const results = await updated(
    model,
    (inputs) => model.update(inputs),
    (state) => {
      model.criticLayout.view(state.target1, 'critic.output.bias')[0] = 2;
      model.criticLayout.view(state.target2, 'critic.output.bias')[0] = 3;
      state.logEntropyCoefficient[0] = Math.log(0.5);
    },
    one,
  );
  // u = 0, so ln π = ln N(0; 0, 1) − ln(1 − tanh² 0) = −½ ln 2π; both critics say 0: the loss is ½ (y² + y²).
  const target = 1 + 0.9 * (2 + 0.5 * 0.5 * Math.log(2 * Math.PI));
  assert.ok(Math.abs(results.criticLoss[0] - target ** 2) < 1e-5, `${results.criticLoss[0]}, not ${target ** 2}`);
  assert.ok(Math.abs(results.entropy[0] - 0.5 * Math.log(2 * Math.PI)) < 1e-6);
  // Targets went a quarter of the way to critics whose output is 0.
  assert.equal(model.criticLayout.view(results['next.target1'] as Float32Array, 'critic.output.bias')[0], 1.5);
});

test('the entropy coefficient rises when the entropy is below its target, and falls above it', async () => {
  const changeWith = async (targetEntropy: number): Promise<number> => {
    const model = modelOf({ batchSize: 1, targetEntropy });
    const results = await updated(
      model,
      (inputs) => model.update(inputs),
      () => {},
      { ...one, stepSize: [0.01] },
    );
    return results['next.logEntropyCoefficient'][0];
  };
  assert.ok((await changeWith(5)) > 0);
  assert.ok((await changeWith(-5)) < 0);
});

test('a given entropy coefficient stays what it is', async () => {
  const model = modelOf({ batchSize: 1, entropyCoefficient: 0.25 });
  const results = await updated(
    model,
    (inputs) => model.update(inputs),
    (state) => model.initialise(state, new Generator(1)),
    { ...one, stepSize: [0.01] },
  );
  assert.equal(results.entropyCoefficient[0], 0.25);
  assert.equal(results['next.logEntropyCoefficient'][0], Math.fround(Math.log(0.25)));
});

test('ln π stays finite where the squashed action is 1 in single precision', async () => {
  const model = modelOf({ batchSize: 1 });
  const results = await updated(
    model,
    (inputs) => model.update(inputs),
    (state) => (model.policyLayout.view(state.policy, 'policy.output.bias')[0] = 30),
    one,
  );
  // −½ ln 2π − 2 (ln 2 − 30 − softplus(−60))
  const expected = 0.5 * Math.log(2 * Math.PI) + 2 * (Math.LN2 - 30);
  assert.ok(Math.abs(results.entropy[0] - expected) < 1e-4, `${results.entropy[0]}, not ${expected}`);
});

const cases: Record<string, { hyperparameters: object; elements: number }> = {
  'the defaults': { hyperparameters: {}, elements: 1 },
  'three elements and two tanh layers': { hyperparameters: { activation: 'tanh', hiddenSizes: [8, 4] }, elements: 3 },
  'a given entropy coefficient': { hyperparameters: { entropyCoefficient: 0.2 }, elements: 2 },
};

for (const [name, { hyperparameters, elements }] of Object.entries(cases)) {
  test(`four chained updates (${name}) are those of the CPU backend within 1e-5`, async () => {
    const model = modelOf({ batchSize: 16, ...hyperparameters }, elements);
    const figures = await assertSameUpdates(model, [(inputs) => model.update(inputs)]);
    assert.equal(new Set(figures.criticLoss).size, 4);
  });
}

test('the answers of the toy are found', async () => {
  const hyperparameters = { hiddenSizes: [32], batchSize: 32, learningRate: 0.01, learningStarts: 50, discount: 0.2 };
  const reward = await greedyRewardInToy(sac, hyperparameters, { kind: 'box', masks: false }, 1200);
  assert.ok(reward > 0.9, String(reward));
});

test('the exported policy takes the tanh of the mean, scaled to the bounds of the box', async () => {
  const { description } = new Pendulum();
  const config = sac.configure({ hiddenSizes: [16] });
  const model = new SacModel(config, description);
  const setup = { environment: description, environments: 1, generator: new Generator(2), device: 'cpu', recipe: null };
  const agent = await sac.createAgent(config, setup as AgentSetup);
  const weights = agent.weights();
  const [policy, program] = await Promise.all([
    loadPolicy(policyModel(agent.policy, weights)),
    compile((inputs) => model.act(inputs), model.actInputs(1)),
  ]);
  const observation = Float32Array.of(0.5, -0.5, 3);
  const { mean } = await program.run({ policy: weights.parameters, observation });
  const [action] = await policy.act(observation, null);
  assert.ok(mean[0] !== 0);
  assert.ok(Math.abs(action - 2 * Math.tanh(mean[0])) < 1e-6, `${action}, not ${2 * Math.tanh(mean[0])}`);
  await Promise.all([program.dispose(), policy.dispose(), agent.dispose()]);
});

test('a loss that is not finite ends the training with the state of the last boundary', async () => {
  const hyperparameters = { hiddenSizes: [8], learningStarts: 20, batchSize: 64 };
  const environments = [new HugeRewards(250)];
  const training = await createTraining({ algorithm: sac, hyperparameters, environments, seed: 2, totalSteps: 400 });
  const boundaries: Uint8Array[] = [];
  await assert.rejects(training.run({ onUpdate: () => void boundaries.push(training.checkpoint()) }), {
    code: 'TRAINING_DIVERGED',
    message: /criticLoss|GradientNorm/,
  });
  assert.equal(training.step, 200);
  assert.deepEqual(training.checkpoint(), boundaries.at(-1));
  assert.ok(readCheckpoint(training.checkpoint()).parameters.every(Number.isFinite));
  await training.dispose();
});

test('several updates a round, and rounds of several steps, are made as asked', async () => {
  const updatesWith = async (hyperparameters: object): Promise<number> => {
    const training = await createTraining({
      algorithm: sac,
      hyperparameters: { hiddenSizes: [4], batchSize: 4, learningStarts: 0, ...hyperparameters },
      environments: [new Pendulum(), new Pendulum()],
      seed: 1,
      totalSteps: 100,
    });
    await training.run();
    const { agent } = readCheckpoint(training.checkpoint()).values as { agent: { updates: number } };
    await training.dispose();
    return agent.updates;
  };
  assert.equal(await updatesWith({}), 50);
  assert.equal(await updatesWith({ gradientSteps: null }), 100);
  assert.equal(await updatesWith({ trainFrequency: 5, gradientSteps: 3 }), 30);
});

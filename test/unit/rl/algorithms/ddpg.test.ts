import assert from 'node:assert/strict';
import test from 'node:test';

import { DdpgModel, ddpg } from '../../../../src/rl/algorithms/ddpg.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { assertSameUpdates, described, updated } from './off-policy-update.ts';
import { greedyRewardInToy } from './train-toy.ts';

const modelOf = (hyperparameters: object, elements = 1): DdpgModel =>
  new DdpgModel(
    ddpg.configure({ hiddenSizes: [4], ...hyperparameters }),
    described({ kind: 'box', shape: [elements], low: -2, high: 2 }, 3),
  );

const one = {
  observation: [0.1, 0.2, 0.3],
  action: [0.5],
  reward: [1],
  discount: [0.9],
  nextObservation: [0, 0, 0],
  stepSize: [0],
  epsilon: [1e-8],
};

test('the target is the value that the target critic gives the action of the target policy', async () => {
  const model = modelOf({ batchSize: 1, hiddenSizes: [1] });
  const { criticLayout } = model;
  const results = await updated(
    model,
    (inputs) => model.update(inputs),
    ({ targetPolicy, targetCritic }) => {
      model.policyLayout.view(targetPolicy, 'policy.output.bias')[0] = Math.atanh(0.7);
      // Q′ = relu(a + 5) − 2
      criticLayout.view(targetCritic, 'critic.hidden0.weights').set([0, 0, 0, 1]);
      criticLayout.view(targetCritic, 'critic.hidden0.bias')[0] = 5;
      criticLayout.view(targetCritic, 'critic.output.weights')[0] = 1;
      criticLayout.view(targetCritic, 'critic.output.bias')[0] = -2;
    },
    one,
  );
  const target = 1 + 0.9 * (0.7 + 3);
  assert.ok(Math.abs(results.criticLoss[0] - target ** 2) < 1e-4, `${results.criticLoss[0]}, not ${target ** 2}`);
});

test('an update moves the policy to actions that the critic values more', async () => {
  const model = modelOf({ batchSize: 1, hiddenSizes: [1] });
  const { criticLayout, policyLayout } = model;
  const results = await updated(
    model,
    (inputs) => model.update(inputs),
    ({ critic }) => {
      // Q = −relu(a + 5): less is better
      criticLayout.view(critic, 'critic.hidden0.weights').set([0, 0, 0, 1]);
      criticLayout.view(critic, 'critic.hidden0.bias')[0] = 5;
      criticLayout.view(critic, 'critic.output.weights')[0] = -1;
    },
    { ...one, stepSize: [0.01 * 0.1] },
  );
  const bias = policyLayout.view(results['next.policy'] as Float32Array, 'policy.output.bias')[0];
  assert.ok(bias < -1e-3, String(bias));
});

test('two fresh learners of the same generator are alike, and targets begin as copies', () => {
  const model = modelOf({});
  const fill = () => {
    const names = Object.entries(model.layout.sizes).map(([name, size]) => [name, new Float32Array(size)]);
    const state = Object.fromEntries(names) as Record<string, Float32Array>;
    model.initialise(state, new Generator(4));
    return state;
  };
  const state = fill();
  assert.deepEqual(state, fill());
  assert.deepEqual(state.targetPolicy, state.policy);
  assert.deepEqual(state.targetCritic, state.critic);
  assert.ok(state.policy.every((weight) => weight !== 0));
});

for (const elements of [1, 3]) {
  test(`four chained updates (${elements} elements) are those of the CPU backend within 1e-5`, async () => {
    const model = modelOf({ batchSize: 16, hiddenSizes: [8, 6] }, elements);
    const figures = await assertSameUpdates(model, [(inputs) => model.update(inputs)]);
    assert.equal(new Set(figures.policyLoss).size, 4);
  });
}

test('the answers of the toy are found', async () => {
  const hyperparameters = { hiddenSizes: [32], batchSize: 32, learningRate: 0.01, learningStarts: 100, discount: 0.2 };
  const reward = await greedyRewardInToy(ddpg, hyperparameters, { kind: 'box', masks: false }, 1500);
  assert.ok(reward > 0.9, String(reward));
});

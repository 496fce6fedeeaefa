import assert from 'node:assert/strict';
import test from 'node:test';

import { Td3Model, td3 } from '../../../../src/rl/algorithms/td3.ts';
import type { Vectors } from '../../../../src/rl/update-state.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { Pendulum } from '../../../../src/rl/environments/pendulum.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import { assertSameUpdates, described, updated } from './off-policy-update.ts';
import { greedyRewardInToy } from './train-toy.ts';

const modelOf = (hyperparameters: object, elements = 1): Td3Model =>
  new Td3Model(
    td3.configure({ hiddenSizes: [4], ...hyperparameters }),
    described({ kind: 'box', shape: [elements], low: -2, high: 2 }, 3),
  );

/** Makes a critic whose value is the action and something added: relu(a + 5) − 5 + `added`. */
function valueIsAction(model: Td3Model, critic: Float32Array, added: number): void {
  const { criticLayout } = model;
  criticLayout.view(critic, 'critic.hidden0.weights').set([0, 0, 0, 1]);
  criticLayout.view(critic, 'critic.hidden0.bias')[0] = 5;
  criticLayout.view(critic, 'critic.output.weights')[0] = 1;
  criticLayout.view(critic, 'critic.output.bias')[0] = added - 5;
}

/** The loss of critics that say 0, whose targets are those of one sample: 2 y². */
async function criticLoss(nextNoise: number, discount = 0.9): Promise<number> {
  const model = modelOf({ batchSize: 1, hiddenSizes: [1] });
  const fill = (state: Vectors): void => {
    model.policyLayout.view(state.targetPolicy, 'policy.output.bias')[0] = Math.atanh(0.7);
    valueIsAction(model, state.target1, 4);
    valueIsAction(model, state.target2, 3);
  };
  const results = await updated(model, (inputs) => model.update(inputs, false), fill, {
    observation: [0.1, 0.2, 0.3],
    action: [0.5],
    reward: [1],
    discount: [discount],
    nextObservation: [0, 0, 0],
    nextNoise: [nextNoise],
    stepSize: [0],
    epsilon: [1e-8],
    policyStepSize: [0],
    policyEpsilon: [1e-8],
  });
  return results.criticLoss[0];
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-4, `${actual}, not ${expected}`);
}

test('the target takes the lower critic at the smoothed action of the target policy', async () => {
  assertNear(await criticLoss(-1), 2 * (1 + 0.9 * (3 + 0.7 - 0.2)) ** 2);
});

test('smoothing is cut off at its limit, and the action at the bounds', async () => {
  assertNear(await criticLoss(-10), 2 * (1 + 0.9 * (3 + 0.7 - 0.5)) ** 2);
  assertNear(await criticLoss(10), 2 * (1 + 0.9 * (3 + 1)) ** 2);
});

test('nothing is counted after the end of an episode', async () => {
  assertNear(await criticLoss(-1, 0), 2);
});

for (const elements of [1, 3]) {
  test(`chained updates with and without the policy (${elements} elements) are those of the CPU backend within 1e-5`, async () => {
    const model = modelOf({ batchSize: 16, hiddenSizes: [8, 6] }, elements);
    const figures = await assertSameUpdates(model, [
      (inputs) => model.update(inputs, false),
      (inputs) => model.update(inputs, true),
    ]);
    assert.equal(figures.criticLoss.length, 4);
    assert.equal(figures.policyLoss.length, 2);
  });
}

test('policy and targets wait for every second update of the critics', async () => {
  const weightsAfter = async (steps: number): Promise<Float32Array> => {
    const training = await createTraining({
      algorithm: td3,
      hyperparameters: { hiddenSizes: [4], batchSize: 4, learningStarts: 98, policyDelay: 2 },
      environments: [new Pendulum()],
      seed: 1,
      totalSteps: steps,
    });
    await training.run();
    const { arrays } = readCheckpoint(training.checkpoint());
    await training.dispose();
    return arrays.parameters;
  };
  const model = new Td3Model(td3.configure({ hiddenSizes: [4] }), new Pendulum().description);
  // At step 100 learning has made updates 1 and 2: one of the policy.
  const parameters = await weightsAfter(100);
  const moved = model.layout.sizes;
  assert.equal(
    parameters.length,
    Object.values(moved)
      .slice(0, 6)
      .reduce((sum, size) => sum + size, 0),
  );
  const policy = parameters.subarray(0, model.policyLayout.size);
  const critics = 2 * model.criticLayout.size;
  const targetPolicy = parameters.subarray(policy.length + critics, 2 * policy.length + critics);
  // Adam's first step moves each weight by the learning rate, of which the target follows 0.5 %.
  const change = policy.map((value, i) => Math.abs(value - targetPolicy[i]));
  assert.ok(Math.abs(Math.max(...change) - 0.995e-3) < 2e-5, String(Math.max(...change)));
});

test('the answers of the toy are found', async () => {
  const hyperparameters = { hiddenSizes: [32], batchSize: 32, learningRate: 0.01, learningStarts: 100, discount: 0.2 };
  const reward = await greedyRewardInToy(td3, hyperparameters, { kind: 'box', masks: false }, 1500);
  assert.ok(reward > 0.9, String(reward));
});

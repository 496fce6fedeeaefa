import assert from 'node:assert/strict';
import test from 'node:test';

import { SacDiscreteModel, sacDiscrete } from '../../../../src/rl/algorithms/sac-discrete.ts';
import type { Vectors } from '../../../../src/rl/update-state.ts';
import { assertSameUpdates, described, updated } from './off-policy-update.ts';
import { greedyRewardInToy } from './train-toy.ts';

const modelOf = (hyperparameters: object, choices: number, masked: boolean): SacDiscreteModel =>
  new SacDiscreteModel(
    sacDiscrete.configure({ hiddenSizes: [4], ...hyperparameters }),
    described({ kind: 'discrete', n: choices }, 3, masked),
  );

const one = {
  observation: [0.1, 0.2, 0.3],
  action: [0, 1, 0],
  reward: [1],
  discount: [0.9],
  nextObservation: [0, 0, 0],
  targetEntropy: [0.3],
  targetRate: [0.25],
  stepSize: [0],
  epsilon: [1e-8],
};

/** Policy (¾, ¼, 0); values of the target critics (1, 2, 50) and (2, 0, 60); α = ½. */
const fillOf =
  (model: SacDiscreteModel, thirdLogit: number) =>
  (state: Vectors): void => {
    model.policyLayout.view(state.policy, 'policy.output.bias').set([Math.log(3), 0, thirdLogit]);
    model.criticLayout.view(state.target1, 'critic.output.bias').set([1, 2, 50]);
    model.criticLayout.view(state.target2, 'critic.output.bias').set([2, 0, 60]);
    state.logEntropyCoefficient[0] = Math.log(0.5);
  };

const entropy = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
// E[min Q′] = ¾ · 1 + ¼ · 0; both critics say 0: the loss is ½ (y² + y²).
const loss = (1 + 0.9 * (0.75 + 0.5 * entropy)) ** 2;

test('the target is the expected soft value over all choices of the lower target critic', async () => {
  const model = modelOf({ batchSize: 1 }, 3, false);
  const results = await updated(model, (inputs) => model.update(inputs), fillOf(model, -100), one);
  assert.ok(Math.abs(results.criticLoss[0] - loss) < 1e-5, `${results.criticLoss[0]}, not ${loss}`);
  assert.ok(Math.abs(results.entropy[0] - entropy) < 1e-6);
});

test('a forbidden choice counts nowhere, however good its value and its logit', async () => {
  const model = modelOf({ batchSize: 1 }, 3, true);
  const results = await updated(model, (inputs) => model.update(inputs), fillOf(model, 100), {
    ...one,
    penalty: [0, 0, -1e8],
    nextPenalty: [0, 0, -1e8],
  });
  assert.ok(Math.abs(results.criticLoss[0] - loss) < 1e-5, `${results.criticLoss[0]}, not ${loss}`);
  assert.ok(Math.abs(results.entropy[0] - entropy) < 1e-6);
});

for (const masked of [false, true]) {
  test(`four chained updates ${masked ? 'with' : 'without'} masks are those of the CPU backend within 1e-5`, async () => {
    const model = modelOf({ batchSize: 16, hiddenSizes: [8, 6] }, 4, masked);
    await assertSameUpdates(model, [(inputs) => model.update(inputs)], {
      adjust({ action, penalty, nextPenalty }, generator) {
        action.fill(0);
        for (let row = 0; row < 16; row++) {
          const chosen = generator.integer(4);
          action[row * 4 + chosen] = 1;
          for (let choice = 0; masked && choice < 4; choice++) {
            const free = choice === chosen || generator.uniform() < 0.5;
            penalty[row * 4 + choice] = free ? 0 : -1e8;
            nextPenalty[row * 4 + choice] = free ? 0 : -1e8;
          }
        }
      },
    });
  });

  test(`the answers of the toy ${masked ? 'with' : 'without'} masks are found`, async () => {
    const hyperparameters = { hiddenSizes: [32], batchSize: 32, learningRate: 0.01, learningStarts: 50, discount: 0.2 };
    const reward = await greedyRewardInToy(sacDiscrete, hyperparameters, { kind: 'discrete', masks: masked }, 1200);
    assert.ok(reward > 0.95, String(reward));
  });
}

import assert from 'node:assert/strict';
import test from 'node:test';

import { ActorCritic, compileActing } from '../../../src/rl/actor-critic.ts';
import { Generator } from '../../../src/rl/random.ts';
import { RolloutCollector } from '../../../src/rl/rollout-collector.ts';
import type { Targets } from '../../../src/rl/rollout-collector.ts';
import { VectorEnvironment } from '../../../src/rl/vector-environment.ts';
import { Target } from './algorithms/target-toy.ts';
import { ConstantReward, ContextualBandit } from './toy-environments.ts';

const config = { hiddenSizes: [8, 4], activation: 'tanh' as const, sharedNetwork: false, initialLogDeviation: -0.5 };
const settings = { rolloutSteps: 12, discount: 0.5, gaeLambda: 1, normaliseObservations: false, scaleRewards: false };

test('the weights that act come first; with one trunk the value needs them too', () => {
  const { description } = new ContextualBandit();
  const apart = new ActorCritic(config, description);
  const shared = new ActorCritic({ ...config, sharedNetwork: true }, description);
  // 3 inputs, hidden layers of 8 and 4, two heads padded to 3 choices, one value
  const [trunk, head, value] = [3 * 8 + 8 + 8 * 4 + 4, 4 * 6 + 6, 4 + 1];
  assert.deepEqual([apart.policySize, apart.layout.size], [trunk + head, 2 * trunk + head + value]);
  assert.equal(apart.criticStart, trunk + head);
  assert.deepEqual(
    [shared.policySize, shared.layout.size, shared.criticStart],
    [trunk + head, trunk + head + value, 0],
  );
});

test('the deviations of continuous actions are weights that act, with the asked start', () => {
  const model = new ActorCritic(config, new Target().description);
  const parameters = model.initialParameters(new Generator(1));
  const deviations = model.policyLayout.view(model.policyPart(parameters), 'policy.logDeviation');
  assert.deepEqual([...deviations], [-0.5, -0.5]);
});

/** The targets of a rollout of three environments whose networks are all zeros but for the value's bias. */
async function targetsOf(bias: number): Promise<{ collector: RolloutCollector; targets: Targets }> {
  const toys = [
    new ConstantReward(4, 'terminated'),
    new ConstantReward(3, 'truncated'),
    new ConstantReward(99, 'truncated'),
  ];
  const environments = new VectorEnvironment(toys, new Generator(1));
  const model = new ActorCritic(config, environments.description);
  const collector = new RolloutCollector(model, await compileActing(model, 'cpu'), settings, 3, new Generator(2));
  const parameters = new Float32Array(model.layout.size);
  model.layout.view(parameters, 'value.output.bias')[0] = bias;
  collector.use(parameters);
  for (let step = 0; step < 4; step++) {
    await collector.act(environments);
    collector.record(environments.step());
  }
  return { collector, targets: collector.targets(environments) };
}

test('a rollout bootstraps where it was cut off and where it stops, and not after an end', async () => {
  const { collector, targets } = await targetsOf(8);
  await collector.dispose();
  const column = (environment: number): number[] =>
    Array.from(targets.returns).filter((_, place) => place % 3 === environment);
  assert.deepEqual(column(0), [1 + 0.5 * 1.75, 1.75, 1.5, 1], 'ends at the fourth step');
  assert.deepEqual(column(1), [1 + 0.5 * 3.5, 3.5, 5, 5], 'cut off at the third, goes on after the fourth');
  assert.deepEqual(column(2), [2.375, 2.75, 3.5, 5], 'goes on');
  assert.deepEqual(new Set(targets.values), new Set([8]));
});

test('a rollout keeps the chosen actions as ones among zeros, with the logarithm of their probability', async () => {
  const { collector } = await targetsOf(0);
  await collector.dispose();
  const { actions, logProbabilities } = collector.buffer;
  for (let place = 0; place < 12; place++) assert.equal(actions[2 * place] + actions[2 * place + 1], 1);
  assert.deepEqual(new Set(logProbabilities), new Set([Math.fround(Math.log(0.5))]));
  assert.ok(new Set(actions.filter((_, place) => place % 2 === 0)).size === 2, 'both choices were taken');
});

import assert from 'node:assert/strict';
import test from 'node:test';

import { CartPole } from '../../../src/rl/environments/cart-pole.ts';
import { Generator } from '../../../src/rl/random.ts';
import { VectorEnvironment } from '../../../src/rl/vector-environment.ts';
import { Corridor } from './grid-worlds.ts';
import { ConstantReward, ContextualBandit } from './toy-environments.ts';

/** Steps every environment `steps` times and gives all rows seen by environment `index`. */
function rowsOf(
  environments: VectorEnvironment,
  index: number,
  steps: number,
  action: (row: number) => number = () => 1,
): number[][] {
  const size = environments.observationSize;
  return Array.from({ length: steps }, () => {
    const row = [...environments.observations.subarray(index * size, (index + 1) * size)];
    environments.actions.forEach((_, place) => (environments.actions[place] = action(place)));
    environments.step();
    return row;
  });
}

test('an episode that ends starts anew at once, with the last observation kept when it was truncated', () => {
  const environments = new VectorEnvironment([new ConstantReward(2, 'truncated')], new Generator(1));
  assert.equal(environments.step().lastObservations[0], null);
  const last = environments.step();
  assert.deepEqual([last.truncated[0], [...last.lastObservations[0]!]], [1, [1]]);
  assert.equal(environments.episodes, 1);
  assert.equal(environments.step().truncated[0], 0);
});

test('a terminated episode keeps no observation to bootstrap from', () => {
  const environments = new VectorEnvironment([new ConstantReward(1, 'terminated')], new Generator(1));
  const last = environments.step();
  assert.deepEqual([last.terminated[0], last.lastObservations[0]], [1, null]);
});

test('the last mask of an episode that was cut off is kept with its observation', () => {
  const environments = new VectorEnvironment([new Corridor(true)], new Generator(1));
  let results = environments.step();
  for (let step = 1; step < 12; step++) {
    assert.deepEqual(results.lastMasks, [null]);
    environments.actions[0] = 0;
    results = environments.step();
  }
  // At the left end by then, where only right is allowed.
  assert.deepEqual(results.lastMasks, [Uint8Array.of(0, 0, 1)]);
});

test("an environment's episodes follow from its own seeds, whatever the others do", () => {
  const alike = new VectorEnvironment([new CartPole(), new CartPole(), new CartPole()], new Generator(1));
  const again = new VectorEnvironment([new CartPole(), new CartPole(), new CartPole()], new Generator(1));
  const pushLeft = (row: number): number => Number(row !== 0);
  const rows = rowsOf(alike, 2, 40);
  assert.deepEqual(rowsOf(again, 2, 40, pushLeft), rows);
  assert.notDeepEqual(rowsOf(new VectorEnvironment([new CartPole()], new Generator(1)), 0, 40), rows);
});

test('mean return and length are those of the last 100 episodes', () => {
  const environments = new VectorEnvironment([new ConstantReward(2, 'terminated', (step) => step)], new Generator(1));
  assert.deepEqual(environments.recentMeans, { episodeReturn: null, episodeLength: null });
  for (let step = 0; step < 300; step++) environments.step();
  // Episodes 51 to 150 have returns 4k − 1.
  assert.deepEqual(environments.recentMeans, { episodeReturn: 4 * 100.5 - 1, episodeLength: 2 });
  assert.equal(environments.episodes, 150);
});

test('a saved state goes through JSON and goes on the same, also in the middle of episodes', () => {
  const first = new VectorEnvironment([new CartPole(), new CartPole()], new Generator(4));
  rowsOf(first, 0, 13);
  const second = new VectorEnvironment([new CartPole(), new CartPole()], new Generator(99));
  second.loadState(JSON.parse(JSON.stringify(first.saveState())));
  assert.deepEqual(rowsOf(second, 1, 60), rowsOf(first, 1, 60));
  assert.deepEqual(second.recentMeans, first.recentMeans);
});

test('an observation that is not finite or comes without its mask breaks the contract', () => {
  const broken = new CartPole();
  const environments = new VectorEnvironment([broken], new Generator(1));
  broken.loadState({ position: 0, velocity: Infinity, angle: 0, angularVelocity: 0, steps: 0, over: false });
  assert.throws(() => environments.step(), {
    code: 'ENVIRONMENT_INVALID',
    message: /element 0 of an observation is Infinity/,
  });
  class WithoutMask extends ContextualBandit {
    override reset(seed: number): ReturnType<ContextualBandit['reset']> {
      return { ...super.reset(seed), actionMask: null };
    }
  }
  assert.throws(() => new VectorEnvironment([new WithoutMask()], new Generator(1)), /without action mask/);
});

test('an observation or a mask of another length than described breaks the contract', () => {
  class Longer extends ContextualBandit {
    override reset(seed: number): ReturnType<ContextualBandit['reset']> {
      return { ...super.reset(seed), observation: new Float32Array(99) };
    }
  }
  class ShorterMask extends ContextualBandit {
    override reset(seed: number): ReturnType<ContextualBandit['reset']> {
      return { ...super.reset(seed), actionMask: Uint8Array.of(1) };
    }
  }
  assert.throws(() => new VectorEnvironment([new Longer()], new Generator(1)), {
    code: 'ENVIRONMENT_INVALID',
    message: /an observation has 99 elements/,
  });
  assert.throws(() => new VectorEnvironment([new ShorterMask()], new Generator(1)), {
    code: 'ENVIRONMENT_INVALID',
    message: /an action mask has 1 elements/,
  });
});

test('the same environment cannot be given twice: its episodes would run into each other', () => {
  const once = new CartPole();
  assert.throws(() => new VectorEnvironment([once, once], new Generator(1)), {
    code: 'ENVIRONMENT_INVALID',
    message: /given twice/,
  });
});

test('actions outside of the space, forbidden or not finite are refused before they are done', () => {
  const environments = new VectorEnvironment([new ContextualBandit()], new Generator(1));
  environments.actions.set([0, 3]);
  assert.throws(() => environments.checkActions('mine'), {
    code: 'ALGORITHM_INVALID',
    message: /mine: element 1 of the action for environment 0 is 3/,
  });
  environments.actions.set([0, environments.masks!.subarray(2).indexOf(0)]);
  assert.throws(() => environments.checkActions('mine'), { code: 'ALGORITHM_INVALID' });
  environments.actions.set([0, environments.masks!.subarray(2).indexOf(1)]);
  environments.checkActions('mine');
});

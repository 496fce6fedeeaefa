import assert from 'node:assert/strict';
import test from 'node:test';

import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { environmentSuite } from '../../../contracts/environment-suite.ts';

environmentSuite('cart-pole', () => new CartPole());

const left = Int32Array.of(0);
const right = Int32Array.of(1);

/** An upright pole at rest in the middle. */
function atRest(): CartPole {
  const environment = new CartPole();
  environment.loadState({ position: 0, velocity: 0, angle: 0, angularVelocity: 0, steps: 0, over: false });
  return environment;
}

test('one push from rest changes the speeds as worked out by hand, and positions only at the next step', () => {
  const environment = atRest();
  // temp = 10 / 1.1; θ'' = −temp / (0.5 (4/3 − 0.1 / 1.1)); x'' = temp − 0.05 θ'' / 1.1; τ = 0.02
  const temp = 10 / 1.1;
  const angular = -temp / (0.5 * (4 / 3 - 0.1 / 1.1));
  const linear = temp - (0.05 * angular) / 1.1;
  const first = environment.step(right).observation;
  assert.deepEqual([...first], [0, Math.fround(0.02 * linear), 0, Math.fround(0.02 * angular)]);
  const second = environment.step(left).observation;
  assert.equal(second[0], Math.fround(0.02 * 0.02 * linear));
  assert.equal(second[2], Math.fround(0.02 * 0.02 * angular));
});

test('known numbers of the reference dynamics: nine pushes to the right from rest', () => {
  const environment = atRest();
  for (let step = 0; step < 8; step++) environment.step(right);
  const { observation, terminated, reward } = environment.step(right);
  // Computed with the reference equations in 50-digit arithmetic.
  assert.deepEqual(
    [...observation],
    [0.14065097203306187, 1.76038112576831, -0.21518604988500965, -2.7778864940128136].map(Math.fround),
  );
  assert.equal(terminated, true);
  assert.equal(reward, 1);
});

test('pushing one way ends the episode by termination, not truncation', () => {
  const environment = new CartPole();
  environment.reset(3);
  let transition = environment.step(right);
  while (!transition.terminated) transition = environment.step(right);
  assert.equal(transition.truncated, false);
  assert.ok(Math.abs(transition.observation[2]) > 0.2094);
});

test('the 500th step truncates an episode that did not end before', () => {
  const environment = atRest();
  environment.loadState({ position: 0, velocity: 0, angle: 0, angularVelocity: 0, steps: 498, over: false });
  assert.equal(environment.step(right).truncated, false);
  const last = environment.step(left);
  assert.deepEqual([last.truncated, last.terminated], [true, false]);
});

test('resets draw all four numbers from ±0.05, differently for every seed', () => {
  const environment = new CartPole();
  const starts = Array.from({ length: 200 }, (_, seed) => [...environment.reset(seed).observation]);
  const all = starts.flat();
  assert.ok(all.every((value) => Math.abs(value) <= 0.05));
  assert.ok(Math.min(...all) < -0.048 && Math.max(...all) > 0.048);
  assert.equal(new Set(starts.map(String)).size, 200);
});

test('an action that is neither 0 nor 1 is refused', () => {
  assert.throws(() => atRest().step(Int32Array.of(2)), { code: 'ENVIRONMENT_INVALID' });
});

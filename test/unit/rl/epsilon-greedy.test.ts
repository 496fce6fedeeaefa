import assert from 'node:assert/strict';
import test from 'node:test';

import { explorationRateAt, greedyChoice, randomChoice } from '../../../src/rl/epsilon-greedy.ts';
import { Generator } from '../../../src/rl/random.ts';

test('the exploration rate falls linearly and then stays', () => {
  const schedule = { initialExplorationRate: 1, finalExplorationRate: 0.2, explorationFraction: 0.5 };
  const rates = [0, 0.25, 0.5, 1].map((done) => explorationRateAt(schedule, done));
  [1, 0.6, 0.2, 0.2].forEach((rate, i) => assert.ok(Math.abs(rates[i] - rate) < 1e-12, String(rates)));
  assert.equal(explorationRateAt({ ...schedule, explorationFraction: 0 }, 0), 0.2);
});

test('random choices are the allowed ones of the asked row, each as often as the others', () => {
  const generator = new Generator(1);
  const masks = Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 0);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 4000; draw++) counts[randomChoice(4, masks, 1, generator)]++;
  assert.deepEqual([counts[0], counts[3]], [0, 0]);
  // 2000 ± 5 standard deviations
  assert.ok(Math.abs(counts[1] - 2000) < 160, String(counts));
});

test('the greedy choice is the highest allowed one, and of equal ones the first', () => {
  const values = [9, 9, 9, 1, 3, 3];
  assert.equal(greedyChoice(values, 3, null, 1), 1);
  assert.equal(greedyChoice(values, 3, Uint8Array.of(1, 1, 1, 1, 0, 1), 1), 2);
  assert.equal(greedyChoice([-5, -9], 2, Uint8Array.of(0, 1), 0), 1);
});

test('a mask that allows nothing is an error of the environment', () => {
  const nothing = { code: 'ENVIRONMENT_INVALID', message: /allows no choice/ };
  assert.throws(() => greedyChoice([1, 2], 2, Uint8Array.of(0, 0), 0), nothing);
  assert.throws(() => randomChoice(2, Uint8Array.of(0, 0), 0, new Generator(1)), nothing);
});

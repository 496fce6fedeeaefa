import assert from 'node:assert/strict';
import test from 'node:test';

import { fillPenalties, sampleAction, sampleNormal } from '../../../src/rl/action-sampling.ts';
import { Generator } from '../../../src/rl/random.ts';
import { ActionLayout, actionLayoutOf } from '../../../src/rl/spaces.ts';
import { CartPole } from '../../../src/rl/environments/cart-pole.ts';

test('heads of different sizes are padded with places that belong to no mask bit', () => {
  const layout = new ActionLayout([2, 3]);
  assert.deepEqual([layout.heads, layout.width, layout.logits, layout.maskSize, layout.padded], [2, 3, 6, 5, true]);
  assert.deepEqual(layout.maskPlaces, [0, 1, -1, 2, 3, 4]);
  assert.equal(new ActionLayout([3, 3]).padded, false);
});

test('penalties forbid masked choices and padding', () => {
  const layout = new ActionLayout([2, 3]);
  const penalties = new Float32Array(12);
  fillPenalties(layout, Uint8Array.of(1, 0, 1, 1, 0, 0, 1, 0, 0, 1), penalties);
  assert.deepEqual(
    [...penalties].map((value) => Number(value === 0)),
    [1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1],
  );
  fillPenalties(layout, null, penalties);
  assert.deepEqual(
    [...penalties].map((value) => Number(value === 0)),
    [1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1],
  );
});

test('a mask that allows nothing of a head is refused with the number of the head', () => {
  assert.throws(() => fillPenalties(new ActionLayout([2, 2]), Uint8Array.of(1, 0, 0, 0), new Float32Array(4)), {
    code: 'ENVIRONMENT_INVALID',
    message: /head 1/,
  });
});

test('choices come with their probabilities, impossible ones never, and the logarithm is of the whole action', () => {
  const layout = new ActionLayout([3, 2]);
  const probabilities = Float32Array.of(0.25, 0, 0.75, 0.9, 0.1, 0);
  const generator = new Generator(1);
  const counts = [0, 0, 0, 0, 0, 0];
  const action = new Int32Array(2);
  for (let draw = 0; draw < 20000; draw++) {
    const logarithm = sampleAction(layout, probabilities, 0, generator, action);
    counts[action[0]]++;
    counts[3 + action[1]]++;
    assert.equal(logarithm, Math.log(probabilities[action[0]]) + Math.log(probabilities[3 + action[1]]));
  }
  assert.equal(counts[1], 0);
  assert.equal(counts[5], 0);
  assert.ok(Math.abs(counts[0] / 20000 - 0.25) < 0.01 && Math.abs(counts[4] / 20000 - 0.1) < 0.01);
});

test('rounding below a sum of 1 never picks an impossible choice', () => {
  const generator = { uniform: () => 1 - 2 ** -32 } as Generator;
  const action = new Int32Array(1);
  sampleAction(new ActionLayout([3]), Float32Array.of(0.3, 0.6999, 0), 0, generator, action);
  assert.equal(action[0], 1);
});

test('continuous actions and masks of the wrong size are refused', () => {
  const { description } = new CartPole();
  const box = { kind: 'box' as const, shape: [1], low: -1, high: 1 };
  assert.throws(() => actionLayoutOf({ ...description, actionSpace: box }), { code: 'ENVIRONMENT_INVALID' });
  assert.throws(() => actionLayoutOf({ ...description, actionMaskSize: 3 }), /3 bits.*2 choices/);
});

test('normal draws have their means and deviations, and the logarithm is that of their density', () => {
  const [means, deviations] = [Float32Array.of(9, 9, -1, 2), Float32Array.of(0.5, 3)];
  const generator = new Generator(2);
  const values = new Float32Array(2);
  const sums = [0, 0, 0, 0];
  for (let draw = 0; draw < 20000; draw++) {
    const logarithm = sampleNormal(means, deviations, 2, generator, values);
    const errors = [values[0] + 1, values[1] - 2];
    const density = Math.exp(-0.5 * (errors[0] / 0.5) ** 2 - 0.5 * (errors[1] / 3) ** 2) / (2 * Math.PI * 0.5 * 3);
    assert.ok(Math.abs(logarithm - Math.log(density)) < 1e-4);
    errors.forEach((error, i) => {
      sums[i] += error;
      sums[2 + i] += error * error;
    });
  }
  assert.ok(Math.abs(sums[0] / 20000) < 0.02 && Math.abs(sums[1] / 20000) < 0.1);
  assert.ok(Math.abs(Math.sqrt(sums[2] / 20000) - 0.5) < 0.02 && Math.abs(Math.sqrt(sums[3] / 20000) - 3) < 0.1);
});

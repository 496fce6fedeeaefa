import assert from 'node:assert/strict';
import test from 'node:test';

import { ActionScaling, drawUniformly } from '../../../src/rl/action-scaling.ts';
import { Generator } from '../../../src/rl/random.ts';

test('each element is scaled to its own bounds, row after row', () => {
  const scaling = new ActionScaling({ kind: 'box', shape: [2], low: [-2, 0], high: [2, 10] });
  const actions = new Float32Array(6);
  scaling.toBox(Float32Array.of(-1, -1, 0, 0, 1, 0.5), actions);
  assert.deepEqual([...actions], [-2, 0, 0, 5, 2, 7.5]);
});

test('a box without bounds is refused', () => {
  assert.throws(() => new ActionScaling({ kind: 'box', shape: [1], low: 0, high: Infinity }), {
    code: 'ENVIRONMENT_INVALID',
  });
});

test('uniform draws fill the whole range', () => {
  const units = new Float32Array(1000);
  drawUniformly(units, new Generator(1));
  assert.ok(Math.min(...units) < -0.99 && Math.max(...units) > 0.99);
  assert.ok(units.every((unit) => Math.abs(unit) <= 1));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Generator } from '../../../../src/rl/random.ts';
import { median, quantile, robustRatio, robustSlopes, smallestWithin } from '../../../../src/rl/twin/robust.ts';

test('quantiles are interpolated and pass over what is not known', () => {
  assert.equal(median([3, NaN, 1, 2, Infinity]), 2);
  assert.equal(quantile([0, 10], 0.25), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('a ratio is that of the sums, and hardly moved by bins that fall outside', () => {
  assert.equal(robustRatio(Float64Array.of(1, 3), Float64Array.of(2, 6)), 2);
  assert.equal(robustRatio(Float64Array.of(0, 0), Float64Array.of(1, 1)), 0);
  const generator = new Generator(1);
  const x = Float64Array.from({ length: 400 }, () => 200 + 800 * generator.uniform());
  const y = x.map((each, bin) => (bin % 40 === 0 ? 50 * each : generator.poisson(0.3 * each)));
  assert.ok(Math.abs(robustRatio(x, y) / 0.3 - 1) < 0.1, `${robustRatio(x, y)}`);
});

test('a ratio of rare events is not less because most bins have none', () => {
  const generator = new Generator(3);
  for (const ratio of [0.1, 0.01]) {
    const x = new Float64Array(4000).fill(10);
    const y = x.map((each) => generator.poisson(ratio * each));
    const plain = y.reduce((sum, each) => sum + each, 0) / 40_000;
    assert.ok(Math.abs(robustRatio(x, y) / plain - 1) < 0.03, `${robustRatio(x, y)} instead of ${plain}`);
  }
});

test('two slopes are found behind noise and spikes', () => {
  const generator = new Generator(2);
  const u = Array.from({ length: 500 }, () => 1 + generator.integer(8));
  const v = u.map((pods) => pods * 40 * generator.uniform());
  const y = u.map((pods, i) => (i % 50 === 0 ? 5000 : (6 * pods + 2 * v[i]) * (1 + 0.05 * generator.normal())));
  const { a, b } = robustSlopes(u, v, y, { prior: 0, ridge: 0 });
  assert.ok(Math.abs(a - 6) < 0.3 && Math.abs(b - 2) < 0.05, `${a} ${b}`);
});

test('no slope is negative: what falls with the load is at rest', () => {
  const u = [1, 1, 1, 1];
  const v = [1, 2, 3, 4];
  assert.deepEqual(robustSlopes(u, v, [8, 6, 4, 2], { prior: 0, ridge: 0 }), { a: 5, b: 0 });
});

test('where both move together the prior decides between them', () => {
  const u = [1, 2, 3, 4];
  const v = [10, 20, 30, 40];
  const { a, b } = robustSlopes(u, v, [25, 50, 75, 100], { prior: 5, ridge: 0.1 });
  assert.ok(Math.abs(a - 5) < 1e-6 && Math.abs(b - 2) < 1e-6, `${a} ${b}`);
});

test('the smallest place of several valleys is found', () => {
  const at = smallestWithin((x) => Math.cos(3 * x) + 0.1 * x, 0, 6, 24);
  assert.ok(Math.abs(at - 1.036) < 0.01, `${at}`);
});

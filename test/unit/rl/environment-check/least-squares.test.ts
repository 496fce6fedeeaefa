import assert from 'node:assert/strict';
import test from 'node:test';
import { explainedShare } from '../../../../src/rl/environment-check/least-squares.ts';
import { Generator } from '../../../../src/rl/random.ts';

const generator = new Generator(1);
const features = Array.from({ length: 200 }, () => [generator.normal(), generator.normal(), 7]);

test('a linear function is explained whole, whatever the constant and a column that says nothing', () => {
  const targets = features.map(([a, b]) => 3 * a - 2 * b + 100);
  assert.ok(Math.abs(explainedShare(features, targets) - 1) < 1e-6);
});

test('half signal and half noise is explained by half, noise alone not at all', () => {
  const noise = features.map(() => generator.normal());
  const half = explainedShare(
    features,
    features.map(([a], row) => a + noise[row]),
  );
  assert.ok(Math.abs(half - 0.5) < 0.12, String(half));
  assert.ok(explainedShare(features, noise) < 0.03);
});

test('columns that depend on each other do no harm', () => {
  const doubled = features.map(([a, b]) => [a, b, a + b, 2 * a]);
  const targets = features.map(([a, b]) => a * 5 + b);
  assert.ok(Math.abs(explainedShare(doubled, targets) - 1) < 1e-6);
});

test('targets that do not vary, features that do not, and too few rows explain nothing', () => {
  assert.equal(explainedShare(features, new Array(200).fill(4)), 0);
  assert.equal(explainedShare(new Array(3).fill([1]), [1, 2, 3]), 0);
  assert.equal(explainedShare([[1], [2]], [1, 2]), 0);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from '../../../../src/domain/statistics/quantiles.ts';

const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);

test('the normal distribution agrees with printed tables', () => {
  near(normalCdf(0), 0.5, 1e-15);
  near(normalCdf(1.96), 0.9750021048517795, 1e-13);
  near(normalCdf(-3), 0.0013498980316301, 1e-13);
  near(normalQuantile(0.975), 1.959963984540054, 1e-9);
});

test("Student's t agrees with printed tables for even and odd degrees of freedom", () => {
  near(studentQuantile(0.975, 1), 12.7062047, 1e-6);
  near(studentQuantile(0.975, 2), 4.3026527, 1e-6);
  near(studentQuantile(0.975, 3), 3.1824463, 1e-6);
  near(studentQuantile(0.975, 4), 2.7764451, 1e-6);
  near(studentQuantile(0.95, 19), 1.7291328, 1e-6);
  near(studentQuantile(0.025, 30), -2.0422725, 1e-6);
});

test('a quantile is where the distribution reaches its probability', () => {
  for (const probability of [0.001, 0.3, 0.5, 0.999]) {
    near(studentCdf(studentQuantile(probability, 7), 7), probability, 1e-10);
  }
});

test('a probability outside of (0, 1) is refused', () => {
  assert.throws(() => normalQuantile(1), RangeError);
  assert.throws(() => studentQuantile(0, 3), RangeError);
});

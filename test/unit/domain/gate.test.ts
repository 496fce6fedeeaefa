import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeGate } from '../../../src/domain/gate.ts';

const rule = { maxViolationRateIncrease: 0.001, maxPodSecondsIncrease: 0 };
const better = { mean: -0.1, low: -0.12, high: -0.08 };
const level = { mean: 0.0002, low: -0.0004, high: 0.0008 };

test('a policy with fewer pod-seconds and violations within the margin passes', () => {
  const { passed, reasons } = judgeGate({ sloViolationRate: level, podSecondsRelative: better }, rule);
  assert.equal(passed, true);
  assert.deepEqual(reasons, [
    'Difference in SLO violations to the calibrated HPA: +0.020 percentage points (-0.040 … +0.080); the upper bound is below the margin of +0.100.',
    'Difference in pod-seconds to the calibrated HPA: -10.000 % (-12.000 … -8.000); the upper bound is below the margin of 0.000.',
  ]);
});

test('violations whose upper bound reaches the margin fail, and are named first', () => {
  const violations = { mean: 0, low: -0.001, high: 0.001 };
  const { passed, reasons } = judgeGate({ sloViolationRate: violations, podSecondsRelative: better }, rule);
  assert.equal(passed, false);
  assert.match(reasons[0], /SLO violations.*is not below the margin of \+0\.100/);
});

test('pod-seconds that may not have fallen fail although their mean has', () => {
  const pods = { mean: -0.02, low: -0.05, high: 0.01 };
  const { passed, reasons } = judgeGate({ sloViolationRate: level, podSecondsRelative: pods }, rule);
  assert.equal(passed, false);
  assert.match(reasons[0], /pod-seconds.*is not below the margin of 0\.000/);
});

test('a difference that is not a number fails', () => {
  const broken = { mean: NaN, low: NaN, high: NaN };
  assert.equal(judgeGate({ sloViolationRate: broken, podSecondsRelative: better }, rule).passed, false);
});

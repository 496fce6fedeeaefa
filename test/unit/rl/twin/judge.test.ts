import assert from 'node:assert/strict';
import { test } from 'node:test';

import { relativeError } from '../../../../src/rl/twin/judge.ts';
import { refuseUnfit } from '../../../../src/rl/twin/refuse-unfit.ts';
import type { ServiceFit } from '../../../../src/rl/twin/twin.ts';

const compare = (predicted: number[], recorded: number[], windowBins = 1, floor = 0.001): number | null =>
  relativeError(predicted, recorded, { windowBins, floor });

test('twice and half are alike, and equal is 0', () => {
  assert.equal(compare([2, 2], [2, 2]), 0);
  assert.equal(compare([2, 2], [4, 4]), 0.5);
  assert.equal(compare([4, 4], [2, 2]), 0.5);
});

test('one spike counts as one window', () => {
  const recorded = new Array<number>(100).fill(1);
  assert.ok(Math.abs(compare([1e9, ...recorded.slice(1)], recorded)! - 0.01) < 1e-6);
});

test('windows are compared by their means, and those with less than half of their bins known not at all', () => {
  assert.equal(compare([1, 3, 5, 5], [2, 2, 5, 5], 2), 0);
  assert.equal(compare([1, NaN, NaN, 5], [2, 2, 5, 5], 2), 0.25);
  assert.equal(compare([9, 9, NaN, NaN, NaN, 5], [9, 9, 5, 5, 5, 5], 3), 0);
  assert.equal(compare([NaN], [1]), null);
});

test('a difference below what matters is small, whatever its ratio', () => {
  assert.equal(compare([0.1], [0.2], 1, 10), 0.01);
});

const fit = (service: string, cpuError: number | null): ServiceFit => ({
  service,
  cpuError,
  callsError: 0.01,
  latencyError: null,
  serversFrom: 'saturation',
  notes: [],
});

test('a refusal names the worst services first, ten of them, and has all in its details', () => {
  const services = Array.from({ length: 15 }, (_, index) => fit(`s${index}`, 0.05 * index + 0.01));
  const report = { fitted: { from: 0, to: 7 }, judged: { from: 7, to: 10 }, services, p95Error: 0.9, notes: [] };
  refuseUnfit({ ...report, services: services.slice(0, 4) }, 0.2);
  assert.throws(
    () => refuseUnfit(report, 0.2),
    (error: Error & { code: string; details: unknown[] }) => {
      assert.equal(error.code, 'TWIN_UNFIT');
      assert.match(
        error.message,
        /in 11 of 15 services \(fit\.maxError 0\.2\): s14 \(CPU 0\.71, calls 0\.01, latency not known\); s13/,
      );
      assert.match(error.message, /s5 \(.*\); and 1 more\. Record longer/);
      assert.equal(error.details.length, 11);
      return true;
    },
  );
});

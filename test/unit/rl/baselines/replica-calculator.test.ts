import assert from 'node:assert/strict';
import test from 'node:test';
import { replicasForUtilisation } from '../../../../src/rl/baselines/replica-calculator.ts';

/** Replicas for pods that request 100 millicores each, with a tolerance of 0.1. */
const replicas = (
  pods: { current: number; ready: number; unready?: number; missing?: number; usage: number },
  target: number,
): number =>
  replicasForUtilisation(
    {
      currentReplicas: pods.current,
      ready: pods.ready,
      unready: pods.unready ?? 0,
      missing: pods.missing ?? 0,
      usageMillicores: pods.usage,
      requestMillicores: 100,
    },
    target,
    0.1,
  );

test('the ratio of utilisation to target times the ready pods is rounded up', () => {
  // 3 pods at 90 %: 90 / 50 · 3 = 5.4.
  assert.equal(replicas({ current: 3, ready: 3, usage: 270 }, 50), 6);
  // 4 pods at 20 %: 20 / 50 · 4 = 1.6.
  assert.equal(replicas({ current: 4, ready: 4, usage: 80 }, 50), 2);
});

test('a ratio within the tolerance changes nothing, its edge included', () => {
  assert.equal(replicas({ current: 10, ready: 10, usage: 550 }, 50), 10);
  assert.equal(replicas({ current: 10, ready: 10, usage: 450 }, 50), 10);
  // 56 / 50 = 1.12: ceil(11.2).
  assert.equal(replicas({ current: 10, ready: 10, usage: 560 }, 50), 12);
});

test('utilisation counts in whole percent, rounded down', () => {
  // 1109 / 2000 = 55.45 %, counted as 55 %: a ratio of 1.1, within the tolerance. Unrounded it would not be.
  assert.equal(replicas({ current: 20, ready: 20, usage: 1109 }, 50), 20);
  assert.equal(replicas({ current: 20, ready: 20, usage: 1120 }, 50), 23);
});

test('pods without metrics count as idle when the others say up', () => {
  // 2 ready at 90 %, 2 missing: 180 / 400 = 45 %, 45 / 30 · 4 = 6; without the missing ones it would be 90 / 30 · 2 = 6.
  assert.equal(replicas({ current: 4, ready: 2, missing: 2, usage: 180 }, 30), 6);
  // 2 ready at 60 %, 2 missing: 30 %, below the target of 50 although the ready pods are above it: no change.
  assert.equal(replicas({ current: 4, ready: 2, missing: 2, usage: 120 }, 50), 4);
});

test('pods without metrics count as fully used when the others say down', () => {
  // 3 ready at 20 %, 1 missing at 100 %: 160 / 400 = 40 %, 40 / 80 · 4 = 2.
  assert.equal(replicas({ current: 4, ready: 3, missing: 1, usage: 60 }, 80), 2);
  // 3 ready at 40 %, 1 missing at 100 %: 55 %, above the target of 50 although the ready pods are below: no change.
  assert.equal(replicas({ current: 4, ready: 3, missing: 1, usage: 120 }, 50), 4);
});

test('a target above 100 % is what missing pods count as when the others say down', () => {
  // 2 ready at 50 %, 2 missing at 150 %: 400 / 400 = 100 %, 100 / 150 · 4 = 2.67.
  assert.equal(replicas({ current: 4, ready: 2, missing: 2, usage: 100 }, 150), 3);
});

test('unready pods count as idle when the others say up', () => {
  // 3 ready at 90 %, 3 unready: 270 / 600 = 45 %, 45 / 30 · 6 = 9.
  assert.equal(replicas({ current: 6, ready: 3, unready: 3, usage: 270 }, 30), 9);
  // 3 ready at 60 %, 3 unready: 30 %, below the target of 50: no change.
  assert.equal(replicas({ current: 6, ready: 3, unready: 3, usage: 180 }, 50), 6);
});

test('unready pods are left out when the others say down', () => {
  // 4 ready at 20 %: 20 / 50 · 4 = 1.6; the 2 unready ones do not count.
  assert.equal(replicas({ current: 6, ready: 4, unready: 2, usage: 80 }, 50), 2);
});

test('assumptions may not turn a scale-up into fewer replicas than there are', () => {
  // 2 ready at 100 %, 4 unready: 200 / 600 = 33 %, 33 / 30 = 1.1 is within the tolerance: no change.
  assert.equal(replicas({ current: 8, ready: 2, unready: 4, usage: 200 }, 30), 8);
  // 2 ready at 100 %, 4 unready at a target of 25: 1.32 · 6 = 8 pods, fewer than the 9 wanted now: no change.
  assert.equal(replicas({ current: 9, ready: 2, unready: 4, usage: 200 }, 25), 9);
});

test('without any metrics nothing changes', () => {
  assert.equal(replicas({ current: 5, ready: 0, unready: 5, usage: 0 }, 50), 5);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { groupPods } from '../../../../src/rl/baselines/pod-groups.ts';
import type { PodSample } from '../../../../src/rl/baselines/pod-groups.ts';

const now = 1000;

/** A pod that started 900 s ago, was ready 10 s later and used 50 millicores in the 15 s before now. */
const pod = (changes: Partial<PodSample> = {}): PodSample => ({
  phase: 'Running',
  deleted: false,
  startedAtSeconds: now - 900,
  ready: { status: true, lastTransitionSeconds: now - 890 },
  cpu: { usageMillicores: 50, timestampSeconds: now, windowSeconds: 15 },
  ...changes,
});

const groupOf = (changes: Partial<PodSample>): string => {
  const groups = groupPods([pod(changes)], now);
  return (['ready', 'unready', 'missing', 'ignored'] as const).filter((name) => groups[name] === 1).join();
};

test('ready pods count with their usage', () => {
  assert.deepEqual(groupPods([pod(), pod()], now), {
    ready: 2,
    unready: 0,
    missing: 0,
    ignored: 0,
    usageMillicores: 100,
  });
});

test('deleted and failed pods count nowhere', () => {
  assert.equal(groupOf({ deleted: true }), 'ignored');
  assert.equal(groupOf({ phase: 'Failed' }), 'ignored');
});

test('a pending pod is unready although it has a sample', () => {
  assert.equal(groupOf({ phase: 'Pending' }), 'unready');
});

test('a running pod without a sample is missing', () => {
  assert.equal(groupOf({ cpu: null }), 'missing');
});

test('a pod without a Ready condition or start time is unready', () => {
  assert.equal(groupOf({ ready: null }), 'unready');
  assert.equal(groupOf({ startedAtSeconds: null }), 'unready');
});

test('within 300 s of its start a pod counts only when its sample lies a whole window after it became ready', () => {
  const young = { startedAtSeconds: now - 60 };
  assert.equal(groupOf({ ...young, ready: { status: true, lastTransitionSeconds: now - 15 } }), 'ready');
  assert.equal(groupOf({ ...young, ready: { status: true, lastTransitionSeconds: now - 14 } }), 'unready');
  assert.equal(groupOf({ ...young, ready: { status: false, lastTransitionSeconds: now - 50 } }), 'unready');
});

test('later a pod that is not ready counts all the same, unless it has never been ready', () => {
  const lost = { status: false, lastTransitionSeconds: now - 100 };
  assert.equal(groupOf({ ready: lost }), 'ready');
  const never = { status: false, lastTransitionSeconds: now - 880 };
  assert.equal(groupOf({ ready: never }), 'unready');
});

test('the delays can be set', () => {
  const lost = pod({ ready: { status: false, lastTransitionSeconds: now - 100 } });
  const delays = { cpuInitializationSeconds: 2000, initialReadinessSeconds: 30 };
  assert.equal(groupPods([lost], now, delays).unready, 1);
});

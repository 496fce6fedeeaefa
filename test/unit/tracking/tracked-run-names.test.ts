import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trackedRunId, trackedRunsOf } from '../../../src/tracking/tracked-run-names.ts';

test('training and validation of a seed are shown as one run, led by the training', () => {
  const runs = trackedRunsOf(['train/seed-1', 'train/seed-10', 'validate/seed-1']);
  assert.deepEqual(runs, [
    { member: 'seed-1', jobType: 'train', series: ['train/seed-1', 'validate/seed-1'] },
    { member: 'seed-10', jobType: 'train', series: ['train/seed-10', 'validate/seed-10'] },
  ]);
});

test('a seed whose validation came first is led by its training all the same', () => {
  assert.deepEqual(trackedRunsOf(['validate/seed-2'])[0].series, ['train/seed-2', 'validate/seed-2']);
});

test('any other series is a run of its own', () => {
  assert.deepEqual(trackedRunsOf(['sweep/trial-4']), [
    { member: 'series-sweep/trial-4', jobType: 'sweep', series: ['sweep/trial-4'] },
  ]);
});

test('an id is the same each time, has at most 64 of the characters that W&B takes, and is readable', () => {
  const id = trackedRunId('online-boutique/2026:#1?%', 'seed-1');
  assert.equal(id, trackedRunId('online-boutique/2026:#1?%', 'seed-1'));
  assert.match(id, /^online-boutique-2026-1--seed-1-[0-9a-f]{10}$/);
  assert.match(trackedRunId('x'.repeat(300), 'y'.repeat(300)), /^[A-Za-z0-9_-]{1,64}$/);
});

test('ids of different runs differ, also when they read alike', () => {
  const ids = [trackedRunId('a/b', 'c'), trackedRunId('a-b', 'c'), trackedRunId('a', 'b-c'), trackedRunId('a-b', 'C')];
  assert.equal(new Set(ids).size, ids.length);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRecording, startOf } from '../../../src/recordings/recording-plan.ts';

test('a recording from now on begins with the first whole bin', () => {
  const plan = planRecording({ minutes: 10, startMinutesAgo: 0 }, 15, 900_001);
  assert.deepEqual([plan.startSeconds, plan.bins], [915, 40]);
  assert.deepEqual(plan.chunks, [
    { from: 0, to: 20 },
    { from: 20, to: 40 },
  ]);
  assert.equal(startOf(20, plan), 915 + 300);
});

test('a recording of the past begins so long ago, on the grid of its bins', () => {
  assert.equal(planRecording({ minutes: 1, startMinutesAgo: 10 }, 15, 900_000).startSeconds, 300);
  assert.equal(planRecording({ minutes: 1, startMinutesAgo: 10 }, 7, 900_000).startSeconds, 301);
});

for (const [minutes, binSeconds] of [
  [1, 60],
  [7, 15],
  [20_160, 15],
  [20_160, 3600],
  [1440, 1],
] as const) {
  test(`the chunks of ${minutes} minutes in bins of ${binSeconds} s cover each bin once, and are at most a hundred`, () => {
    const { bins, chunks } = planRecording({ minutes, startMinutesAgo: 0 }, binSeconds, 0);
    assert.equal(bins, Math.floor((minutes * 60) / binSeconds));
    assert.ok(chunks.length <= 100);
    assert.equal(chunks[0].from, 0);
    assert.equal(chunks.at(-1)!.to, bins);
    chunks.slice(1).forEach(({ from }, i) => assert.equal(from, chunks[i].to));
  });
}

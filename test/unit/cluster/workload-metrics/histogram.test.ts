import assert from 'node:assert/strict';
import { test } from 'node:test';

import { quantile, shareAbove } from '../../../../src/cluster/workload-metrics/histogram.ts';
import type { Bucket } from '../../../../src/cluster/workload-metrics/histogram.ts';

const buckets = (...pairs: readonly (readonly [number, number])[]): Bucket[] =>
  pairs.map(([bound, count]) => ({ bound, count }));
/** 10 up to 0.1 s, 30 up to 0.5 s, 40 in all. */
const some = buckets([0.1, 10], [0.5, 30], [Infinity, 40]);

test('a quantile is interpolated inside its bucket, the first one from 0, and ends at the last finite bound', () => {
  assert.equal(quantile(0.125, some), 0.05);
  assert.equal(quantile(0.5, some), 0.1 + 0.4 * (10 / 20));
  assert.equal(quantile(0.99, some), 0.5);
});

test('the share above a limit is interpolated inside the limit’s bucket', () => {
  assert.equal(shareAbove(0.05, some), 1 - 5 / 40);
  assert.equal(shareAbove(0.1, some), 30 / 40);
  assert.equal(shareAbove(0.2, some), 1 - 15 / 40);
  assert.equal(shareAbove(0.5, some), 10 / 40);
});

test('above the last finite bound all count, so that the share is on the safe side', () => {
  assert.equal(shareAbove(3, some), 10 / 40);
});

test('a quantile and the share above it say the same', () => {
  for (let share = 0.01; share < 0.75; share += 0.01) {
    assert.ok(Math.abs(shareAbove(quantile(share, some), some) - (1 - share)) < 1e-12, String(share));
  }
});

test('the order of buckets does not matter, and a bucket below the one before it counts as that one', () => {
  assert.equal(quantile(0.5, some.toReversed()), quantile(0.5, some));
  const torn = buckets([0.1, 10], [0.2, 9], [0.5, 30], [Infinity, 40]);
  assert.equal(quantile(0.5, torn), 0.2 + 0.3 * (10 / 20));
});

test('without observations, or without the last bucket, nothing is known', () => {
  for (const none of [[], buckets([0.1, 0], [Infinity, 0]), buckets([0.1, 3], [0.5, 4]), buckets([Infinity, NaN])]) {
    assert.ok(Number.isNaN(quantile(0.95, none)));
    assert.ok(Number.isNaN(shareAbove(0.5, none)));
  }
});

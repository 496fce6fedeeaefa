import assert from 'node:assert/strict';
import test from 'node:test';
import { createRandomPolicy } from '../../../../src/rl/baselines/random-policy.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { clusterOf } from './cluster-view.ts';

/** The decisions of 3000 steps for one service. */
function decisions(seed: number, cluster: Parameters<typeof clusterOf>[0], maxChange?: number): number[] {
  const policy = createRandomPolicy(new Generator(seed), maxChange);
  const replicas = Int32Array.of(0);
  return Array.from({ length: 3000 }, () => {
    policy.decide(clusterOf(cluster), replicas);
    return replicas[0];
  });
}

test('every change up to the largest comes as often as the others', () => {
  const counts = new Map<number, number>();
  for (const replicas of decisions(1, { desired: 50, percent: 10 }, 2)) {
    counts.set(replicas, (counts.get(replicas) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), [48, 49, 50, 51, 52]);
  // 600 each; five standard deviations of a binomial count are 110.
  for (const [replicas, count] of counts) assert.ok(Math.abs(count - 600) < 110, `${replicas}: ${count}`);
});

test('decisions stay within the limits, and the same generator gives the same ones', () => {
  const cluster = { desired: 4, percent: 10, min: 2, max: 8 };
  const first = decisions(3, cluster);
  assert.deepEqual([Math.min(...first), Math.max(...first)], [2, 8]);
  assert.deepEqual(decisions(3, cluster), first);
  assert.notDeepEqual(decisions(4, cluster), first);
});

test('a largest change that is none is refused', () => {
  for (const maxChange of [0, 1.5, NaN]) {
    assert.throws(() => createRandomPolicy(new Generator(1), maxChange), { code: 'CONFIG_INVALID' });
  }
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { createFixedReplicas } from '../../../../src/rl/baselines/fixed-replicas.ts';
import { createGreedy } from '../../../../src/rl/baselines/greedy.ts';
import { createRandomPolicy } from '../../../../src/rl/baselines/random-policy.ts';
import { onlineBoutiqueTask } from '../../../../src/rl/environments/online-boutique/scaling.ts';
import { evaluateController } from '../../../../src/rl/evaluation/evaluate.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { clusterOf } from './cluster-view.ts';

const replicas = Int32Array.of(0);
const decided = (pods: Parameters<typeof clusterOf>[0], targetPercent?: number): number => {
  createGreedy(targetPercent).decide(clusterOf(pods), replicas);
  return replicas[0];
};

test('greedy takes the replicas at which the usage of now is the target, at once and without tolerance', () => {
  assert.equal(decided({ desired: 10, percent: 60 }), 10);
  assert.equal(decided({ desired: 10, percent: 61 }), 11);
  assert.equal(decided({ desired: 10, percent: 12 }), 2);
  assert.equal(decided({ desired: 10, percent: 90 }, 30), 30);
  // Two of six pods carry 400 millicores: 400 / 50.
  assert.equal(decided({ desired: 6, ready: 2, unready: 4, percent: 200 }, 50), 8);
});

test('greedy stays within the limits, and keeps its replicas while no pod is ready', () => {
  assert.equal(decided({ desired: 4, percent: 500, max: 9 }), 9);
  assert.equal(decided({ desired: 4, percent: 0, min: 2 }), 2);
  assert.equal(decided({ desired: 4, ready: 0, unready: 4, percent: 100 }), 4);
});

test('a target out of range is refused', () => {
  assert.throws(() => createGreedy(0), { code: 'CONFIG_INVALID', message: /from 1 to 1000, not 0/ });
  assert.throws(() => createGreedy(NaN), { code: 'CONFIG_INVALID' });
});

test('on a rising load greedy scores better than fixed replicas, and those better than random ones', () => {
  const trace = Float64Array.from({ length: 200 }, (_, bin) => 15 * (60 + bin));
  const returnOf = (controller: Parameters<typeof evaluateController>[0]): number =>
    evaluateController(controller, onlineBoutiqueTask({ trace, episodeSteps: 120 }), [{ offset: 0, seed: 1 }])[0]
      .episodeReturn;
  const greedy = returnOf(createGreedy(50));
  const fixed = returnOf(createFixedReplicas(new Array<number>(11).fill(4)));
  const random = returnOf(createRandomPolicy(new Generator(1)));
  assert.ok(greedy > fixed && fixed > random, `${greedy}, ${fixed}, ${random}`);
});

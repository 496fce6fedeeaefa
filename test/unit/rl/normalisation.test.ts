import assert from 'node:assert/strict';
import test from 'node:test';

import { ObservationNormaliser, RewardScaler } from '../../../src/rl/normalisation.ts';
import { RunningStatistics } from '../../../src/rl/running-statistics.ts';

test('running mean and variance are those of all vectors, also far from zero', () => {
  const statistics = new RunningStatistics(2);
  const rows = [
    [1e6 + 1, 5],
    [1e6 + 2, 5],
    [1e6 + 4, 5],
    [1e6 + 9, 5],
  ];
  statistics.add(rows.flat(), 0);
  for (let row = 1; row < 4; row++) statistics.add(rows.flat(), 2 * row);
  assert.deepEqual([...statistics.mean], [1e6 + 4, 5]);
  assert.ok(Math.abs(statistics.variance(0) - 9.5) < 1e-9);
  assert.equal(statistics.variance(1), 0);
});

test('statistics go through JSON and continue the same', () => {
  const one = new RunningStatistics(1);
  for (const value of [0.1, 0.7, -3]) one.add([value]);
  const other = new RunningStatistics(1);
  other.loadState(JSON.parse(JSON.stringify(one.saveState())));
  one.add([1 / 3]);
  other.add([1 / 3]);
  assert.deepEqual(other.saveState(), one.saveState());
});

test('observations come to mean 0 and deviation 1 and are clipped; an element that never changed becomes 0', () => {
  const normaliser = new ObservationNormaliser(2);
  for (const value of [2, 4, 6, 8]) normaliser.statistics.add([value, 3]);
  const target = new Float32Array(4);
  normaliser.apply(Float32Array.of(5, 3, 1e9, 3), target);
  assert.deepEqual([...target], [0, 0, 10, 0]);
  normaliser.apply(Float32Array.of(5 + Math.sqrt(5), 3, 5 - Math.sqrt(5), 3), target);
  assert.ok(Math.abs(target[0] - 1) < 1e-6 && Math.abs(target[2] + 1) < 1e-6);
});

test('rewards are divided by the deviation of the discounted return, which starts anew with an episode', () => {
  const scaler = new RewardScaler(1, 0.5);
  assert.equal(scaler.scale(0, 2, false), Math.min(10, 2 / Math.sqrt(1 + 1e-8)));
  // returns seen: 2, then 2·0.5 + 4 = 5: variance 2.25
  assert.ok(Math.abs(scaler.scale(0, 4, true) - 4 / 1.5) < 1e-6);
  // the third return is 1, not 5·0.5 + 1: variance of 2, 5, 1 is 26/9
  assert.ok(Math.abs(scaler.scale(0, 1, false) - 1 / Math.sqrt(26 / 9)) < 1e-6);
});

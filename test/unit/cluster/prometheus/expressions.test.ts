import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recentGauge, sharpestRate, summedRate } from '../../../../src/cluster/prometheus/expressions.ts';

test('windows of a fraction of a second are written without one, which Prometheus would refuse', () => {
  assert.equal(summedRate('calls', 6, ['le']), 'sum by (le) (rate(calls[6s]))');
  assert.equal(sharpestRate('calls', [1.5, 3], ['le']), 'sum by (le) (rate(calls[1500ms]) or rate(calls[3s]))');
  assert.equal(recentGauge('max', 'pods', 0.25, ['le']), 'max by (le) (pods and last_over_time(pods[250ms]))');
});

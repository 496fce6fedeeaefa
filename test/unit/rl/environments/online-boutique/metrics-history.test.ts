import assert from 'node:assert/strict';
import test from 'node:test';
import { MetricsHistory } from '../../../../../src/rl/environments/online-boutique/metrics-history.ts';

test('a frame becomes visible after the delay', () => {
  for (const delay of [0, 1, 4]) {
    const history = new MetricsHistory(1, delay, 1);
    for (let step = 0; step < 12; step++) {
      history.values[history.nextFrame()] = step;
      assert.equal(history.values[history.newest], step);
      if (step >= delay) assert.equal(history.values[history.visible], step - delay, `delay ${delay}, step ${step}`);
    }
  }
});

test('rates are as old as the visible frame, and further back on request', () => {
  const history = new MetricsHistory(1, 2, 5);
  for (let step = 0; step < 20; step++) history.noteRate(step);
  assert.equal(history.rate(0), 17);
  assert.equal(history.rate(5), 12);
});

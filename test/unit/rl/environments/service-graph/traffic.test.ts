import assert from 'node:assert/strict';
import test from 'node:test';
import { DAY_BINS, generatedWeek } from '../../../../../src/rl/environments/service-graph/traffic.ts';

test('the generated week has days and nights, weekends and flash crowds, at rates that the application can serve', () => {
  const rates = generatedWeek().map((count) => count / 15);
  assert.equal(rates.length, 7 * DAY_BINS);
  const mean = (from: number, to: number): number =>
    rates.subarray(from, to).reduce((sum, rate) => sum + rate, 0) / (to - from);
  const at = (day: number, hour: number): number =>
    mean(day * DAY_BINS + hour * 240, day * DAY_BINS + (hour + 2) * 240);
  const weekdays = [0, 1, 2, 3, 4];
  const across = (hour: number): number => weekdays.reduce((sum, day) => sum + at(day, hour), 0) / 5;
  assert.ok(across(15) > 4 * across(3), `${across(15)} in the afternoon, ${across(3)} at night`);
  assert.ok(mean(5 * DAY_BINS, 7 * DAY_BINS) < 0.95 * mean(0, 5 * DAY_BINS));
  assert.ok(rates.every((rate) => rate > 20 && rate < 900));
  // Within four minutes the noise alone, of 10 %, hardly doubles a rate.
  const rises = [...rates.keys()].filter((bin) => bin >= 16 && rates[bin] > 1.6 * rates[bin - 16]);
  assert.ok(rises.length > 20, `${rises.length} bins are 60 % above four minutes earlier`);
});

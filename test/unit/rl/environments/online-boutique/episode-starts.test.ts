import assert from 'node:assert/strict';
import test from 'node:test';
import { EpisodeStarts } from '../../../../../src/rl/environments/online-boutique/episode-starts.ts';
import { Generator } from '../../../../../src/rl/random.ts';

/** Constant traffic with one sudden rise at bin 1000. */
const trace = Float64Array.from({ length: 1400 }, (_, bin) => (bin < 1000 ? 100 : 300));

const draws = (rampShare: number, count = 400): number[] => {
  const starts = new EpisodeStarts(trace, 240, rampShare);
  const generator = new Generator(1);
  return Array.from({ length: count }, () => starts.draw(generator));
};

test('without a preference episodes begin anywhere that leaves room for them', () => {
  const all = draws(0, 5000);
  assert.ok(all.every((start) => start >= 0 && start <= 1160));
  assert.ok(Math.min(...all) < 10 && Math.max(...all) > 1150);
});

test('ramp episodes begin at most a quarter of an hour before one of the steepest rises', () => {
  // The rise of bin 1000 is among the steepest 1 % of all bins, which lie around it.
  assert.ok(draws(1).every((start) => start > 1000 - 60 - 20 && start < 1000 + 20));
});

test('the share says how many of them are ramp episodes', () => {
  const near = draws(0.5, 2000).filter((start) => start > 920 && start < 1020).length / 2000;
  assert.ok(near > 0.45 && near < 0.6, `${near}`);
});

test('a trace shorter than the averages has no rises and is drawn from evenly', () => {
  const starts = new EpisodeStarts(Float64Array.of(1, 2, 3, 4), 2, 1);
  const generator = new Generator(2);
  assert.deepEqual(new Set(Array.from({ length: 100 }, () => starts.draw(generator))), new Set([0, 1, 2]));
});

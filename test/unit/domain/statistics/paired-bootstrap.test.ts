import assert from 'node:assert/strict';
import test from 'node:test';
import { crossedBootstrap, pairedBootstrap } from '../../../../src/domain/statistics/paired-bootstrap.ts';
import { Generator } from '../../../../src/rl/random.ts';

const uniform = (seed: number): (() => number) => {
  const generator = new Generator(seed);
  return () => generator.uniform();
};

/** Hands out the given indices of `length` as uniform numbers, again and again. */
const drawing = (indices: readonly number[], length: number): (() => number) => {
  let i = 0;
  return () => (indices[i++ % indices.length] + 0.5) / length;
};

const near = (actual: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('the mean is that of all seeds and episodes', () => {
  const { mean } = crossedBootstrap(
    [
      [1, 2, 3],
      [3, 4, 5],
    ],
    { random: uniform(1) },
  );
  assert.equal(mean, 3);
});

test('a resample that draws every value of one row twice has a mean worked out by hand', () => {
  // One row [0, 1]; both draws take episode 1, so the resampled mean is 1, its deviation from 0.5 widened by
  // t(0.975; 1) / z(0.975) · √2 = 12.7062 / 1.95996 · 1.41421 = 9.16817: 0.5 + 0.5 · 9.16817 = 5.08409.
  const { low, high } = crossedBootstrap([[0, 1]], { resamples: 1, random: drawing([1, 1, 1], 2) });
  near(low, 5.084086, 1e-5);
  near(high, 5.084086, 1e-5);
});

test('rows and columns are drawn independently and every drawn cell counts', () => {
  // 2 × 2 with interaction only: widened row and column parts vanish. Rows 0, 0; columns 0, 1: (1 − 1 + 1 − 1) / 4 = 0;
  // rows 0, 0; columns 0, 0: 1.
  const values = [
    [1, -1],
    [-1, 1],
  ];
  near(crossedBootstrap(values, { resamples: 1, random: drawing([0, 0, 0, 1], 2) }).low, 0);
  near(crossedBootstrap(values, { resamples: 1, random: drawing([0, 0, 0, 0], 2) }).low, 1);
});

test('pairing removes what policy and baseline share in an episode', () => {
  const baseline = [100, 200, 300, 400, 500];
  const policy = [baseline.map((value) => value - 7), baseline.map((value) => value - 7)];
  const interval = pairedBootstrap(policy, baseline, { random: uniform(2) });
  near(interval.mean, -7);
  near(interval.low, -7);
  near(interval.high, -7);
});

test('a relative difference is the ratio of the means', () => {
  const baseline = [100, 300];
  const policy = [[90, 270]];
  const interval = pairedBootstrap(policy, baseline, { random: uniform(3), relative: true });
  near(interval.mean, -0.1);
  near(interval.low, -0.1);
  near(interval.high, -0.1);
});

test('the same random numbers give the same interval', () => {
  const values = [
    [1, 5, 2],
    [4, 4, 9],
  ];
  assert.deepEqual(crossedBootstrap(values, { random: uniform(4) }), crossedBootstrap(values, { random: uniform(4) }));
});

for (const [title, seedSpread, episodeSpread, noise] of [
  ['seeds', 1, 0.2, 0.2],
  ['episodes', 0.1, 1, 1],
  ['both', 1, 1, 1],
] as const) {
  test(`the 95 % interval covers the true mean in 92 to 100 of 100 cases when ${title} vary most`, () => {
    const generator = new Generator(5);
    const random = (): number => generator.uniform();
    let covered = 0;
    for (let n = 0; n < 200; n++) {
      const seeds = Array.from({ length: 5 }, () => seedSpread * generator.normal());
      const episodes = Array.from({ length: 20 }, () => episodeSpread * generator.normal());
      const values = seeds.map((a) => episodes.map((b) => 2 + a + b + noise * generator.normal()));
      const { low, high } = crossedBootstrap(values, { resamples: 200, random });
      if (low <= 2 && 2 <= high) covered++;
    }
    assert.ok(covered >= 184, `covered ${covered} of 200`);
  });
}

test('a lower confidence gives a narrower interval', () => {
  const generator = new Generator(6);
  const values = [Array.from({ length: 30 }, () => generator.normal())];
  const wide = crossedBootstrap(values, { random: uniform(7), confidence: 0.95 });
  const narrow = crossedBootstrap(values, { random: uniform(7), confidence: 0.8 });
  assert.ok(narrow.high - narrow.low < 0.8 * (wide.high - wide.low));
});

test('tables that do not fit together are refused', () => {
  const random = uniform(8);
  assert.throws(() => crossedBootstrap([], { random }), /at least one row/);
  assert.throws(() => crossedBootstrap([[1, 2], [1]], { random }), /same episodes/);
  assert.throws(() => pairedBootstrap([[1, 2]], [1], { random }), /1 episodes and the policy 2/);
  assert.throws(() => pairedBootstrap([[1]], [0], { random, relative: true }), /above 0/);
});

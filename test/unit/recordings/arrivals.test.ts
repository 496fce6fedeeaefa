import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arrivalsFromCounts, arrivalsFromRates } from '../../../src/recordings/arrivals.ts';
import { binomial } from '../../../src/recordings/binomial.ts';
import { Generator } from '../../../src/rl/random.ts';

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Means of each of the pieces of the middle count over many draws. */
function meanPieces(counts: number[], pieces: number, middle: number, draws: number): number[] {
  const generator = new Generator(11);
  const means = new Array<number>(pieces).fill(0);
  for (let draw = 0; draw < draws; draw++) {
    const arrivals = arrivalsFromCounts(Float64Array.from(counts), pieces, generator);
    for (let j = 0; j < pieces; j++) means[j] += arrivals[middle * pieces + j] / draws;
  }
  return means;
}

describe('binomial', () => {
  for (const [n, p] of [
    [5, 0.3],
    [40, 0.2],
    [40, 0.5],
    [300, 0.9],
    [1000, 0.05],
    [100_000, 0.25],
  ])
    test(`has the mean and variance of ${n} trials of probability ${p}`, () => {
      const generator = new Generator(3);
      const draws = Array.from({ length: 20_000 }, () => binomial(generator, n, p));
      const mean = sum(draws) / draws.length;
      const variance = sum(draws.map((draw) => (draw - mean) ** 2)) / draws.length;
      const expected = n * p * (1 - p);
      assert.ok(Math.abs(mean - n * p) < 4 * Math.sqrt(expected / draws.length), `mean ${mean}`);
      assert.ok(Math.abs(variance / expected - 1) < 0.05, `variance ${variance} for ${expected}`);
      assert.ok(draws.every((draw) => Number.isInteger(draw) && draw >= 0 && draw <= n));
    });

  for (const [n, p] of [
    [12, 0.4],
    [60, 0.35],
  ])
    test(`follows the exact probabilities for n = ${n}, p = ${p} (chi-square)`, () => {
      const generator = new Generator(5);
      const total = 50_000;
      const found = new Array<number>(n + 1).fill(0);
      for (let i = 0; i < total; i++) found[binomial(generator, n, p)]++;
      let probability = (1 - p) ** n;
      let chiSquare = 0;
      let cells = 0;
      for (let k = 0; k <= n; k++) {
        const expected = probability * total;
        if (expected >= 10) {
          chiSquare += (found[k] - expected) ** 2 / expected;
          cells++;
        }
        probability *= ((n - k) / (k + 1)) * (p / (1 - p));
      }
      // Mean cells, deviation √(2 cells): four deviations leave less than 1 in 1 000.
      assert.ok(chiSquare < cells + 4 * Math.sqrt(2 * cells), `chi-square ${chiSquare} over ${cells} cells`);
    });

  test('knows the certain cases', () => {
    const generator = new Generator(1);
    assert.deepEqual([binomial(generator, 0, 0.5), binomial(generator, 9, 0), binomial(generator, 9, 1)], [0, 0, 9]);
  });
});

describe('arrivalsFromCounts', () => {
  test('conserves every whole count exactly', () => {
    const counts = Float64Array.from({ length: 500 }, (_, i) => (i % 7 === 0 ? 0 : (i * 7919) % 5000));
    const arrivals = arrivalsFromCounts(counts, 4, new Generator(2));
    assert.equal(arrivals.length, 2000);
    counts.forEach((count, i) => assert.equal(sum(arrivals.subarray(4 * i, 4 * i + 4)), count));
  });

  test('rounds a fraction up as often as it says', () => {
    const arrivals = arrivalsFromCounts(new Float64Array(20_000).fill(2.25), 1, new Generator(2));
    assert.ok(arrivals.every((count) => count === 2 || count === 3));
    assert.ok(Math.abs(sum(arrivals) / 20_000 - 2.25) < 0.013); // four standard errors
  });

  test('gives the pieces the shares of a straight line between the neighbours', () => {
    // Slope (300 − 100) / 2 = 100 across a count of 200: shares (1 ± 0.5 · {3, 1}/4) / 4 of 200.
    const means = meanPieces([100, 200, 300], 4, 1, 4000);
    [40.625, 46.875, 53.125, 59.375].forEach((expected, j) =>
      assert.ok(Math.abs(means[j] - expected) < 4 * Math.sqrt(expected / 4000), `${means[j]} for ${expected}`),
    );
  });

  test('lets the line fall to zero but not below', () => {
    const means = meanPieces([0, 10, 400], 4, 1, 4000);
    [0.625, 1.875, 3.125, 4.375].forEach((expected, j) =>
      assert.ok(Math.abs(means[j] - expected) < 4 * Math.sqrt(expected / 4000), `${means[j]} for ${expected}`),
    );
  });

  test('takes the slope to the one neighbour at the ends, and none for a single count', () => {
    const first = meanPieces([100, 200], 2, 0, 4000);
    assert.ok(Math.abs(first[0] - 37.5) < 0.5 && Math.abs(first[1] - 62.5) < 0.5, String(first));
    const single = meanPieces([100], 2, 0, 4000);
    assert.ok(Math.abs(single[0] - 50) < 0.5, String(single));
  });

  test('is the same for the same seed and another for another', () => {
    const counts = new Float64Array(50).fill(1000);
    assert.deepEqual(arrivalsFromCounts(counts, 4, new Generator(1)), arrivalsFromCounts(counts, 4, new Generator(1)));
    assert.notDeepEqual(
      arrivalsFromCounts(counts, 4, new Generator(1)),
      arrivalsFromCounts(counts, 4, new Generator(2)),
    );
  });

  test('refuses what no uint32 holds', () => {
    assert.throws(() => arrivalsFromCounts(Float64Array.of(5e9), 1, new Generator(1)), RangeError);
    assert.throws(() => arrivalsFromRates(Float64Array.of(5e9), 1, new Generator(1)), RangeError);
  });
});

describe('arrivalsFromRates', () => {
  test('draws Poisson numbers: mean and variance are rate × width', () => {
    const arrivals = arrivalsFromRates(new Float64Array(20_000).fill(4), 15, new Generator(9));
    const mean = sum(arrivals) / arrivals.length;
    const variance = sum(Array.from(arrivals, (count) => (count - mean) ** 2)) / arrivals.length;
    assert.ok(Math.abs(mean - 60) < 0.22, `mean ${mean}`);
    assert.ok(Math.abs(variance / 60 - 1) < 0.05, `variance ${variance}`);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GeneratorSource } from '../../../src/contracts/run-spec.ts';
import { flashCrowdFactors, generateArrivals, noiseFactors, seasonalRates } from '../../../src/recordings/generator.ts';
import { Generator } from '../../../src/rl/random.ts';

const quiet: GeneratorSource = {
  kind: 'generator',
  days: 7,
  meanRequestsPerSecond: 50,
  dailyAmplitude: 0.6,
  weekendDrop: 0.3,
  flashCrowdsPerDay: 0,
  flashCrowdPeak: 3,
  flashCrowdMinutes: 20,
  noise: 0,
};

function mean(values: Float64Array | Uint32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total / values.length;
}

/** Rate at a time of the week, requests/s. */
function rateAt(day: number, hour: number, source = quiet): number {
  return seasonalRates(source, 60)[(day * 24 + hour) * 60];
}

describe('seasonalRates', () => {
  test('has the asked mean over a week, whatever amplitude, weekend and width', () => {
    for (const change of [{}, { dailyAmplitude: 0 }, { dailyAmplitude: 1, weekendDrop: 1 }, { weekendDrop: 0 }])
      for (const binSeconds of [15, 60, 3600]) {
        const rates = seasonalRates({ ...quiet, ...change }, binSeconds);
        assert.ok(Math.abs(mean(rates) / 50 - 1) < 1e-3, `${mean(rates)} of ${JSON.stringify(change)}`);
      }
  });

  test('is lowest at 3:00 and highest at 15:00, by the amplitude', () => {
    assert.ok(Math.abs(rateAt(2, 15) / rateAt(2, 3) - 1.6 / 0.4) < 1e-3);
    const tuesday = Array.from(seasonalRates(quiet, 3600).subarray(24, 48));
    assert.ok([2, 3].includes(tuesday.indexOf(Math.min(...tuesday))));
    assert.ok([14, 15].includes(tuesday.indexOf(Math.max(...tuesday))));
  });

  test('is lower at weekends by the drop, from Saturday to Sunday', () => {
    for (const day of [5, 6]) assert.ok(Math.abs(rateAt(day, 12) / rateAt(1, 12) - 0.7) < 1e-9);
    for (const day of [0, 3, 4]) assert.ok(Math.abs(rateAt(day, 12) / rateAt(1, 12) - 1) < 1e-9);
  });

  test('has no step, neither into the weekend nor out of it', () => {
    const rates = seasonalRates({ ...quiet, days: 14, dailyAmplitude: 0 }, 60);
    for (let bin = 1; bin < rates.length; bin++)
      assert.ok(Math.abs(rates[bin] / rates[bin - 1] - 1) < 0.01, `bin ${bin}`);
    assert.ok(Math.abs(rates[7 * 1440] / rates[2 * 1440] - 0.85) < 0.01); // half of the way out at Monday 00:00
  });

  test('covers the days with bins', () => {
    assert.equal(seasonalRates({ ...quiet, days: 2 }, 15).length, 11_520);
  });
});

describe('noiseFactors', () => {
  test('have mean 1, the asked standard deviation, and forget over an hour', () => {
    const factors = noiseFactors(400_000, 0.2, 60, new Generator(4));
    const average = mean(factors);
    const deviations = factors.map((factor) => factor - average);
    const variance = mean(deviations.map((deviation) => deviation ** 2));
    const hourLater = mean(deviations.subarray(60).map((deviation, i) => deviation * deviations[i])) / variance;
    assert.ok(Math.abs(average - 1) < 0.02, `mean ${average}`);
    assert.ok(Math.abs(Math.sqrt(variance) / 0.2 - 1) < 0.08, `deviation ${Math.sqrt(variance)}`);
    assert.ok(Math.abs(hourLater - Math.exp(-1)) < 0.06, `correlation ${hourLater}`);
  });

  test('are all 1 without noise', () => {
    assert.ok(noiseFactors(100, 0, 15, new Generator(4)).every((factor) => factor === 1));
  });
});

describe('flashCrowdFactors', () => {
  const crowds = { ...quiet, flashCrowdsPerDay: 4, flashCrowdPeak: 3, flashCrowdMinutes: 30 };

  test('come as often as asked, last as long as asked and peak at the asked factor', () => {
    const days = 400;
    const factors = flashCrowdFactors(days * 1440, { ...crowds, flashCrowdsPerDay: 1 }, 60, new Generator(8));
    const inCrowd = factors.reduce((count, factor) => count + (factor > 1 ? 1 : 0), 0);
    // Overlaps take a share of about half the load of 30 / 1440.
    assert.ok(Math.abs(inCrowd / (days * 30) - 0.99) < 0.12, `${inCrowd / 30} crowds of ${days}`);
    const highest = factors.reduce((most, factor) => Math.max(most, factor), 0);
    assert.ok(highest > 2.9 && highest <= 3, `highest ${highest}`);
    assert.equal(Math.min(...factors.subarray(0, 10_000)), 1);
  });

  test('rise faster than they fall', () => {
    const factors = flashCrowdFactors(1440 * 20, { ...crowds, flashCrowdsPerDay: 0.5 }, 60, new Generator(8));
    const begin = factors.findIndex((factor, i) => i > 60 && factor > 1);
    const crowd = Array.from(factors.subarray(begin, begin + 40));
    const peak = crowd.indexOf(Math.max(...crowd));
    const end = crowd.findIndex((factor, i) => i > peak && factor === 1);
    assert.ok(peak >= 3 && peak <= 5, `peak after ${peak} minutes`);
    assert.ok(end >= 29 && end <= 31, `end after ${end} minutes`);
  });

  test('do not occur when none are asked for', () => {
    assert.ok(flashCrowdFactors(5000, quiet, 15, new Generator(8)).every((factor) => factor === 1));
  });
});

describe('generateArrivals', () => {
  const source = { ...quiet, days: 1, noise: 0.1, flashCrowdsPerDay: 3 };

  test('is the same for the same seed and another for another', () => {
    assert.deepEqual(generateArrivals(source, 15, 6), generateArrivals(source, 15, 6));
    assert.notDeepEqual(generateArrivals(source, 15, 6), generateArrivals(source, 15, 7));
  });

  test('begins alike however long it goes on', () => {
    const oneDay = generateArrivals(source, 60, 6);
    const twoDays = generateArrivals({ ...source, days: 2 }, 60, 6);
    assert.deepEqual(twoDays.subarray(0, 1440), oneDay);
  });

  test('has the mean rate of the source over a week', () => {
    const arrivals = generateArrivals({ ...quiet, noise: 0 }, 15, 3);
    assert.ok(Math.abs(mean(arrivals) / (50 * 15) - 1) < 0.002);
  });
});

import assert from 'node:assert/strict';
import test from 'node:test';

import { actionNoise } from '../../../src/rl/action-noise.ts';
import type { NoiseOptions } from '../../../src/rl/action-noise.ts';
import { Generator } from '../../../src/rl/random.ts';

const options: NoiseOptions = { actionNoise: 'normal', noiseDeviation: 0.1, noiseReversion: 0.15, noiseTimeStep: 0.01 };

/** The noise of `count` steps of one element. */
function drawn(changed: Partial<NoiseOptions>, count: number): number[] {
  const noise = actionNoise({ ...options, ...changed }, 1, 1, new Generator(1));
  return Array.from({ length: count }, () => {
    const units = new Float32Array(1);
    noise.addTo(units);
    return units[0];
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('normal noise has the asked deviation, and no memory', () => {
  const values = drawn({}, 20_000);
  const variance = mean(values.map((value) => value ** 2));
  const covariance = mean(values.slice(1).map((value, i) => value * values[i]));
  assert.ok(Math.abs(Math.sqrt(variance) - 0.1) < 0.003, String(Math.sqrt(variance)));
  assert.ok(Math.abs(covariance / variance) < 0.03, String(covariance / variance));
});

test('the Ornstein–Uhlenbeck process takes the steps of its equation', () => {
  const generator = new Generator(1);
  let value = 0;
  const expected = Array.from({ length: 50 }, () => {
    value += 2 * (0 - value) * 0.04 + 0.3 * Math.sqrt(0.04) * generator.normal();
    return value;
  });
  const values = drawn(
    { actionNoise: 'ornstein-uhlenbeck', noiseDeviation: 0.3, noiseReversion: 2, noiseTimeStep: 0.04 },
    50,
  );
  values.forEach((noise, i) => assert.ok(Math.abs(noise - expected[i]) < 1e-6, `${i}: ${noise}, not ${expected[i]}`));
});

test('none adds nothing', () => {
  assert.deepEqual(drawn({ actionNoise: 'none' }, 3), [0, 0, 0]);
});

test('noisy actions stay within their range', () => {
  const noise = actionNoise({ ...options, noiseDeviation: 3 }, 1, 100, new Generator(1));
  const units = new Float32Array(100).fill(0.5);
  noise.addTo(units);
  assert.ok(units.every((unit) => Math.abs(unit) <= 1) && units.includes(1) && units.includes(-1));
});

test('the end of an episode resets one environment only, and a saved state goes on alike', () => {
  const process: NoiseOptions = { ...options, actionNoise: 'ornstein-uhlenbeck', noiseTimeStep: 1 };
  const noise = actionNoise(process, 2, 2, new Generator(1));
  noise.addTo(new Float32Array(4));
  noise.reset(1);
  const state = JSON.parse(JSON.stringify(noise.saveState())) as number[];
  assert.deepEqual(
    state.map((value) => value !== 0),
    [true, true, false, false],
  );
  const other = actionNoise(process, 2, 2, new Generator(7));
  other.loadState(state);
  assert.deepEqual(other.saveState(), state);
});

import assert from 'node:assert/strict';
import test from 'node:test';

import { adamSchedule, adamUpdate } from '../../../src/tensor/adam.ts';
import { compile } from '../../../src/tensor/program.ts';
import type { Values } from '../../../src/tensor/loaded-model.ts';
import { assertClose } from './compare.ts';

/** Adam as the paper writes it (Kingma & Ba 2015, algorithm 1), in double precision. */
function adamOfThePaper(
  parameters: number[],
  gradients: number[][],
  rate: number,
  epsilon: number,
  maxNorm: number,
): number[] {
  const m = parameters.map(() => 0);
  const v = parameters.map(() => 0);
  const w = [...parameters];
  gradients.forEach((gradient, index) => {
    const norm = Math.hypot(...gradient);
    const shrink = Math.min(1, maxNorm / (norm + 1e-6));
    gradient.forEach((value, i) => {
      const g = value * shrink;
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      const corrected = m[i] / (1 - 0.9 ** (index + 1));
      w[i] -= (rate * corrected) / (Math.sqrt(v[i] / (1 - 0.999 ** (index + 1))) + epsilon);
    });
  });
  return w;
}

test('twenty updates, some with gradients above the norm, are those of the paper', async () => {
  const gradients = Array.from({ length: 20 }, (_, step) => [Math.sin(step), 0.3 * Math.cos(3 * step), 0.01 * step]);
  const flat = { shape: [3] };
  const compiled = await compile(
    ({ parameters, firstMoment, secondMoment, gradient, stepSize, epsilon }) => {
      const next = adamUpdate({ parameters, firstMoment, secondMoment }, gradient, { stepSize, epsilon }, 0.5);
      return { w: next.parameters, m: next.firstMoment, v: next.secondMoment, norm: next.gradientNorm };
    },
    {
      parameters: flat,
      firstMoment: flat,
      secondMoment: flat,
      gradient: flat,
      stepSize: { shape: [] },
      epsilon: { shape: [] },
    },
  );
  const schedule = adamSchedule(0, 20, 0.05, 1e-5);
  let state: Record<string, Values> = {
    w: Float32Array.of(1, -1, 0.5),
    m: new Float32Array(3),
    v: new Float32Array(3),
  };
  for (const [index, gradient] of gradients.entries()) {
    state = await compiled.run({
      parameters: state.w,
      firstMoment: state.m,
      secondMoment: state.v,
      gradient: Float32Array.from(gradient),
      stepSize: schedule.stepSize.slice(index, index + 1),
      epsilon: schedule.epsilon.slice(index, index + 1),
    });
    assertClose(state.norm, [Math.hypot(...gradient)], 1e-6);
  }
  assertClose(state.w, adamOfThePaper([1, -1, 0.5], gradients, 0.05, 1e-5, 0.5), 2e-6);
  await compiled.dispose();
});

test('a schedule goes on where the updates made so far end', () => {
  const whole = adamSchedule(0, 10, 1e-3, 1e-8);
  const rest = adamSchedule(6, 4, 1e-3, 1e-8);
  assert.deepEqual(rest.stepSize, whole.stepSize.slice(6));
  assert.deepEqual(rest.epsilon, whole.epsilon.slice(6));
});

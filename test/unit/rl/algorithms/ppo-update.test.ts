import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { PpoModel, ppo } from '../../../../src/rl/algorithms/ppo.ts';
import type { EnvironmentDescription } from '../../../../src/rl/environment.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { adamSchedule } from '../../../../src/tensor/adam.ts';
import { elementCount } from '../../../../src/tensor/graph.ts';
import type { Values } from '../../../../src/tensor/loaded-model.ts';
import type { InputSpec, Tensors } from '../../../../src/tensor/trace.ts';
import { compileUpdateLoop } from '../../../../src/tensor/update-loop.ts';
import type { UpdateLoopResults } from '../../../../src/tensor/update-loop.ts';
import { assertClose } from '../../tensor/compare.ts';

const environment = (choices: number[] | null, masked: boolean): EnvironmentDescription => ({
  name: 'toy',
  observationSpace: { kind: 'box', shape: [5], low: -1, high: 1 },
  actionSpace: choices ? { kind: 'multi-discrete', choices } : { kind: 'box', shape: [3], low: -1, high: 1 },
  actionMaskSize: masked && choices ? choices.reduce((sum, count) => sum + count, 0) : 0,
  maxEpisodeSteps: null,
  observationTable: [],
  actionTable: [],
});

const updates = 6;
const batch = 16;

/** Random samples in the shapes that the update asks for. */
function randomSamples(model: PpoModel, generator: Generator): Record<string, Values> {
  const { samples } = model.updateInputs;
  const { layout } = model.networks.distribution;
  const draw = (name: string): Float32Array =>
    Float32Array.from({ length: updates * batch * elementCount(samples[name].shape as number[]) }, () =>
      generator.normal(),
    );
  const filled = Object.fromEntries(Object.keys(samples).map((name) => [name, draw(name)]));
  filled.logProbability.forEach((value, i, all) => (all[i] = -1 - 0.3 * Math.abs(value)));
  const { action, penalty } = filled;
  if (!layout) return filled;
  const { choices, heads, width, maskPlaces } = layout;
  action.fill(0);
  for (let row = 0; row < updates * batch; row++) {
    for (let head = 0; head < heads; head++) {
      const count = choices[head];
      const chosen = generator.integer(count);
      action[(row * heads + head) * width + chosen] = 1;
      for (let choice = 0; penalty && choice < width; choice++) {
        const place = head * width + choice;
        const forbidden = maskPlaces[place] < 0 || (choice !== chosen && generator.uniform() < 0.4);
        penalty[row * heads * width + place] = forbidden ? -1e8 : 0;
      }
    }
  }
  return filled;
}

/** The same updates on TF.js's own CPU backend, one after the other. */
async function onCpuBackend(
  model: PpoModel,
  initial: Record<string, Values>,
  samples: Record<string, Values>,
  advantage: Float32Array,
  schedule: Record<string, Float32Array>,
): Promise<{ state: Record<string, Values>; outputs: Record<string, number[]> }> {
  await tf.setBackend('cpu');
  const { state: shapes, samples: sampleShapes } = model.updateInputs;
  const tensor = (values: Values, { shape }: InputSpec, rows: number[] = []): tf.Tensor =>
    tf.tensor(values, [...rows, ...(shape as number[])]);
  let state = initial;
  const outputs: Record<string, number[]> = {};
  for (let update = 0; update < updates; update++) {
    const rowsOf = (values: Values, size: number): Values =>
      values.slice(update * batch * size, (update + 1) * batch * size);
    const pick = (name: string): tf.Tensor =>
      tensor(rowsOf(samples[name], elementCount(sampleShapes[name].shape as number[])), sampleShapes[name], [batch]);
    const result = model.update({
      state: mapped(shapes, (name) => tensor(state[name], shapes[name])),
      batch: { ...mapped(sampleShapes, pick), advantage: tf.tensor1d(rowsOf(advantage, 1)) },
      schedule: mapped(schedule, (name) => tf.scalar(schedule[name][update])),
    });
    state = Object.fromEntries(
      Object.entries(result.state).map(([name, value]) => [name, value.dataSync<'float32'>()]),
    );
    for (const [name, value] of Object.entries(result.outputs)) (outputs[name] ??= []).push(...value.dataSync());
  }
  return { state, outputs };
}

function mapped(record: object, map: (name: string) => tf.Tensor): Tensors {
  return Object.fromEntries(Object.keys(record).map((name) => [name, map(name)]));
}

/** `choices` null stands for three continuous actions. */
const cases: Record<string, { config: object; choices: number[] | null; masked: boolean }> = {
  'one head with the defaults': { config: {}, choices: [3], masked: false },
  'eleven masked heads': { config: {}, choices: new Array<number>(11).fill(4), masked: true },
  'heads of different sizes': { config: { hiddenSizes: [8] }, choices: [2, 5, 3], masked: false },
  'value clipping, entropy bonus and relu': {
    config: { valueClipRange: 0.2, entropyCoefficient: 0.05, activation: 'relu', hiddenSizes: [16, 8, 4] },
    choices: [3, 3],
    masked: true,
  },
  'one trunk and a falling clip range': {
    config: { sharedNetwork: true, clipRangeSchedule: 'linear', valueClipRange: 0.2 },
    choices: [3, 2],
    masked: true,
  },
  'continuous actions and an entropy bonus': { config: { entropyCoefficient: 0.05 }, choices: null, masked: false },
  'continuous actions on one trunk': { config: { sharedNetwork: true }, choices: null, masked: false },
};

for (const [name, { config, choices, masked }] of Object.entries(cases)) {
  test(`six chained updates (${name}) are those of the CPU backend within 1e-5`, async () => {
    const model = new PpoModel(ppo.configure({ hiddenSizes: [16, 16], ...config }), environment(choices, masked));
    const generator = new Generator(17);
    const parameters = model.initialParameters(generator);
    const initial = {
      parameters: parameters.map((value) => value + 0.1 * generator.normal()),
      firstMoment: new Float32Array(parameters.length),
      secondMoment: new Float32Array(parameters.length),
    };
    const samples = randomSamples(model, generator);
    const advantage = Float32Array.from({ length: updates * batch }, () => generator.normal());
    const { entropyCoefficient, clipRange } = model.updateInputs.schedule;
    const schedule = {
      ...adamSchedule(0, updates, 3e-3, 1e-5),
      ...(entropyCoefficient ? { entropyCoefficient: new Float32Array(updates).fill(0.05) } : {}),
      ...(clipRange ? { clipRange: Float32Array.from({ length: updates }, (_, i) => 0.2 - 0.01 * i) } : {}),
    };
    const expected = await onCpuBackend(model, initial, samples, advantage, schedule);
    const loop = await compileUpdateLoop({ ...model.updateInputs, iteration: (inputs) => model.update(inputs) });
    const actual = await loop.run({
      state: initial,
      samples,
      picks: { advantage },
      schedule,
      order: Int32Array.from({ length: updates * batch }, (_, index) => index),
      batchSizes: new Array<number>(updates).fill(batch),
    });
    await loop.dispose();
    for (const [output, values] of Object.entries(expected.outputs))
      assertClose(actual.outputs[output], values, 1e-5, output);
    for (const [part, values] of Object.entries(expected.state)) assertClose(actual.state[part], values, 1e-5, part);
    assert.ok(
      expected.outputs.means.some((value, i) => i % 4 === 3 && value > 0),
      'the samples reach the clip range',
    );
  });
}

test('the minibatch whose divergence ends the phase by targetKl still counts', async () => {
  const phase = async (targetKl: number | null, count: number): Promise<UpdateLoopResults> => {
    const model = new PpoModel(ppo.configure({ hiddenSizes: [8], targetKl }), environment([3], false));
    const generator = new Generator(17);
    const parameters = model.initialParameters(generator);
    const zeros = new Float32Array(parameters.length);
    const loop = await compileUpdateLoop({ ...model.updateInputs, iteration: (inputs) => model.update(inputs) });
    const results = await loop.run({
      state: { parameters, firstMoment: zeros, secondMoment: zeros },
      samples: randomSamples(model, generator),
      picks: { advantage: Float32Array.from({ length: count * batch }, () => 1) },
      schedule: adamSchedule(0, count, 3e-3, 1e-5),
      order: Int32Array.from({ length: count * batch }, (_, index) => index),
      batchSizes: new Array<number>(count).fill(batch),
    });
    await loop.dispose();
    return results;
  };
  const [stopped, one] = await Promise.all([phase(1e-4, updates), phase(null, 1)]);
  const means = stopped.outputs.means;
  assert.ok(means[2] > 1.5e-4, `the first minibatch diverges by ${means[2]}`);
  assert.equal(stopped.outputs.gradientNorm.length, 1);
  assertClose(stopped.state.parameters, one.state.parameters, 1e-6, 'parameters');
  assert.ok(stopped.state.firstMoment.some((moment) => moment !== 0));
});

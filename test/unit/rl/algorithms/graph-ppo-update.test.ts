import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { graphPpo, GraphPpoModel } from '../../../../src/rl/algorithms/graph-ppo.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { adamSchedule } from '../../../../src/tensor/adam.ts';
import { elementCount } from '../../../../src/tensor/graph.ts';
import type { Values } from '../../../../src/tensor/loaded-model.ts';
import type { InputSpec, Tensors } from '../../../../src/tensor/trace.ts';
import { compileUpdateLoop } from '../../../../src/tensor/update-loop.ts';
import { assertClose } from '../../tensor/compare.ts';
import { choices, description, layout } from '../graph/small-graphs.ts';

const updates = 4;
/** Sequences of each update. */
const batch = 3;
const cells = layout.nodes * layout.nodes;

/** Random samples in the shapes that the update asks for: nodes and edges are missing here and there, memories change hands. */
function randomSamples(model: GraphPpoModel, generator: Generator): Record<string, Float32Array> {
  const { samples } = model.updateInputs;
  const filled = Object.fromEntries(
    Object.entries(samples).map(([name, { shape }]) => [
      name,
      Float32Array.from({ length: updates * batch * elementCount(shape as number[]) }, () => generator.normal()),
    ]),
  );
  const { identities, before, links, edges, action, penalty, logProbability } = filled;
  identities.forEach((_, i) => (identities[i] = generator.integer(4) === 0 ? 0 : 1 + (i % layout.nodes)));
  before?.forEach((_, i) => (before[i] = generator.integer(3) === 0 ? 0 : 1 + (i % layout.nodes)));
  links.forEach((_, i) => (links[i] = Math.max(0, generator.integer(4) - 1)));
  const { edgeFeatures } = model.arrangement.sizes;
  edges.forEach((_, i) => {
    const graph = Math.floor(i / (edgeFeatures * cells));
    if (links[graph * cells + (i % cells)] === 0) edges[i] = 0;
  });
  logProbability.forEach((value, i) => (logProbability[i] = -3 - 0.5 * Math.abs(value)));
  action.fill(0);
  for (let head = 0; head * choices < action.length; head++) {
    const chosen = generator.integer(choices);
    action[head * choices + chosen] = 1;
    for (let choice = 0; penalty && choice < choices; choice++) {
      penalty[head * choices + choice] = choice !== chosen && generator.uniform() < 0.4 ? -1e8 : 0;
    }
  }
  return filled;
}

/** The same updates on TF.js's own CPU backend, one after the other. */
async function onCpuBackend(
  model: GraphPpoModel,
  initial: Record<string, Values>,
  samples: Record<string, Values>,
  advantage: Float32Array,
  schedule: Record<string, Float32Array>,
): Promise<{ state: Record<string, Values>; outputs: Record<string, number[]> }> {
  await tf.setBackend('cpu');
  const { state: shapes, samples: sampleShapes, picks } = model.updateInputs;
  const rowsOf = (values: Values, { shape }: InputSpec, update: number): tf.Tensor => {
    const size = batch * elementCount(shape as number[]);
    return tf.tensor(values.slice(update * size, (update + 1) * size), [batch, ...(shape as number[])]);
  };
  let state = initial;
  const outputs: Record<string, number[]> = {};
  for (let update = 0; update < updates; update++) {
    const result = model.update({
      state: mapped(shapes, (name) => tf.tensor(state[name], shapes[name].shape as number[])),
      batch: {
        ...mapped(sampleShapes, (name) => rowsOf(samples[name], sampleShapes[name], update)),
        advantage: rowsOf(advantage, picks.advantage, update),
      },
      schedule: mapped(schedule, (name) => tf.scalar(schedule[name][update])),
    });
    state = Object.fromEntries(
      Object.entries(result.state).map(([name, value]) => [name, value.dataSync<'float32'>()]),
    );
    for (const [name, value] of Object.entries(result.outputs)) (outputs[name] ??= []).push(value.dataSync()[0]);
  }
  return { state, outputs };
}

function mapped(record: object, map: (name: string) => tf.Tensor): Tensors {
  return Object.fromEntries(Object.keys(record).map((name) => [name, map(name)]));
}

const cases: Record<string, { config: object; masked: boolean }> = {
  'the defaults': { config: {}, masked: true },
  'value clipping, an entropy bonus and steps on their own': {
    config: { valueClipRange: 0.2, entropyCoefficient: 0.05, unrollSteps: 1, messageRounds: 1 },
    masked: false,
  },
  'no memory and three rounds': { config: { memoryWidth: 0, messageRounds: 3 }, masked: true },
  'no rounds': { config: { messageRounds: 0, unrollSteps: 2 }, masked: true },
};

for (const [name, { config, masked }] of Object.entries(cases)) {
  test(`four chained updates (${name}) are those of the CPU backend within 1e-5`, async () => {
    const small = { width: 8, attentionWidth: 4, memoryWidth: 6, unrollSteps: 3, rolloutSteps: 6 };
    const model = new GraphPpoModel(graphPpo.configure({ minibatchSize: 6, ...small, ...config }), description(masked));
    const generator = new Generator(17);
    const parameters = model.initialParameters(generator).map((value) => value + 0.1 * generator.normal());
    const initial = {
      parameters,
      firstMoment: new Float32Array(parameters.length),
      secondMoment: new Float32Array(parameters.length),
    };
    const samples = randomSamples(model, generator);
    const count = updates * batch * model.config.unrollSteps;
    const advantage = Float32Array.from({ length: count }, () => generator.normal());
    const schedule = {
      ...adamSchedule(0, updates, 3e-3, 1e-5),
      ...(model.hasEntropyBonus ? { entropyCoefficient: new Float32Array(updates).fill(0.05) } : {}),
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
    const moved = expected.state.parameters.filter((value, i) => value !== parameters[i]).length;
    assert.ok(moved > 0.95 * parameters.length, `${moved} of ${parameters.length} weights get a gradient`);
  });
}

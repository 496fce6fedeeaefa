import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { DqnModel, dqn } from '../../../../src/rl/algorithms/dqn.ts';
import type { EnvironmentDescription } from '../../../../src/rl/environment.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { adamSchedule, adamUpdate } from '../../../../src/tensor/adam.ts';
import type { Values } from '../../../../src/tensor/loaded-model.ts';
import { compileUpdate } from '../../../../src/tensor/update.ts';
import type { Views } from '../../../../src/tensor/update.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { assertClose } from '../../tensor/compare.ts';

const batch = 16;
const choices = 3;
const maskedValue = -1e8;

const environment = (masked: boolean): EnvironmentDescription => ({
  name: 'toy',
  observationSpace: { kind: 'box', shape: [5], low: -1, high: 1 },
  actionSpace: { kind: 'discrete', n: choices },
  actionMaskSize: masked ? choices : 0,
  maxEpisodeSteps: null,
  observationTable: [],
  actionTable: [],
});

/** What a minibatch holds, apart from the layout in which the update wants it. */
interface Samples {
  readonly observation: Float32Array;
  readonly nextObservation: Float32Array;
  readonly rewards: readonly number[];
  readonly discounts: readonly number[];
  readonly weights: readonly number[];
  readonly actions: readonly number[];
  /** Allowed next choices of each sample. */
  readonly allowed: readonly (readonly boolean[])[];
}

function randomSamples(generator: Generator, masked: boolean): Samples {
  const observation = (): Float32Array => Float32Array.from({ length: 5 * batch }, () => generator.normal());
  const rows = Array.from({ length: batch }, (_, row) => row);
  return {
    observation: observation(),
    nextObservation: observation(),
    // Rewards of this size reach both parts of Huber's loss.
    rewards: rows.map(() => 2 * generator.normal()),
    discounts: rows.map((row) => (row % 4 === 0 ? 0 : 0.9)),
    weights: rows.map(() => generator.uniform()),
    actions: rows.map(() => generator.integer(choices)),
    allowed: rows.map((row) => [0, 1, 2].map((choice) => !masked || choice !== row % choices)),
  };
}

function factsOf({ rewards, discounts, weights, actions, allowed }: Samples, masked: boolean): Float32Array {
  const rows = rewards.map((reward, row) => [
    reward,
    discounts[row],
    weights[row] / batch,
    ...[0, 1, 2].map((choice) => Number(choice === actions[row])),
    ...(masked ? allowed[row].map((yes) => (yes ? 0 : maskedValue)) : []),
  ]);
  return Float32Array.from(rows.flat());
}

/** The values of all actions, one array an observation. */
async function valuesOf(model: DqnModel, parameters: Float32Array, observation: Float32Array): Promise<number[][]> {
  const program = await compile((inputs) => model.act(inputs), model.actInputs(batch));
  const { values } = await program.run({ parameters, observation });
  await program.dispose();
  return Array.from({ length: batch }, (_, row) => [...values.subarray(row * choices, (row + 1) * choices)]);
}

/** The targets, worked out from the networks' values by the definitions of the papers. */
async function targetsOf(
  model: DqnModel,
  parameters: Float32Array,
  target: Float32Array,
  samples: Samples,
): Promise<number[]> {
  const judged = await valuesOf(model, target, samples.nextObservation);
  const chosen = model.config.doubleQ ? await valuesOf(model, parameters, samples.nextObservation) : judged;
  return samples.rewards.map((reward, row) => {
    const open = [0, 1, 2].filter((choice) => samples.allowed[row][choice]);
    const best = open.reduce((a, b) => (chosen[row][b] > chosen[row][a] ? b : a));
    return reward + samples.discounts[row] * judged[row][best];
  });
}

const settings = {
  plain: {},
  double: { doubleQ: true },
  duelling: { duelling: true },
  'duelling with one hidden layer': { duelling: true, hiddenSizes: [7] },
  'tanh and a limit of the gradient that is reached': { activation: 'tanh', maxGradientNorm: 0.05 },
};

for (const [name, hyperparameters] of Object.entries(settings)) {
  for (const masked of [false, true]) {
    test(`${name}${masked ? ', masked' : ''}: the compiled update is that of the papers, computed otherwise`, async () => {
      const generator = new Generator(7);
      const config = dqn.configure({
        hiddenSizes: [8, 6],
        batchSize: batch,
        prioritisedReplay: true,
        ...hyperparameters,
      });
      const model = new DqnModel(config, environment(masked));
      const parameters = model.initialParameters(generator);
      const target = model.initialParameters(generator);
      const moments = {
        firstMoment: draws(generator, parameters.length),
        secondMoment: draws(generator, parameters.length),
      };
      const samples = randomSamples(generator, masked);
      const schedule = adamSchedule(3, 1, 0.01, 1e-8);
      const update = await compileUpdate(model.updateSpec, batch);
      const { observation, nextObservation } = samples;
      fill(update.state, { parameters, ...moments });
      fill(update.batch, { observation, nextObservation, facts: factsOf(samples, masked) });
      fill(update.schedule, { target, ...schedule });
      update.runSync();
      const results = { ...update.state, ...update.outputs };
      await update.dispose();

      const targets = await targetsOf(model, parameters, target, samples);
      const values = await valuesOf(model, parameters, samples.observation);
      const errors = samples.actions.map((action, row) => values[row][action] - targets[row]);
      samples.actions.forEach((action, row) => {
        const expected = [0, 1, 2].map((choice) => (choice === action ? errors[row] : 0));
        assertClose(
          results.errors.subarray(row * choices, (row + 1) * choices),
          expected,
          1e-5,
          `errors of row ${row}`,
        );
      });
      const sizes = errors.map(Math.abs);
      assert.ok(Math.min(...sizes) < 1 && Math.max(...sizes) > 1, 'the errors reach both parts of the loss');

      const expected = await stepOnCpu(model, parameters, moments, samples, targets, schedule);
      for (const [part, numbers] of Object.entries(expected)) assertClose(results[part], numbers, 1e-5, part);
    });
  }
}

function fill(views: Views, values: Readonly<Record<string, Float32Array>>): void {
  for (const [name, numbers] of Object.entries(values)) views[name].set(numbers);
}

function draws(generator: Generator, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => 0.1 * generator.uniform());
}

/** The gradient that TF.js finds of Huber's loss as it is defined, and Adam, on the CPU backend. */
async function stepOnCpu(
  model: DqnModel,
  parameters: Float32Array,
  moments: Record<'firstMoment' | 'secondMoment', Float32Array>,
  samples: Samples,
  targets: readonly number[],
  schedule: Record<'stepSize' | 'epsilon', Float32Array>,
): Promise<Record<string, Values>> {
  await tf.setBackend('cpu');
  const loss = (all: tf.Tensor): tf.Scalar => {
    const { values } = model.act({ parameters: all, observation: tf.tensor2d(samples.observation, [batch, 5]) });
    const chosen = tf.sum(tf.mul(values, tf.oneHot([...samples.actions], choices)), 1);
    const errors = tf.sub(chosen, tf.tensor1d([...targets]));
    const sizes = tf.abs(errors);
    const huber = tf.where(tf.less(sizes, 1), tf.mul(tf.square(errors), 0.5), tf.sub(sizes, 0.5));
    return tf.mean(tf.mul(huber, tf.tensor1d([...samples.weights])));
  };
  const [gradient] = tf.grads((all: tf.Tensor) => loss(all))([tf.tensor1d(parameters)]);
  const state = {
    parameters: tf.tensor1d(parameters),
    firstMoment: tf.tensor1d(moments.firstMoment),
    secondMoment: tf.tensor1d(moments.secondMoment),
  };
  const step = { stepSize: tf.scalar(schedule.stepSize[0]), epsilon: tf.scalar(schedule.epsilon[0]) };
  const { gradientNorm, ...next } = adamUpdate(state, gradient, step, model.config.maxGradientNorm);
  const named = Object.entries(next).map(([part, value]) => [part, value.dataSync()]);
  return { gradientNorm: gradientNorm.dataSync(), ...Object.fromEntries(named) } as Record<string, Values>;
}

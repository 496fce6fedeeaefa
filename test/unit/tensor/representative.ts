import * as tf from '@tensorflow/tfjs-core';

import { Generator } from '../../../src/rl/random.ts';
import { adamSchedule, adamUpdate } from '../../../src/tensor/adam.ts';
import type { Values } from '../../../src/tensor/loaded-model.ts';
import { logSoftmax } from '../../../src/tensor/operations.ts';
import { ParameterLayout } from '../../../src/tensor/parameters.ts';
import type { InputSpec, Program, Tensors } from '../../../src/tensor/trace.ts';
import type { UpdateLoopInputs, UpdateLoopSpec } from '../../../src/tensor/update-loop.ts';

/** A program with inputs that fit it. */
export interface Sample {
  readonly program: Program;
  readonly specs: Readonly<Record<string, InputSpec>>;
  readonly inputs: Readonly<Record<string, Values>>;
}

const generator = new Generator(5);
const draws = (count: number, scale = 1): Float32Array =>
  Float32Array.from({ length: count }, () => scale * generator.normal());

const layout = new ParameterLayout({
  'hidden.kernel': [4, 16],
  'hidden.bias': [16],
  'policy.kernel': [3, 16],
  'value.kernel': [16, 1],
});

/** A policy's and a value's network with a common hidden layer. */
function network(flat: tf.Tensor, observation: tf.Tensor): { logProbabilities: tf.Tensor; values: tf.Tensor } {
  const weights = layout.split(flat);
  const hidden = tf.tanh(tf.add(tf.matMul(observation, weights['hidden.kernel']), weights['hidden.bias']));
  const logits = tf.matMul(hidden, weights['policy.kernel'], false, true);
  const values = tf.reshape(tf.matMul(hidden, weights['value.kernel']), [observation.shape[0]]);
  return { logProbabilities: logSoftmax(logits), values };
}

const parameters = draws(layout.size, 0.4);

/** The forward pass of a small network, with whole numbers and truth values beside it. */
export const forward: Sample = {
  program({ parameters: flat, observation, mask, step }) {
    const { logProbabilities, values } = network(flat, observation);
    const allowed = tf.where(mask, logProbabilities, tf.scalar(-1e9));
    return {
      probabilities: tf.softmax(allowed),
      values,
      action: tf.argMax(allowed, 1) as tf.Tensor,
      next: tf.add(step, tf.scalar(1, 'int32')),
      forbidden: tf.logicalNot(mask),
    };
  },
  specs: {
    parameters: { shape: [layout.size] },
    observation: { shape: ['batch', 4] },
    mask: { shape: ['batch', 3], type: 'bool' },
    step: { shape: ['batch'], type: 'int32' },
  },
  inputs: {
    parameters,
    observation: draws(20),
    mask: Uint8Array.of(1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0),
    step: Int32Array.of(0, -1, 2_000_000_000, 7, 3),
  },
};

/** The policy of these weights is uniform, so the first updates change it by little. */
const uniform = parameters.slice();
layout.view(uniform, 'policy.kernel').fill(0);

const samples = 24;
const batchSizes = [10, 10, 4, 10, 10, 4];

/** Proximal policy optimisation with Adam; it ends early when the approximate KL divergence passes `targetKl`. */
export function ppoLoop(targetKl: number | null): UpdateLoopSpec {
  const flat = { shape: [layout.size] };
  const scalar = { shape: [] };
  return {
    state: { parameters: flat, firstMoment: flat, secondMoment: flat, made: { shape: [], type: 'int32' } },
    samples: { observation: { shape: [4] }, action: { shape: [3] }, logProbability: scalar, target: scalar },
    picks: { advantage: scalar },
    schedule: { stepSize: scalar, epsilon: scalar },
    iteration({ state, batch, schedule }) {
      let figures: Tensors = {};
      const { value, grads } = tf.valueAndGrads((weights: tf.Tensor) => {
        const { logProbabilities, values } = network(weights, batch.observation);
        const logRatio = tf.sub(tf.sum(tf.mul(logProbabilities, batch.action), 1), batch.logProbability);
        const ratio = tf.exp(logRatio);
        const clipped = tf.mul(tf.clipByValue(ratio, 0.8, 1.2), batch.advantage);
        const policyLoss = tf.neg(tf.mean(tf.minimum(tf.mul(ratio, batch.advantage), clipped)));
        const valueLoss = tf.mean(tf.square(tf.sub(batch.target, values)));
        figures = {
          approxKl: tf.keep(tf.mean(tf.sub(tf.sub(ratio, 1), logRatio))),
          valueLoss: tf.keep(valueLoss),
        };
        return tf.add(policyLoss, tf.mul(valueLoss, 0.5)) as tf.Scalar;
      })([state.parameters]);
      const { gradientNorm, ...next } = adamUpdate(
        state as { parameters: tf.Tensor; firstMoment: tf.Tensor; secondMoment: tf.Tensor },
        grads[0],
        schedule as { stepSize: tf.Tensor; epsilon: tf.Tensor },
        0.5,
      );
      return {
        state: { ...next, made: tf.add(state.made, tf.scalar(1, 'int32')) },
        outputs: { loss: value, ...figures, gradientNorm },
        ...(targetKl === null ? {} : { goOn: tf.lessEqual(figures.approxKl, targetKl) }),
      };
    },
  };
}

/** Two epochs of three minibatches. */
export const ppoInputs: UpdateLoopInputs = {
  state: {
    parameters: uniform,
    firstMoment: new Float32Array(layout.size),
    secondMoment: new Float32Array(layout.size),
    made: Int32Array.of(0),
  },
  samples: {
    observation: draws(4 * samples),
    action: Float32Array.from({ length: 3 * samples }, (_, index) => Number(index % 3 === Math.floor(index / 3) % 3)),
    logProbability: Float32Array.from({ length: samples }, (_, index) => -Math.log(3) - 0.1 * Math.sin(index)),
    target: draws(samples),
  },
  picks: { advantage: draws(2 * samples) },
  schedule: adamSchedule(0, batchSizes.length, 0.05, 1e-5),
  order: Int32Array.from({ length: 2 * samples }, (_, index) => (index * 7) % samples),
  batchSizes,
};

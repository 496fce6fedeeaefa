import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as tf from '@tensorflow/tfjs-core';

import { Generator } from '../../../src/rl/random.ts';
import { compileUpdateLoop } from '../../../src/tensor/update-loop.ts';
import type { UpdateLoop, UpdateLoopInputs, UpdateLoopSpec } from '../../../src/tensor/update-loop.ts';

/** Gradient descent of a linear model on minibatches; stops after a loss below 0.01 when `stop` is set. */
const regression = (stop: boolean): UpdateLoopSpec => ({
  state: { weights: { shape: [3, 1] }, counter: { shape: [], type: 'int32' } },
  samples: { x: { shape: [3] }, y: { shape: [1] } },
  picks: { weight: { shape: [] } },
  schedule: { rate: { shape: [] } },
  iteration({ state, batch, schedule }) {
    const { value, grads } = tf.valueAndGrads((weights: tf.Tensor) => {
      const errors = tf.square(tf.sub(tf.matMul(batch.x, weights), batch.y));
      return tf.mean(tf.mul(tf.reshape(errors, [-1]), batch.weight)) as tf.Scalar;
    })([state.weights]);
    return {
      state: {
        weights: tf.sub(state.weights, tf.mul(grads[0], schedule.rate)),
        counter: tf.add(state.counter, tf.scalar(1, 'int32')),
      },
      outputs: { loss: value, last: tf.slice(batch.y, [0, 0], [1, 1]) },
      ...(stop ? { goOn: tf.greaterEqual(value, 0.01) } : {}),
    };
  },
});

const generator = new Generator(3);
const draws = (count: number): Float32Array => Float32Array.from({ length: count }, () => generator.normal());
const x = draws(30);
const truth = [1, -2, 0.5];
const y = Float32Array.from({ length: 10 }, (_, row) => truth.reduce((sum, w, i) => sum + w * x[3 * row + i], 0));
/** Three epochs of ten samples in minibatches of four, four and two. */
const order = Int32Array.from([
  3, 1, 4, 0, 5, 9, 2, 6, 8, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 7, 5, 3, 1, 8, 6, 4, 2, 0,
]);
const batchSizes = [4, 4, 2, 4, 4, 2, 4, 4, 2];
const inputs: UpdateLoopInputs = {
  state: { weights: draws(3), counter: Int32Array.of(5) },
  samples: { x, y },
  picks: { weight: Float32Array.from(order, (place) => 1 + place / 10) },
  schedule: { rate: Float32Array.from(batchSizes, (_, index) => 0.1 / (1 + index)) },
  order,
  batchSizes,
};

let loop: UpdateLoop;
let stopping: UpdateLoop;
before(async () => {
  loop = await compileUpdateLoop(regression(false));
  stopping = await compileUpdateLoop(regression(true));
});
after(() => Promise.all([loop.dispose(), stopping.dispose()]));

/** The inputs of minibatch `index` alone, going on from `state`. */
function single(index: number, state: UpdateLoopInputs['state']): UpdateLoopInputs {
  const start = batchSizes.slice(0, index).reduce((sum, size) => sum + size, 0);
  const end = start + batchSizes[index];
  return {
    state,
    samples: { x, y },
    picks: { weight: (inputs.picks!.weight as Float32Array).slice(start, end) },
    schedule: { rate: (inputs.schedule!.rate as Float32Array).slice(index, index + 1) },
    order: order.slice(start, end),
    batchSizes: [batchSizes[index]],
  };
}

test('a phase gives bit for bit what the same updates give one by one, uneven minibatches included', async () => {
  const phase = await loop.run(inputs);
  let state = inputs.state;
  for (let index = 0; index < batchSizes.length; index++) {
    const result = await loop.run(single(index, state));
    assert.equal(result.outputs.loss[0], phase.outputs.loss[index], `loss of update ${index}`);
    assert.equal(result.outputs.last[0], phase.outputs.last[index], `output of update ${index}`);
    state = result.state;
  }
  assert.deepEqual(phase.state, state);
  assert.equal(phase.state.counter[0], 14);
});

test('samples, picks and schedules reach the iteration that they belong to', async () => {
  const { outputs, state } = await loop.run(single(0, inputs.state));
  const weights = inputs.state.weights as Float32Array;
  const errors = [3, 1, 4, 0].map((place) => weights.reduce((sum, w, i) => sum + w * x[3 * place + i], 0) - y[place]);
  const expected = errors.reduce((sum, error, i) => sum + error ** 2 * (1 + [3, 1, 4, 0][i] / 10), 0) / 4;
  assert.ok(Math.abs(outputs.loss[0] - expected) < 1e-5 * expected);
  const gradient =
    errors.reduce((sum, error, i) => sum + 2 * error * x[3 * [3, 1, 4, 0][i]] * (1 + [3, 1, 4, 0][i] / 10), 0) / 4;
  assert.ok(Math.abs(state.weights[0] - (weights[0] - 0.1 * gradient)) < 1e-5);
  assert.equal(outputs.last[0], y[3]);
});

test('the inputs are left as they were', async () => {
  const copy = structuredClone(inputs);
  await loop.run(inputs);
  assert.deepEqual(inputs, copy);
});

test('a condition ends the phase after the iteration that broke it', async () => {
  const close = { ...inputs, state: { weights: Float32Array.from(truth), counter: Int32Array.of(0) } };
  const stopped = await stopping.run(close);
  assert.equal(stopped.outputs.loss.length, 1);
  assert.equal(stopped.state.counter[0], 1);
  const all = await stopping.run(inputs);
  assert.ok(all.outputs.loss.length > 1);
  assert.equal(all.state.counter[0], 5 + all.outputs.loss.length);
});

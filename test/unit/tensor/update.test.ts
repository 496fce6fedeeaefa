import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { compileUpdate } from '../../../src/tensor/update.ts';
import type { UpdateSpec } from '../../../src/tensor/update.ts';
import { compileUpdateLoop } from '../../../src/tensor/update-loop.ts';
import { assertClose } from './compare.ts';
import { ppoInputs, ppoLoop } from './representative.ts';

/** A moving average with an error for each sample. */
const average: UpdateSpec = {
  state: { mean: { shape: [2] }, count: { shape: [] } },
  batch: { x: { shape: [2] }, weight: { shape: [] } },
  schedule: { rate: { shape: [] } },
  update({ state, batch, schedule }) {
    const errors = tf.sub(batch.x, state.mean);
    const weighted = tf.mean(tf.mul(errors, tf.reshape(batch.weight, [-1, 1])), 0);
    return {
      state: { mean: tf.add(state.mean, tf.mul(weighted, schedule.rate)), count: tf.add(state.count, 1) },
      outputs: { errors: tf.sum(tf.abs(errors), 1), rate: schedule.rate },
    };
  },
};

for (const device of ['cpu', 'tfjs'] as const) {
  test(`on ${device} an update reads batch and schedule and gives state and outputs in place`, async () => {
    const update = await compileUpdate(average, 2, device);
    const { batch, schedule, outputs } = update;
    update.state.mean.set([1, 2]);
    batch.x.set([3, 4, 5, 6]);
    batch.weight.set([1, 0.5]);
    schedule.rate[0] = 0.5;
    update.runSync();
    assert.deepEqual(update.state, { mean: Float32Array.of(2, 3), count: Float32Array.of(1) });
    assert.deepEqual(update.packedState, Float32Array.of(2, 3, 1));
    assert.deepEqual(outputs, { errors: Float32Array.of(4, 8), rate: Float32Array.of(0.5) });
    schedule.rate[0] = 0;
    await update.run();
    assert.deepEqual(update.state, { mean: Float32Array.of(2, 3), count: Float32Array.of(2) });
    assert.deepEqual(outputs, { errors: Float32Array.of(2, 6), rate: Float32Array.of(0) });
    await update.dispose();
    assert.throws(() => update.runSync(), /disposed of/);
    assert.equal(update.state.count[0], 2, 'the state can still be read');
  });
}

test('updates one by one give the weights and figures of the same updates as a loop', async () => {
  const { iteration, state: stateSpec, samples, schedule } = ppoLoop(null);
  const { parameters, firstMoment, secondMoment } = stateSpec;
  const batchSize = 10;
  const update = await compileUpdate(
    {
      state: { parameters, firstMoment, secondMoment },
      batch: { ...samples, advantage: { shape: [] } },
      schedule,
      update(inputs) {
        const { state, outputs } = iteration({ ...inputs, state: { ...inputs.state, made: tf.scalar(0, 'int32') } });
        const { made: _made, ...rest } = state;
        return { state: rest, outputs };
      },
    },
    batchSize,
  );
  const order = ppoInputs.order.slice(0, 2 * batchSize);
  const loop = await compileUpdateLoop(ppoLoop(null));
  const first = <T extends { slice(start: number, end: number): T }>(values: T, count: number): T =>
    values.slice(0, count);
  const phase = loop.runSync({
    ...ppoInputs,
    order,
    batchSizes: [batchSize, batchSize],
    picks: { advantage: first(ppoInputs.picks!.advantage as Float32Array, 2 * batchSize) },
    schedule: {
      stepSize: first(ppoInputs.schedule!.stepSize as Float32Array, 2),
      epsilon: first(ppoInputs.schedule!.epsilon as Float32Array, 2),
    },
  });
  update.state.parameters.set(ppoInputs.state.parameters);
  for (let index = 0; index < 2; index++) {
    const picks = order.subarray(index * batchSize, (index + 1) * batchSize);
    for (const [name, { shape }] of Object.entries(samples)) {
      const size = (shape as number[]).reduce((product, length) => product * length, 1);
      picks.forEach((pick, row) =>
        update.batch[name].set(ppoInputs.samples[name].subarray(pick * size, (pick + 1) * size), row * size),
      );
    }
    update.batch.advantage.set(ppoInputs.picks!.advantage.subarray(index * batchSize, (index + 1) * batchSize));
    for (const name of ['stepSize', 'epsilon']) update.schedule[name][0] = ppoInputs.schedule![name][index];
    update.runSync();
    for (const [name, values] of Object.entries(update.outputs))
      assertClose(values, [phase.outputs[name][index]], 1e-6, `${name} of update ${index}`);
  }
  for (const name of ['parameters', 'firstMoment', 'secondMoment'])
    assertClose(update.state[name], phase.state[name], 1e-6, name);
  await Promise.all([update.dispose(), loop.dispose()]);
});

test('a failed run leaves the state as it was', async () => {
  const update = await compileUpdate(average, 2);
  update.state.mean.set([1, 2]);
  await update.dispose();
  await assert.rejects(update.run(), /disposed of/);
  assert.deepEqual(update.state.mean, Float32Array.of(1, 2));
});

test('an update without data and outputs works on its state alone', async () => {
  const update = await compileUpdate(
    {
      state: { x: { shape: [2] } },
      batch: {},
      update: ({ state }) => ({ state: { x: tf.mul(state.x, 2) }, outputs: {} }),
    },
    1,
  );
  update.state.x.set([1, 3]);
  update.runSync();
  update.runSync();
  assert.deepEqual(update.state.x, Float32Array.of(4, 12));
  await update.dispose();
});

test('what cannot be packed is refused by name', async () => {
  const refused = (change: Partial<UpdateSpec>, message: RegExp): Promise<void> =>
    assert.rejects(compileUpdate({ ...average, ...change }, 2), message);
  await refused(
    { batch: { ...average.batch, done: { shape: [], type: 'bool' } } },
    /^CoxswainError: done of an update is of type bool/,
  );
  await refused({ state: { ...average.state, other: { shape: ['n'] } } }, /other of an update .* \[n\]/);
  const update: UpdateSpec['update'] = ({ state }) => ({
    state: { count: state.count, mean: tf.tile(state.mean, [2]) },
    outputs: {},
  });
  await refused({ update }, /mean is given by an update as float32 \[4\], not float32 \[2\]/);
  await refused(
    { update: ({ state }) => ({ state: { mean: state.mean }, outputs: {} }) },
    /must give the state count, mean; it gave mean/,
  );
});

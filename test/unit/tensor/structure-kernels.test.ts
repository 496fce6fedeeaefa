import assert from 'node:assert/strict';
import test from 'node:test';

import * as tf from '@tensorflow/tfjs-core';

import { Generator } from '../../../src/rl/random.ts';
import { logSoftmax } from '../../../src/tensor/operations.ts';
import { trace } from '../../../src/tensor/trace.ts';
import type { Program } from '../../../src/tensor/trace.ts';
import { assertSameAsCpuBackend } from './compare.ts';
import type { Inputs } from './compare.ts';

const generator = new Generator(11);
const draws = (count: number): number[] => Array.from({ length: count }, () => generator.normal());
const x = { shape: [2, 3, 4], values: draws(24) };
const square = { shape: [3, 3], values: draws(9) };
const truth = { shape: [2, 3], values: [1, 1, 1, 0, 1, 0], type: 'bool' as const };
const whole = { shape: [2, 3], values: [3, -1, 2, 2, 0, 7], type: 'int32' as const };

const programs: Record<string, { program: Program; inputs?: Inputs }> = {
  'sums over all, one and several axes': {
    program: ({ x }) => ({ all: tf.sum(x), one: tf.sum(x, 1), several: tf.sum(x, [0, 2], true), last: tf.sum(x, -1) }),
  },
  'means, extremes and products': {
    program: ({ x }) => ({ mean: tf.mean(x, 0), max: tf.max(x, [1, 2]), min: tf.min(x), prod: tf.prod(x, 2, true) }),
  },
  'sums and extremes of whole numbers': {
    program: ({ whole }) => ({ sum: tf.sum(whole, 1), max: tf.max(whole), mean: tf.mean(whole, 0) }),
    inputs: { whole },
  },
  'all and any': {
    program: ({ truth }) => ({ all: tf.all(truth, 1), any: tf.any(truth, 0), whole: tf.all(truth) }),
    inputs: { truth },
  },
  'indices of extremes, the first of equals': {
    program: ({ t, x }) => ({ max: tf.argMax(t, 1), min: tf.argMin(t, 1), along: tf.argMax(x, -1) }),
    inputs: { t: { shape: [2, 3], values: [5, 5, 1, 0, -2, -2] }, x },
  },
  'cumulative sums in all directions': {
    program: ({ x }) => ({
      plain: tf.cumsum(x, 1),
      exclusive: tf.cumsum(x, 2, true),
      reverse: tf.cumsum(x, 0, false, true),
      both: tf.cumsum(x, 2, true, true),
    }),
  },
  'softmax and its logarithm, with very large and masked logits': {
    program: ({ l }) => ({
      softmax: tf.softmax(l),
      log: logSoftmax(l),
      composed: tf.logSoftmax(l),
      lse: tf.logSumExp(l, 1),
    }),
    inputs: { l: { shape: [3, 3], values: [1, 2, 3, 1000, -1000, 0, -1e8, 0.5, -1e8] } },
  },
  'matrix products, transposed and batched': {
    program: ({ square, x }) => ({
      plain: tf.matMul(square, square),
      left: tf.matMul(square, square, true),
      right: tf.matMul(square, square, false, true),
      both: tf.matMul(square, square, true, true),
      batched: tf.matMul(x, x, false, true),
      batchedLeft: tf.matMul(x, x, true, false),
      broadcast: tf.matMul(square, x as tf.Tensor3D),
    }),
    inputs: { square, x },
  },
  'matrix products with a bias row, a bias column and as fused operation': {
    program: ({ square, row }) => ({
      wide: tf.add(tf.matMul(square, square), row),
      column: tf.add(tf.matMul(square, square), tf.reshape(row, [3, 1])),
      twice: tf.add(tf.add(tf.matMul(square, square), row), row),
      fused: tf.fused.matMul({ a: square as tf.Tensor2D, b: square as tf.Tensor2D, bias: row, activation: 'relu' }),
    }),
    inputs: { square, row: { shape: [3], values: [1, -2, 3] } },
  },
  'reshape, squeeze, expand and transpose': {
    program: ({ x }) => ({
      flat: tf.reshape(x, [-1]),
      inferred: tf.reshape(x, [4, -1]),
      expanded: tf.expandDims(x, -1),
      squeezed: tf.squeeze(tf.expandDims(x, 0), [0]),
      transposed: tf.transpose(x, [2, 0, 1]),
    }),
  },
  'concat, split, stack and unstack': {
    program: ({ x }) => {
      const [a, b] = tf.split(x, [1, 3], 2);
      const [c, d] = tf.unstack(x, 0);
      return { concat: tf.concat([b, a, b], -1), stack: tf.stack([d, c], 1), even: tf.split(x, 3, 1)[2] };
    },
  },
  'slices, strided slices and reversal': {
    program: ({ x }) => ({
      slice: tf.slice(x, [0, 1, 1], [2, 2, -1]),
      whole: tf.slice(x, [0, 0, 0], [2, 3, 4]),
      strided: tf.stridedSlice(x, [0, 0, 3], [2, 3, 0], [1, 2, -2]),
      shrunk: tf.stridedSlice(x, [0, 1, 0], [1, 2, 4], [1, 1, 1], 0, 0, 0, 0, 1),
      reversed: tf.reverse(x, [0, -1]),
    }),
  },
  'tile, broadcast and padding': {
    program: ({ x }) => ({
      tiled: tf.tile(x, [1, 2, 2]),
      broadcast: tf.broadcastTo(tf.slice(x, [0, 0, 0], [2, 1, 4]), [2, 5, 4]),
      padded: tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
          [1, 1],
        ],
        7,
      ),
      mirrored: tf.mirrorPad(
        x,
        [
          [0, 0],
          [1, 1],
          [2, 0],
        ],
        'reflect',
      ),
    }),
  },
  'a broadcast value in every kind of consumer': {
    program: ({ x }) => {
      const row = tf.broadcastTo(tf.sum(x, 0, true), [2, 3, 4]);
      const scalar = tf.broadcastTo(tf.sum(x), [2, 3]);
      return {
        sum: tf.sum(row),
        flat: tf.reshape(row, [6, 4]),
        product: tf.matMul(scalar, tf.transpose(scalar)),
        reshaped: tf.reshape(scalar, [3, 2]),
        joined: tf.concat([scalar, tf.zeros([2, 3])], 0),
        self: tf.add(row, scalar.shape[0]),
      };
    },
  },
  'gather along axes and by rows': {
    program: ({ x, i }) => ({
      first: tf.gather(x, i as tf.Tensor1D, 1),
      matrix: tf.gather(x, tf.reshape(i, [2, 2]) as tf.Tensor2D, 2),
      nd: tf.gatherND(
        x,
        tf.tensor2d(
          [
            [1, 2],
            [0, 0],
          ],
          [2, 2],
          'int32',
        ),
      ),
    }),
    inputs: { x, i: { shape: [4], values: [2, 0, 0, 1], type: 'int32' } },
  },
  'scatter and segment sums, places repeating': {
    program: ({ u, i }) => ({
      scattered: tf.scatterND(tf.reshape(i, [4, 1]), u, [3, 2]),
      segments: tf.unsortedSegmentSum(u, i as tf.Tensor1D, 3),
    }),
    inputs: { u: { shape: [4, 2], values: draws(8) }, i: { shape: [4], values: [2, 0, 2, 2], type: 'int32' } },
  },
  'one-hot vectors with both values': {
    program: ({ i }) => ({ plain: tf.oneHot(i, 3), other: tf.oneHot(i, 3, 5, -1) }),
    inputs: { i: { shape: [2, 2], values: [0, 2, 1, 2], type: 'int32' } },
  },
  'the largest elements and their places': {
    program: ({ x }) => {
      const { values, indices } = tf.topk(x, 2);
      return { values, indices };
    },
  },
  'constants of every kind': {
    program: ({ x }) => ({
      range: tf.add(x, tf.range(0, 4)),
      space: tf.mul(x, tf.linspace(0, 1, 4)),
      filled: tf.add(x, tf.fill([3, 1], 2)),
      ones: tf.mul(tf.onesLike(x), tf.sub(tf.zerosLike(x), tf.scalar(3))),
      given: tf.add(x, tf.tensor([1, 2, 3, 4])),
    }),
  },
};

for (const [name, { program, inputs = { x } }] of Object.entries(programs)) {
  void test(`${name}: the same numbers as on the CPU backend`, async () => {
    await assertSameAsCpuBackend(program, inputs);
  });
}

test('the logarithm of softmax is one operation', () => {
  const { nodes } = trace(({ x }) => ({ y: logSoftmax(x) }), { x: { shape: [2, 3] } });
  assert.deepEqual(
    nodes.map(({ operator }) => operator),
    ['LogSoftmax'],
  );
});

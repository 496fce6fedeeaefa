import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

import { random, truth, whole } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

const cube = random([2, 3, 4]);
const wholeSquare = whole([2, 3], [3, -1, 2, 2, 0, 7]);
const repeating = whole([4], [2, 0, 2, 2]);
const pairs = whole([3, 2], [1, 2, 0, 0, 1, 2]);
const unique = whole([2, 1], [2, 0]);

/** Batches one by one, because TF.js's gradient of batches is wrong for more than one index. */
const batchByBatch =
  (axis: number): Use =>
  ({ x, i }) =>
    tf.stack(
      tf.unstack(tf.mul(x, x)).map((part, index) => tf.gather(part, tf.unstack(i)[index] as Tensor1D, axis - 1)),
    );

/** Sums of rows by product with one-hot vectors, in which rows of no segment are zero. */
const byOneHot =
  (count: number): Use =>
  ({ x, i }) =>
    tf.square(tf.matMul(tf.oneHot(i, count) as Tensor2D, x as Tensor2D, true));

/** Picking and placing along flat tensors, which TF.js differentiates. */
const flatPick =
  (shape: number[]): Use =>
  ({ x, i }) =>
    tf.square(tf.gather(tf.reshape(x, [shape[0] * shape[1], -1]), flatPlaces(i, shape[1])));
const flatPlaces = (i: Tensor, length: number): Tensor1D => {
  const [row, column] = tf.unstack(i, -1);
  return tf.add(tf.mul(row, tf.scalar(length, 'int32')), column) as Tensor1D;
};

const largest = (count: number): Use => {
  return ({ x }) => {
    const { values, indices } = tf.topk(x, count);
    return [values, indices];
  };
};
/** The same by picking the places that were found. */
const largestByIndex = (count: number): Use => {
  return ({ x }) => {
    const { indices } = tf.topk(tf.tensor(x.dataSync(), x.shape), count);
    return tf.sum(tf.mul(tf.expandDims(x, -2), tf.oneHot(indices, x.shape.at(-1)!)), -1);
  };
};

/** Uses of the operations of the family. */
export const cases: Cases = {
  GatherV2: [
    {
      name: 'rows',
      use: ({ x, i }) => tf.square(tf.gather(x, i as Tensor1D, 1)),
      inputs: { x: cube, i: repeating },
      named: ['x'],
    },
    {
      name: 'a negative axis',
      use: ({ x, i }) => tf.square(tf.gather(x, i as Tensor1D, -1)),
      inputs: { x: cube, i: repeating },
    },
    {
      name: 'as embedding of a matrix of indices',
      use: ({ x, i }) => tf.square(tf.gather(x, i as Tensor2D)),
      inputs: { x: random([3, 2]), i: whole([2, 2], [2, 0, 0, 2]) },
      named: ['i'],
    },
    {
      name: 'within each batch',
      use: ({ x, i }) => tf.gather(tf.mul(x, x), i as Tensor2D, 1, 1),
      inputs: { x: cube, i: whole([2, 2], [2, 2, 0, 1]) },
      gradient: batchByBatch(1),
      named: ['x', 'i'],
    },
    {
      name: 'within each batch along a later axis',
      use: ({ x, i }) => tf.gather(tf.mul(x, x), i as Tensor2D, 2, 1),
      inputs: { x: cube, i: whole([2, 2], [3, 3, 0, 1]) },
      gradient: batchByBatch(2),
      named: ['x', 'i'],
    },
    {
      name: 'whole numbers',
      use: ({ x, i }) => tf.gather(x, i as Tensor1D, 1),
      inputs: { x: wholeSquare, i: whole([1], [2]) },
    },
    {
      name: 'truth values',
      use: ({ x, i }) => tf.gather(x, i as Tensor1D),
      inputs: { x: truth([3], [1, 0, 1]), i: repeating },
    },
    { name: 'no indices', use: ({ x, i }) => tf.gather(x, i as Tensor1D), inputs: { x: cube, i: whole([0], []) } },
    {
      name: 'one element',
      use: ({ x, i }) => tf.gather(x, i as Tensor1D),
      inputs: { x: random([1]), i: whole([1], [0]) },
    },
  ],
  GatherNd: [
    {
      name: 'elements',
      use: ({ x, i }) => tf.square(tf.gatherND(x, i)),
      inputs: { x: random([2, 3]), i: pairs },
      gradient: ({ x, i }) => tf.reshape(flatPick([2, 3])({ x, i }) as Tensor, [3]),
    },
    {
      name: 'rows',
      use: ({ x, i }) => tf.square(tf.gatherND(x, i)),
      inputs: { x: cube, i: pairs },
      gradient: flatPick([2, 3]),
    },
    { name: 'whole numbers', use: ({ x, i }) => tf.gatherND(x, i), inputs: { x: wholeSquare, i: pairs } },
  ],
  ScatterNd: [
    {
      name: 'rows, places repeating',
      use: ({ x, i }) => tf.square(tf.scatterND(tf.reshape(i, [4, 1]), x, [3, 2])),
      inputs: { x: random([4, 2]), i: repeating },
      gradient: byOneHot(3),
    },
    {
      name: 'elements',
      use: ({ x, i }) => tf.scatterND(i, x, [2, 3]),
      inputs: { x: random([3]), i: pairs },
      gradient: ({ x, i }) =>
        tf.reshape(tf.matMul(tf.reshape(x, [1, 3]), tf.oneHot(flatPlaces(i, 3), 6) as Tensor2D), [2, 3]),
    },
    {
      name: 'whole numbers',
      use: ({ x, i }) => tf.scatterND(i, x, [2, 3]),
      inputs: { x: whole([3], [5, 6, 7]), i: pairs },
    },
  ],
  TensorScatterUpdate: [
    {
      name: 'rows replaced',
      use: ({ t, i, u }) => tf.tensorScatterUpdate(t, i, u),
      inputs: { t: random([3, 2]), i: unique, u: random([2, 2]) },
      gradient: ({ t, u }) => tf.stack([tf.unstack(u)[1], tf.unstack(t)[1], tf.unstack(u)[0]]),
    },
    {
      name: 'whole numbers',
      use: ({ t, i, u }) => tf.tensorScatterUpdate(t, i, u),
      inputs: { t: whole([3], [1, 2, 3]), i: unique, u: whole([2], [8, 9]) },
    },
  ],
  SparseToDense: [
    {
      name: 'a matrix from places',
      use: ({ i, v, d }) => tf.sparseToDense(i, v, [2, 3], tf.reshape(d, []) as tf.Scalar),
      inputs: { i: whole([2, 2], [0, 1, 1, 2]), v: random([2]), d: random([1]) },
      gradient: ({ v, d }) => {
        const [a, b] = tf.unstack(v).map((value) => tf.reshape(value, [1]));
        return tf.reshape(tf.concat([d, a, d, d, d, b]), [2, 3]);
      },
    },
    {
      name: 'a vector from places',
      use: ({ i, v }) => tf.sparseToDense(i, v, [4], 0),
      inputs: { i: whole([2], [3, 1]), v: random([2]) },
      gradient: false,
    },
    {
      name: 'whole numbers',
      use: ({ i, v }) => tf.sparseToDense(i, v, [4], tf.scalar(-1, 'int32')),
      inputs: { i: whole([2, 1], [3, 1]), v: whole([2], [5, 6]) },
    },
  ],
  UnsortedSegmentSum: [
    {
      name: 'rows',
      use: ({ x, i }) => tf.square(tf.unsortedSegmentSum(x, i as Tensor1D, 3)),
      inputs: { x: random([4, 2]), i: repeating },
      named: ['x', 'i'],
    },
    {
      name: 'rows of no segment are left out',
      use: ({ x, i }) => tf.square(tf.unsortedSegmentSum(x, i as Tensor1D, 2)),
      inputs: { x: random([5, 2]), i: whole([5], [0, -1, 7, 1, -5]) },
      gradient: byOneHot(2),
      named: ['x', 'i'],
    },
    {
      name: 'numbers',
      use: ({ x, i }) => tf.unsortedSegmentSum(x, i as Tensor1D, 5),
      inputs: { x: random([4]), i: repeating },
    },
    {
      name: 'no rows',
      use: ({ x, i }) => tf.unsortedSegmentSum(x, i as Tensor1D, 2),
      inputs: { x: random([0, 2]), i: whole([0], []) },
      gradient: false,
    },
    {
      name: 'infinities',
      use: ({ x, i }) => tf.unsortedSegmentSum(x, i as Tensor1D, 1),
      inputs: { x: { shape: [2], values: [Infinity, 1] }, i: whole([2], [0, 0]) },
      gradient: false,
    },
    {
      name: 'not-a-number stays in its segment',
      use: ({ x, i }) => tf.unsortedSegmentSum(x, i as Tensor1D, 2),
      inputs: { x: { shape: [3], values: [NaN, 1, 2] }, i: whole([3], [0, 1, 1]) },
      // TF.js's CPU backend multiplies by 0 what it leaves out, which leaves not-a-number.
      expected: [NaN, 3],
      gradient: false,
    },
  ],
  OneHot: [
    { name: 'zeros and ones', use: ({ i }) => tf.oneHot(i, 3), inputs: { i: whole([2, 2], [0, 2, 1, 2]) } },
    { name: 'other values', use: ({ i }) => tf.oneHot(i, 3, 5, -1), inputs: { i: repeating } },
    { name: 'an index that is none', use: ({ i }) => tf.oneHot(i, 3), inputs: { i: whole([3], [-1, 3, 1]) } },
    { name: 'no indices', use: ({ i }) => tf.oneHot(i, 3), inputs: { i: whole([0], []) } },
    {
      name: 'as a choice',
      use: ({ x, i }) => tf.sum(tf.mul(x, tf.oneHot(i, 3)), -1),
      inputs: { x: random([4, 3]), i: repeating },
      named: ['x', 'i'],
    },
    {
      name: 'of what a number was cut to',
      use: ({ x }) => tf.mul(tf.oneHot(tf.cast(x, 'int32'), 3), tf.sum(x)),
      inputs: { x: { shape: [2], values: [0.5, 1.5] } },
      gradient: ({ x }) =>
        tf.mul(
          tf.tensor2d([
            [1, 0, 0],
            [0, 1, 0],
          ]),
          tf.sum(x),
        ),
    },
  ],
  TopK: [
    { name: 'two of four', use: largest(2), inputs: { x: cube }, gradient: largestByIndex(2), named: ['x'] },
    { name: 'one of a vector', use: largest(1), inputs: { x: random([5]) }, gradient: largestByIndex(1) },
    { name: 'all', use: largest(3), inputs: { x: random([2, 3]) }, gradient: largestByIndex(3) },
    {
      name: 'equals: the first',
      use: largest(2),
      inputs: { x: { shape: [4], values: [1, 3, 3, 3] } },
      gradient: false,
    },
    {
      name: 'infinities',
      use: largest(3),
      inputs: { x: { shape: [3], values: [1, -Infinity, Infinity] } },
      gradient: false,
    },
    { name: 'whole numbers', use: largest(2), inputs: { x: wholeSquare } },
  ],
  SearchSorted: (['left', 'right'] as const).flatMap((side): Case[] => [
    {
      name: `${side}, rows`,
      use: ({ s, v }) => tf.searchSorted(s, v, side),
      inputs: {
        s: { shape: [2, 4], values: [0, 1, 1, 5, -2, 0, 3, 3] },
        v: { shape: [2, 3], values: [1, -1, 9, 3, 0, 2] },
      },
    },
    {
      name: `${side}, a vector and infinities`,
      use: ({ s, v }) => tf.searchSorted(s, v, side),
      inputs: { s: { shape: [3], values: [-1, 2, 4] }, v: { shape: [4], values: [-Infinity, 2, 3, Infinity] } },
    },
  ]),
  Bincount: [
    {
      name: 'counts',
      use: ({ i }) => tf.bincount(i as Tensor1D, tf.tensor1d([]), 4),
      inputs: { i: whole([5], [0, 2, 2, 9, 3]) },
    },
    {
      name: 'sums of weights',
      use: ({ i, w }) => tf.bincount(i as Tensor1D, w as Tensor1D, 4),
      inputs: { i: whole([5], [0, 2, 2, 9, 3]), w: random([5]) },
    },
  ],
  DenseBincount: [false, true].map((binary) => ({
    name: binary ? 'whether there is one' : 'counts in rows',
    use: ({ i }) => tf.denseBincount(i as Tensor2D, tf.tensor2d([], [0, 0]), 4, binary),
    inputs: { i: whole([2, 3], [0, 2, 2, 3, 3, 1]) },
  })),
};

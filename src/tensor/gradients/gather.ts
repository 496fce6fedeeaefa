import * as tf from '@tensorflow/tfjs-core';
import type { GatherV2Attrs, SparseToDenseAttrs, Tensor } from '@tensorflow/tfjs-core';

import { noGradient } from './gradient.ts';
import type { GradientFamily } from './gradient.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** What moves the axes of `order` to the front in this order. */
function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}

/**
 * The gradient of picking along an axis: rows of the gradient added up at the places that they were picked from. The first
 * `batchDims` axes of tensor and indices go together: each batch has rows of its own, one batch after the other.
 */
function gatherGradient(
  dy: Tensor,
  shape: readonly number[],
  indices: Tensor,
  axis: number,
  batchDims: number,
): Tensor {
  const rank = shape.length;
  const between = axis - batchDims;
  const places = indices.rank - batchDims;
  // dy: batch, between, places, rest. Rows want batch and places in front.
  const rowsFirst = [
    ...range(0, batchDims),
    ...range(axis, axis + places),
    ...range(batchDims, axis),
    ...range(axis + places, rank - 1 + places),
  ];
  const order = [...range(0, batchDims), axis, ...range(batchDims, axis), ...range(axis + 1, rank)];
  const rest = order.slice(batchDims + 1).map((from) => shape[from]);
  const batches = shape.slice(0, batchDims);
  const rows = batches.reduce((product, length) => product * length, 1) * shape[axis];
  const updates = tf.reshape(between > 0 ? tf.transpose(dy, rowsFirst) : dy, [indices.size, ...rest]);
  const vectors = tf.reshape(batchDims > 0 ? rowNumbers(indices, batches, shape[axis]) : indices, [indices.size, 1]);
  const sums = tf.scatterND(vectors, updates, [rows, ...rest]);
  const inOrder = tf.reshape(sums, [...batches, shape[axis], ...rest]);
  return order.every((from, to) => from === to) ? inOrder : tf.transpose(inOrder, inverse(order));
}

/** Indices within batches as numbers of rows over all batches. */
function rowNumbers(indices: Tensor, batches: readonly number[], length: number): Tensor {
  const count = batches.reduce((product, size) => product * size, 1);
  const first = tf.mul(tf.range(0, count, 1, 'int32'), tf.scalar(length, 'int32'));
  const shape = [...batches, ...new Array<number>(indices.rank - batches.length).fill(1)];
  return tf.add(indices, tf.reshape(first, shape));
}

/** Rows of segments that do not exist are in no sum: they pick a row of zeros behind the last. */
function segmentGradient(dy: Tensor, segmentIds: Tensor): Tensor {
  const count = dy.shape[0];
  const behind = tf.scalar(count, 'int32');
  const padded = tf.concat([dy, tf.zeros([1, ...dy.shape.slice(1)])], 0);
  const inside = tf.where(tf.less(segmentIds, tf.scalar(0, 'int32')), behind, tf.minimum(segmentIds, behind));
  return tf.gather(padded, inside);
}

/** Gradients of what picks and places elements by index. */
export const gatherGradients: GradientFamily = {
  GatherV2: {
    keep: ['x', 'indices'],
    gradient: (dy: Tensor, { inputs: { x, indices }, attributes }) => {
      const { axis, batchDims = 0 } = attributes as unknown as Partial<GatherV2Attrs>;
      const [along] = tf.util.parseAxisParam(axis!, x.shape);
      return { x: () => gatherGradient(dy, x.shape, indices, along, batchDims), indices: () => noGradient(indices) };
    },
  },
  GatherNd: {
    keep: ['params', 'indices'],
    gradient: (dy: Tensor, { inputs: { params, indices } }) => ({
      params: () => tf.scatterND(indices, dy, params.shape),
      indices: () => noGradient(indices),
    }),
  },
  ScatterNd: {
    keep: ['indices'],
    gradient: (dy: Tensor, { inputs: { indices } }) => ({
      indices: () => noGradient(indices),
      updates: () => tf.gatherND(dy, indices),
    }),
  },
  TensorScatterUpdate: {
    keep: ['indices', 'updates'],
    gradient: (dy: Tensor, { inputs: { indices, updates } }) => ({
      tensor: () => tf.tensorScatterUpdate(dy, indices, tf.zeros(updates.shape)),
      indices: () => noGradient(indices),
      updates: () => tf.gatherND(dy, indices),
    }),
  },
  SparseToDense: {
    keep: ['sparseIndices', 'sparseValues'],
    gradient: (dy: Tensor, { inputs: { sparseIndices, sparseValues }, attributes }) => {
      const { outputShape } = attributes as unknown as SparseToDenseAttrs;
      const taken = (): Tensor => tf.sparseToDense(sparseIndices, tf.onesLike(sparseValues), outputShape, 0);
      return {
        sparseIndices: () => noGradient(sparseIndices),
        sparseValues: () => tf.gatherND(dy, tf.reshape(sparseIndices, [-1, outputShape.length])),
        defaultValue: () => tf.sum(tf.mul(dy, tf.sub(tf.scalar(1), taken()))),
      };
    },
  },
  UnsortedSegmentSum: {
    keep: ['segmentIds'],
    gradient: (dy: Tensor, { inputs: { segmentIds } }) => ({
      x: () => segmentGradient(dy, segmentIds),
      segmentIds: () => noGradient(segmentIds),
    }),
  },
  OneHot: {
    keep: ['indices'],
    gradient: (_dy, { inputs: { indices } }) => ({ indices: () => noGradient(indices) }),
  },
  TopK: {
    keep: ['x'],
    keepOutputs: 2,
    gradient: ([dy], { inputs: { x }, outputs: [, indices] }) => ({
      x: () => gatherGradient(dy, x.shape, indices, x.rank - 1, x.rank - 1),
    }),
  },
};

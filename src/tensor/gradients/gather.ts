import * as tf from '@tensorflow/tfjs-core';
import type { GatherV2Attrs, Tensor } from '@tensorflow/tfjs-core';

import { noGradient } from './gradient.ts';
import type { GradientFamily } from './gradient.ts';

/** Rows of the gradient added up at the places they were gathered from. */
function gatherGradient(dy: Tensor, x: Tensor, indices: Tensor, axis: number): Tensor {
  const flat = tf.reshape(indices, [indices.size]) as tf.Tensor1D;
  const order = [axis, ...x.shape.map((_, index) => index).filter((index) => index !== axis)];
  const inverse = order.map((_, index) => order.indexOf(index));
  const rows = tf.reshape(dy, [...x.shape.slice(0, axis), indices.size, ...x.shape.slice(axis + 1)]);
  const sums = tf.unsortedSegmentSum(tf.transpose(rows, order), flat, x.shape[axis]);
  return tf.transpose(sums, inverse);
}

/** Gradients of what picks and places elements by index. */
export const gatherGradients: GradientFamily = {
  GatherV2: {
    keep: ['x', 'indices'],
    gradient: (dy, { inputs: { x, indices }, attributes }) => {
      const { axis, batchDims } = attributes as unknown as GatherV2Attrs;
      if (batchDims) throw new Error('The gradient of GatherV2 with batchDims is not supported.');
      const [along] = tf.util.parseAxisParam(axis, x.shape);
      return { x: () => gatherGradient(dy, x, indices, along), indices: () => noGradient(indices) };
    },
  },
  UnsortedSegmentSum: {
    keep: ['segmentIds'],
    gradient: (dy, { inputs: { segmentIds } }) => ({
      x: () => tf.gather(dy, segmentIds as tf.Tensor1D),
      segmentIds: () => noGradient(segmentIds),
    }),
  },
  OneHot: {
    keep: ['indices'],
    gradient: (_dy, { inputs: { indices } }) => ({ indices: () => noGradient(indices) }),
  },
};

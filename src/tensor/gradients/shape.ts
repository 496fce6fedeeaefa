import * as tf from '@tensorflow/tfjs-core';
import type {
  ConcatAttrs,
  PackAttrs,
  PadV2Attrs,
  ReverseAttrs,
  SliceAttrs,
  SplitVAttrs,
  Tensor,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';

import type { GradientEntry, GradientFamily } from './gradient.ts';

const reshapeBack = (input: string): GradientEntry => ({
  keep: [input],
  gradient: (dy, { inputs }) => ({ [input]: () => tf.reshape(dy, inputs[input].shape) }),
});

/** The sum over all repetitions: each axis as (repetition, position). */
function tileGradient(dy: Tensor, x: Tensor, reps: number[]): Tensor {
  const split = x.shape.flatMap((length, axis) => [reps[axis], length]);
  const repetitions = x.shape.map((_, axis) => 2 * axis).filter((axis) => split[axis] !== 1);
  return tf.reshape(repetitions.length > 0 ? tf.sum(tf.reshape(dy, split), repetitions) : dy, x.shape);
}

/** Gradients of what changes shapes, takes apart and joins. */
export const shapeGradients: GradientFamily = {
  Reshape: reshapeBack('x'),
  ExpandDims: reshapeBack('input'),
  Transpose: {
    gradient: (dy, { attributes }) => {
      const { perm } = attributes as unknown as TransposeAttrs;
      const inverse = perm.map((_, axis) => perm.indexOf(axis));
      return { x: () => tf.transpose(dy, inverse) };
    },
  },
  Concat: {
    keep: 'all',
    gradient: (dy, { inputs, attributes }) => {
      const parts = Object.entries(inputs);
      const along = tf.util.parseAxisParam((attributes as unknown as ConcatAttrs).axis, dy.shape)[0];
      const gradients = tf.split(
        dy,
        parts.map(([, part]) => part.shape[along]),
        along,
      );
      return Object.fromEntries(parts.map(([name], index) => [name, () => gradients[index]]));
    },
  },
  SplitV: {
    gradient: (dy, { attributes }) => ({ x: () => tf.concat(dy, (attributes as unknown as SplitVAttrs).axis) }),
  },
  Pack: {
    keep: 'all',
    gradient: (dy, { inputs, attributes }) => {
      const gradients = tf.unstack(dy, (attributes as unknown as PackAttrs).axis);
      return Object.fromEntries(Object.keys(inputs).map((name, index) => [name, () => gradients[index]]));
    },
  },
  Unpack: {
    gradient: (dy, { attributes }) => ({ value: () => tf.stack(dy, (attributes as unknown as UnpackAttrs).axis) }),
  },
  Slice: {
    keep: ['x'],
    gradient: (dy, { inputs: { x }, attributes }) => {
      const { begin, size } = attributes as unknown as SliceAttrs;
      const [starts, sizes] = tf.slice_util.parseSliceParams(x, begin, size);
      const paddings = starts.map((start, axis): [number, number] => [start, x.shape[axis] - start - sizes[axis]]);
      return { x: () => tf.pad(dy, paddings) };
    },
  },
  Reverse: {
    gradient: (dy, { attributes }) => ({ x: () => tf.reverse(dy, (attributes as unknown as ReverseAttrs).dims) }),
  },
  Tile: {
    keep: ['x'],
    gradient: (dy, { inputs: { x }, attributes }) => ({
      x: () => tileGradient(dy, x, (attributes as unknown as TileAttrs).reps),
    }),
  },
  PadV2: {
    keep: ['x'],
    gradient: (dy, { inputs: { x }, attributes }) => {
      const { paddings } = attributes as unknown as PadV2Attrs;
      return {
        x: () =>
          tf.slice(
            dy,
            paddings.map(([before]) => before),
            x.shape,
          ),
      };
    },
  },
};

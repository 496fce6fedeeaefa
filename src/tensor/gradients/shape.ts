import * as tf from '@tensorflow/tfjs-core';
import type {
  BatchToSpaceNDAttrs,
  ConcatAttrs,
  DepthToSpaceAttrs,
  MirrorPadAttrs,
  PackAttrs,
  PadV2Attrs,
  ReverseAttrs,
  SliceAttrs,
  SpaceToBatchNDAttrs,
  SplitVAttrs,
  StridedSliceAttrs,
  Tensor,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';

import type { GradientEntry, GradientFamily } from './gradient.ts';
import { spread } from './spread.ts';

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

/** Axis number `axis` from `start` to before `end`, all others whole. */
function part(x: Tensor, axis: number, start: number, end: number): Tensor {
  const begin = x.shape.map((_, index) => (index === axis ? start : 0));
  return tf.slice(
    x,
    begin,
    x.shape.map((length, index) => (index === axis ? end - start : length)),
  );
}

/** Zeros around a part, so that it lies from `start` on an axis of `length` places. */
function placed(x: Tensor, axis: number, start: number, length: number): Tensor {
  const paddings = x.shape.map((size, index): [number, number] =>
    index === axis ? [start, length - start - size] : [0, 0],
  );
  return tf.pad(x, paddings);
}

/** What was mirrored at both ends comes back to where it was copied from. */
function mirrorPadGradient(dy: Tensor, x: Tensor, { paddings, mode }: MirrorPadAttrs): Tensor {
  const skipped = mode === 'reflect' ? 1 : 0;
  return paddings.reduce((gradient, [before, after], axis) => {
    const length = x.shape[axis];
    const parts = [part(gradient, axis, before, before + length)];
    const mirrored = (start: number, size: number): Tensor =>
      tf.reverse(part(gradient, axis, start, start + size), axis);
    if (before > 0) parts.push(placed(mirrored(0, before), axis, skipped, length));
    if (after > 0) parts.push(placed(mirrored(before + length, after), axis, length - skipped - after, length));
    return parts.reduce((sum, one) => tf.add(sum, one));
  }, dy);
}

/** Every taken element goes back to its place; strides leave zeros between. */
function stridedSliceGradient(dy: Tensor, x: Tensor, a: StridedSliceAttrs): Tensor {
  const info = tf.slice_util.sliceInfo(
    x.shape,
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  );
  return info.strides.reduce(
    (gradient, stride, axis) => {
      const count = gradient.shape[axis];
      if (count === x.shape[axis] && stride === 1) return gradient;
      const forwards = stride < 0 ? tf.reverse(gradient, axis) : gradient;
      const start = stride < 0 ? info.begin[axis] + (count - 1) * stride : info.begin[axis];
      return placed(spread(forwards, axis, Math.abs(stride)), axis, start, x.shape[axis]);
    },
    tf.reshape(dy, tf.slice_util.computeOutShape(info.begin, info.end, info.strides)),
  );
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
  StridedSlice: {
    keep: ['x'],
    gradient: (dy, { inputs: { x }, attributes }) => ({
      x: () => stridedSliceGradient(dy, x, attributes as unknown as StridedSliceAttrs),
    }),
  },
  MirrorPad: {
    keep: ['x'],
    gradient: (dy, { inputs: { x }, attributes }) => ({
      x: () => mirrorPadGradient(dy, x, attributes as unknown as MirrorPadAttrs),
    }),
  },
  SpaceToBatchND: {
    gradient: (dy: Tensor, { attributes }) => {
      const { blockShape, paddings } = attributes as unknown as SpaceToBatchNDAttrs;
      return { x: () => tf.batchToSpaceND(dy, blockShape, paddings) };
    },
  },
  BatchToSpaceND: {
    gradient: (dy: Tensor, { attributes }) => {
      const { blockShape, crops } = attributes as unknown as BatchToSpaceNDAttrs;
      return { x: () => tf.spaceToBatchND(dy, blockShape, crops) };
    },
  },
  DepthToSpace: {
    keep: ['x'],
    gradient: (dy: Tensor, { inputs: { x }, attributes }) => ({
      x: () => {
        const { blockSize: size } = attributes as unknown as DepthToSpaceAttrs;
        const [samples, height, width, channels] = x.shape;
        const parts = tf.reshape(dy, [samples, height, size, width, size, channels / (size * size)]);
        return tf.reshape(tf.transpose(parts, [0, 1, 3, 2, 4, 5]), x.shape);
      },
    }),
  },
  Diag: {
    keep: ['x'],
    gradient: (dy: Tensor, { inputs: { x } }) => ({
      x: () => {
        const places = tf.mul(tf.range(0, x.size, 1, 'int32'), tf.scalar(x.size + 1, 'int32'));
        return tf.reshape(tf.gather(tf.reshape(dy, [-1]), places), x.shape);
      },
    }),
  },
};

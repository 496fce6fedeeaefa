import * as tf from '@tensorflow/tfjs-core';
import type { CumsumAttrs, Tensor } from '@tensorflow/tfjs-core';

import { reducedAxes } from '../kernels/kernel.ts';
import { noGradient, onlyWhere } from './gradient.ts';
import type { GradientEntry, GradientFamily } from './gradient.ts';

/** A reduced tensor with the reduced axes back as ones, so that it broadcasts to the operand. */
function withAxesKept(reduced: Tensor, x: Tensor, axes: number[]): Tensor {
  return tf.reshape(
    reduced,
    x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
  );
}

/** Every element that equals the extreme gets the whole gradient, as in TF.js. */
const extreme: GradientEntry = {
  keep: ['x'],
  gradient: (dy, context) => ({
    x: () => {
      const { x } = context.inputs;
      const axes = reducedAxes(context.attributes, context.inputs.x.shape);
      const reached = tf.equal(x, withAxesKept(context.output, x, axes));
      return onlyWhere(reached, tf.broadcastTo(withAxesKept(dy, x, axes), x.shape));
    },
  }),
};

/** ∏ of all others = product of those before and those after, which is right with zeros too. */
function productGradient(dy: Tensor, x: Tensor, axes: number[]): Tensor {
  if (axes.length !== 1)
    throw new Error('The gradient of Prod along several axes is not supported: reduce one by one.');
  const [axis] = axes;
  const parts = tf.unstack(x, axis);
  const others = parts.map((_, index) =>
    parts
      .filter((_part, other) => other !== index)
      .reduce((product, part) => tf.mul(product, part), tf.ones(parts[0].shape)),
  );
  return tf.mul(withAxesKept(dy, x, axes), tf.stack(others, axis));
}

const index: GradientEntry = { keep: ['x'], gradient: (_dy, { inputs: { x } }) => ({ x: () => noGradient(x) }) };

/** Gradients of the operations along axes. */
export const reductionGradients: GradientFamily = {
  Sum: {
    keep: ['x'],
    gradient: (dy, context) => ({
      x: () =>
        tf.broadcastTo(
          withAxesKept(dy, context.inputs.x, reducedAxes(context.attributes, context.inputs.x.shape)),
          context.inputs.x.shape,
        ),
    }),
  },
  Mean: {
    keep: ['x'],
    gradient: (dy, context) => ({
      x: () => {
        const { x } = context.inputs;
        const axes = reducedAxes(context.attributes, context.inputs.x.shape);
        const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
        return tf.broadcastTo(tf.div(withAxesKept(dy, x, axes), tf.scalar(count)), x.shape);
      },
    }),
  },
  Max: extreme,
  Min: extreme,
  Prod: {
    keep: ['x'],
    gradient: (dy, context) => ({
      x: () => productGradient(dy, context.inputs.x, reducedAxes(context.attributes, context.inputs.x.shape)),
    }),
  },
  ArgMax: index,
  ArgMin: index,
  Cumsum: {
    keep: ['x'],
    gradient: (dy, { attributes }) => {
      const { axis, exclusive, reverse } = attributes as unknown as CumsumAttrs;
      return { x: () => tf.cumsum(dy, axis, exclusive, !reverse) };
    },
  },
  Softmax: {
    gradient: (dy, { output }) => ({
      logits: () => {
        const weighted = tf.mul(dy, output);
        return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), output));
      },
    }),
  },
  LogSoftmax: {
    gradient: (dy, { output }) => ({ logits: () => tf.sub(dy, tf.mul(tf.sum(dy, -1, true), tf.exp(output))) }),
  },
};

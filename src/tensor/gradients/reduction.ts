import * as tf from '@tensorflow/tfjs-core';
import type { CumprodAttrs, CumsumAttrs, Tensor } from '@tensorflow/tfjs-core';

import { reducedAxes } from '../kernels/kernel.ts';
import { broadcastTo, noGradient, onlyWhere } from './gradient.ts';
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
      return onlyWhere(reached, broadcastTo(withAxesKept(dy, x, axes), x.shape));
    },
  }),
};

/** ∏ of all others = product of those before and those after, which is right with zeros too. */
function productGradient(dy: Tensor, x: Tensor, axes: number[]): Tensor {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const last = kept.length;
  const line = tf.reshape(tf.transpose(x, order), [...kept.map((axis) => x.shape[axis]), -1]);
  const others = tf.mul(tf.cumprod(line, last, true, false), tf.cumprod(line, last, true, true));
  const inOrder = tf.reshape(
    others,
    order.map((axis) => x.shape[axis]),
  );
  const back = order.map((_, axis) => order.indexOf(axis));
  return tf.mul(withAxesKept(dy, x, axes), tf.transpose(inOrder, back));
}

/**
 * Σⱼ≥ᵢ dyⱼ ∏ₖ≤ⱼ,ₖ≠ᵢ xₖ = (product of those before i) · rᵢ with rᵢ = dyᵢ + xᵢ₊₁ rᵢ₊₁. The recurrence is solved for all places at
 * once: what reaches a place from within 1, 2, 4 … places (Hillis & Steele 1986). Nothing is divided by, so zeros are right.
 */
function cumulativeProductGradient(dy: Tensor, x: Tensor, { axis, exclusive, reverse }: CumprodAttrs): Tensor {
  const along = axis < 0 ? axis + x.rank : axis;
  const shift = (y: Tensor, distance: number): Tensor => shiftedBack(y, along, reverse ? -distance : distance);
  let reached = exclusive ? shift(dy, 1) : dy;
  let factor = shift(x, 1);
  for (let distance = 1; distance < x.shape[along]; distance *= 2) {
    reached = tf.add(reached, tf.mul(factor, shift(reached, distance)));
    factor = tf.mul(factor, shift(factor, distance));
  }
  return tf.mul(tf.cumprod(x, along, true, reverse), reached);
}

/** y[i + distance] in place i along an axis, zero beyond the ends. */
function shiftedBack(y: Tensor, axis: number, distance: number): Tensor {
  const length = y.shape[axis];
  const size = Math.min(Math.abs(distance), length);
  const begin = y.shape.map((_, index) => (index === axis && distance > 0 ? size : 0));
  const rest = y.shape.map((full, index) => (index === axis ? length - size : full));
  const paddings = y.shape.map((_, index): [number, number] => {
    if (index !== axis) return [0, 0];
    return distance > 0 ? [0, size] : [size, 0];
  });
  return tf.pad(tf.slice(y, begin, rest), paddings);
}

const index: GradientEntry = { keep: ['x'], gradient: (_dy, { inputs: { x } }) => ({ x: () => noGradient(x) }) };

/** Gradients of the operations along axes. */
export const reductionGradients: GradientFamily = {
  Sum: {
    keep: ['x'],
    gradient: (dy, context) => ({
      x: () =>
        broadcastTo(
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
        return broadcastTo(tf.div(withAxesKept(dy, x, axes), tf.scalar(count)), x.shape);
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
  All: index,
  Any: index,
  Cumsum: {
    keep: ['x'],
    gradient: (dy, { attributes }) => {
      const { axis, exclusive, reverse } = attributes as unknown as CumsumAttrs;
      return { x: () => tf.cumsum(dy, axis, exclusive, !reverse) };
    },
  },
  Cumprod: {
    keep: ['x'],
    gradient: (dy, { inputs: { x }, attributes }) => ({
      x: () => cumulativeProductGradient(dy, x, attributes as unknown as CumprodAttrs),
    }),
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

import * as tf from '@tensorflow/tfjs-core';
import type { FusedBatchNormAttrs, Tensor } from '@tensorflow/tfjs-core';

import { sumToShape } from './gradient.ts';
import type { GradientFamily } from './gradient.ts';

/** Gradients of normalisations (Ioffe & Szegedy 2015, section 3, with mean and variance as inputs of their own). */
export const normalizationGradients: GradientFamily = {
  FusedBatchNorm: {
    keep: ['x', 'mean', 'variance', 'scale'],
    gradient: (dy: Tensor, { inputs: { x, mean, variance, scale }, attributes }) => {
      const { varianceEpsilon } = attributes as unknown as FusedBatchNormAttrs;
      const inverse = tf.rsqrt(tf.add(variance, varianceEpsilon));
      const factor = tf.mul(inverse, scale);
      const normalized = (): Tensor => tf.mul(tf.sub(x, mean), inverse);
      return {
        x: () => tf.mul(dy, factor),
        mean: () => tf.neg(sumToShape(tf.mul(dy, factor), mean.shape)),
        variance: () =>
          tf.mul(
            sumToShape(tf.mul(dy, normalized()), variance.shape),
            tf.mul(tf.scalar(-0.5), tf.mul(factor, inverse)),
          ),
        scale: () => sumToShape(tf.mul(dy, normalized()), scale.shape),
        offset: () => sumToShape(dy, mean.shape),
      };
    },
  },
};

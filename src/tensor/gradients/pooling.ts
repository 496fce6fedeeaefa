import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import type { GradientEntry, GradientFamily } from './gradient.ts';

/** The gradient of a maximum needs to know which value was the largest, that of a mean only how many there were. */
const poolGradient = (kernel: string, largest: boolean): GradientEntry => ({
  keep: ['x'],
  gradient: (dy: Tensor, { inputs: { x }, output, attributes }) => ({
    x: () => tf.engine().runKernel(kernel, { dy, input: x, ...(largest ? { output } : {}) }, attributes),
  }),
});

/** Gradients of pooling. */
export const poolingGradients: GradientFamily = {
  MaxPool: poolGradient('MaxPoolGrad', true),
  AvgPool: poolGradient('AvgPoolGrad', false),
  MaxPool3D: poolGradient('MaxPool3DGrad', true),
  AvgPool3D: poolGradient('AvgPool3DGrad', false),
};

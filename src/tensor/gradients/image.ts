import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import type { GradientEntry, GradientFamily } from './gradient.ts';

const resized = (kernel: string): GradientEntry => ({
  keep: ['images'],
  gradient: (dy: Tensor, { inputs: { images }, attributes }) => ({
    images: () => tf.engine().runKernel(kernel, { images, dy }, attributes),
  }),
});

/** Gradients of changes of the size of images. */
export const imageGradients: GradientFamily = {
  ResizeNearestNeighbor: resized('ResizeNearestNeighborGrad'),
  ResizeBilinear: resized('ResizeBilinearGrad'),
  FlipLeftRight: { gradient: (dy: Tensor) => ({ image: () => tf.reverse(dy, 2) }) },
};

import * as tf from '@tensorflow/tfjs-core';
import type { BatchMatMulAttrs } from '@tensorflow/tfjs-core';

import { sumToShape } from './gradient.ts';
import type { GradientFamily } from './gradient.ts';

/** Gradients of matrix products. */
export const linearAlgebraGradients: GradientFamily = {
  BatchMatMul: {
    keep: ['a', 'b'],
    gradient: (dy, { inputs: { a, b }, attributes }) => {
      const { transposeA, transposeB } = attributes as unknown as BatchMatMulAttrs;
      return {
        a: () =>
          sumToShape(transposeA ? tf.matMul(b, dy, transposeB, true) : tf.matMul(dy, b, false, !transposeB), a.shape),
        b: () =>
          sumToShape(transposeB ? tf.matMul(dy, a, true, transposeA) : tf.matMul(a, dy, !transposeA, false), b.shape),
      };
    },
  },
};

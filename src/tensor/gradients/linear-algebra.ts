import * as tf from '@tensorflow/tfjs-core';
import type { BatchMatMulAttrs, EinsumAttrs, Tensor } from '@tensorflow/tfjs-core';

import { broadcastTo, sumToShape } from './gradient.ts';
import type { GradientFamily } from './gradient.ts';

/** The letters of each operand and of the result of an equation. */
function termsOf(equation: string): { operands: string[]; result: string } {
  const [operands, result] = equation.replaceAll(/\s/g, '').split('->');
  return { operands: operands.split(','), result };
}

/**
 * The gradient with respect to one operand: the result's gradient summed with the other operand over the letters that this
 * one lacks. Letters that only this one has were summed alone: their gradient is the same everywhere.
 */
function einsumGradient(dy: Tensor, operands: readonly Tensor[], equation: string, index: number): Tensor {
  const terms = termsOf(equation);
  const wanted = terms.operands[index];
  const others = operands.filter((_, other) => other !== index);
  const otherTerms = terms.operands.filter((_, other) => other !== index);
  const present = [...wanted].filter((letter) => terms.result.includes(letter) || otherTerms.join('').includes(letter));
  const sums = tf.einsum(`${[terms.result, ...otherTerms].join(',')}->${present.join('')}`, dy, ...others);
  const shape = operands[index].shape;
  const kept = [...wanted].map((letter, axis) => (present.includes(letter) ? shape[axis] : 1));
  return broadcastTo(tf.reshape(sums, kept), shape);
}

/** Gradients of matrix products and sums of products. */
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
  Einsum: {
    keep: 'all',
    gradient: (dy: Tensor, { inputs, attributes }) => {
      const { equation } = attributes as unknown as EinsumAttrs;
      const operands = Object.values(inputs);
      return Object.fromEntries(
        operands.map((_, index) => [String(index), () => einsumGradient(dy, operands, equation, index)]),
      );
    },
  },
};

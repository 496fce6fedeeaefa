import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';

import { random, whole } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

const sides = [false, true];
const product =
  (transposeA: boolean, transposeB: boolean): Use =>
  ({ a, b }) =>
    tf.matMul(a, b, transposeA, transposeB);
const of = (rows: number, columns: number, swapped: boolean): [number, number] =>
  swapped ? [columns, rows] : [rows, columns];

function inFullBatches(use: Use, a: number[], b: number[]): Partial<Case> {
  const full: Use = (x) => use({ a: tf.broadcastTo(x.a, [2, 3, ...a]), b: tf.broadcastTo(x.b, [2, 3, ...b]) });
  return { expected: full, gradient: full };
}

const products = sides.flatMap((transposeA) =>
  sides.flatMap((transposeB): Case[] => {
    const name = `${transposeA ? 'aᵀ' : 'a'}·${transposeB ? 'bᵀ' : 'b'}`;
    const [a, b] = [of(2, 3, transposeA), of(3, 4, transposeB)];
    const use = product(transposeA, transposeB);
    return [
      { name, use, inputs: { a: random(a), b: random(b) } },
      { name: `${name} of a batch`, use, inputs: { a: random([2, ...a]), b: random([2, ...b]) }, named: ['a', 'b'] },
      {
        name: `${name}, batches broadcast`,
        use,
        inputs: { a: random([2, 1, ...a]), b: random([3, ...b]) },
        // TF.js's CPU backend pairs up wrong batches where both sides broadcast, and its gradients leave them in.
        ...inFullBatches(use, a, b),
      },
    ];
  }),
);

/** One equation, its operands, and the same with operations whose gradients TF.js has. */
const equation = (text: string, shapes: number[][], reference: (...x: tf.Tensor[]) => tf.Tensor): Case => ({
  name: text,
  use: (inputs) => tf.einsum(text, ...shapes.map((_, index) => inputs[`x${index}`])),
  inputs: Object.fromEntries(shapes.map((shape, index) => [`x${index}`, random(shape)])),
  gradient: (inputs) => reference(...shapes.map((_, index) => inputs[`x${index}`])),
  named: text.startsWith('b') ? shapes.map((_, index) => `x${index}`) : [],
});

const summedAlone = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.mul(tf.sum(a, 0), b);

/** Uses of the operations of the family. */
export const cases: Cases = {
  BatchMatMul: [
    ...products,
    {
      name: 'with a bias row',
      use: ({ a, b }) => tf.add(tf.matMul(a, b), tf.sum(b, 0)),
      inputs: { a: random([3, 3]), b: random([3, 3]) },
    },
    {
      name: 'with a bias column',
      use: ({ a, b }) => tf.add(tf.matMul(a, b), tf.sum(b, 1, true)),
      inputs: { a: random([3, 3]), b: random([3, 3]) },
    },
    {
      name: 'whole numbers',
      use: product(true, false),
      inputs: { a: whole([2, 2], [1, 2, 3, 4]), b: whole([2, 1], [5, 6]) },
    },
    { name: 'one number', use: product(false, false), inputs: { a: random([1, 1]), b: random([1, 1]) } },
    { name: 'no rows', use: product(false, false), inputs: { a: random([0, 3]), b: random([3, 2]) } },
    {
      name: 'nothing to add up',
      use: product(false, false),
      inputs: { a: random([2, 0]), b: random([0, 2]) },
      gradient: false,
    },
    {
      name: 'infinities and not-a-number',
      use: product(false, false),
      inputs: { a: { shape: [2, 2], values: [1, Infinity, NaN, 2] }, b: { shape: [2, 1], values: [1, 2] } },
      gradient: false,
    },
    {
      name: 'a vector with a matrix',
      use: ({ a, b }) => tf.dot(a, b),
      inputs: { a: random([3]), b: random([3, 2]) },
    },
  ],
  _FusedMatMul: ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'].map((activation) => ({
    name: activation,
    use: ({ a, b, bias, alpha }) =>
      tf.fused.matMul({
        a: a as Tensor2D,
        b: b as Tensor2D,
        bias,
        activation: activation as 'relu',
        ...(activation === 'prelu' ? { preluActivationWeights: alpha } : {}),
        leakyreluAlpha: 0.3,
      }),
    inputs: { a: random([2, 3]), b: random([3, 4]), bias: random([4]), alpha: random([4]) },
    gradient: false,
  })),
  Einsum: [
    equation(
      'ij,jk->ik',
      [
        [2, 3],
        [3, 4],
      ],
      (a, b) => tf.matMul(a, b),
    ),
    equation(
      'bqhd,bkhd->bhqk',
      [
        [2, 3, 2, 4],
        [2, 5, 2, 4],
      ],
      (q, k) => tf.matMul(tf.transpose(q, [0, 2, 1, 3]), tf.transpose(k, [0, 2, 1, 3]), false, true),
    ),
    equation(
      'bhqk,bkhd->bqhd',
      [
        [2, 2, 3, 5],
        [2, 5, 2, 4],
      ],
      (w, v) => tf.transpose(tf.matMul(w, tf.transpose(v, [0, 2, 1, 3])), [0, 2, 1, 3]),
    ),
    equation('i,j->ij', [[2], [3]], (a, b) => tf.mul(tf.expandDims(a, 1), b)),
    equation(
      'bi,bi->b',
      [
        [2, 3],
        [2, 3],
      ],
      (a, b) => tf.sum(tf.mul(a, b), 1),
    ),
    equation('ij->ji', [[2, 3]], (a) => tf.transpose(a)),
    equation('ijk->j', [[2, 3, 4]], (a) => tf.sum(a, [0, 2])),
    equation('i,i->', [[3], [3]], (a, b) => tf.sum(tf.mul(a, b))),
    {
      ...equation('ij,j->j', [[2, 3], [3]], summedAlone),
      // TF.js's CPU backend takes one value of the letter that only one operand has, instead of the sum.
      expected: ({ x0, x1 }) => summedAlone(x0, x1),
    },
    {
      name: 'whole numbers',
      use: ({ a, b }) => tf.einsum('ij,jk->ik', a, b),
      inputs: { a: whole([2, 2], [1, 2, 3, 4]), b: whole([2, 1], [5, 6]) },
    },
  ],
};

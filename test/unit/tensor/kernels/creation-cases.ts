import * as tf from '@tensorflow/tfjs-core';

import { random, whole } from './draws.ts';
import type { Cases } from './family.ts';

const x = random([3, 4]);

/** Uses of the operations of the family. */
export const cases: Cases = {
  Fill: [
    { name: 'a number', use: () => tf.fill([2, 3], 2.5), inputs: { x } },
    { name: 'whole numbers', use: () => tf.fill([2], 3, 'int32'), inputs: { x } },
    { name: 'nothing', use: () => tf.fill([0, 2], 3), inputs: { x } },
    { name: 'not-a-number', use: ({ x: y }) => tf.add(y, tf.fill([4], NaN)), inputs: { x } },
  ],
  ZerosLike: [
    { name: 'of real numbers', use: ({ x: y }) => tf.add(tf.zerosLike(y), y), inputs: { x }, named: ['x'] },
    { name: 'of whole numbers', use: ({ y }) => tf.zerosLike(y), inputs: { y: whole([2], [1, 2]) } },
  ],
  OnesLike: [
    { name: 'of real numbers', use: ({ x: y }) => tf.mul(tf.onesLike(y), y), inputs: { x }, named: ['x'] },
    { name: 'of whole numbers', use: ({ y }) => tf.onesLike(y), inputs: { y: whole([2], [1, 2]) } },
  ],
  Range: [
    { name: 'upwards', use: () => tf.range(0, 4), inputs: { x } },
    { name: 'steps of its own', use: () => tf.range(1, 4, 0.75), inputs: { x } },
    { name: 'downwards', use: () => tf.range(5, 0, -2, 'int32'), inputs: { x } },
    { name: 'nothing', use: () => tf.range(3, 3), inputs: { x } },
    {
      name: 'as long as the batch',
      use: ({ x: y }) => tf.range(0, y.shape[0], 1, 'int32'),
      inputs: { x },
      named: ['x'],
    },
    {
      name: 'twice as long, downwards',
      use: ({ x: y }) => tf.range(2 * y.shape[0] + 1, 1, -1),
      inputs: { x },
      named: ['x'],
    },
  ],
  LinSpace: [
    { name: 'five numbers', use: () => tf.linspace(-1, 3, 5), inputs: { x } },
    { name: 'one number', use: () => tf.linspace(2, 3, 1), inputs: { x } },
  ],
};

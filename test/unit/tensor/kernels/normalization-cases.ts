import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';

import { random } from './draws.ts';
import type { Cases } from './family.ts';

const perChannel = {
  mean: random([3]),
  variance: random([3], 0.5, 2),
  offset: random([3]),
  scale: random([3], 0.5, 2),
};
const perPlace = {
  mean: random([2, 2, 2, 3]),
  variance: random([2, 2, 2, 3], 0.5, 2),
  offset: random([2, 2, 2, 3]),
  scale: random([2, 2, 2, 3], 0.5, 2),
};

/** Uses of the operations of the family. */
export const cases: Cases = {
  FusedBatchNorm: [
    {
      name: 'per channel',
      use: ({ x, mean, variance, offset, scale }) =>
        tf.batchNorm(x as Tensor4D, mean as Tensor1D, variance as Tensor1D, offset as Tensor1D, scale as Tensor1D),
      inputs: { x: random([2, 2, 2, 3]), ...perChannel },
      named: ['x'],
    },
    {
      name: 'per place, another epsilon',
      use: ({ x, mean, variance, offset, scale }) =>
        tf.batchNorm(x as Tensor4D, mean as Tensor4D, variance as Tensor4D, offset as Tensor4D, scale as Tensor4D, 0.1),
      inputs: { x: random([2, 2, 2, 3]), ...perPlace },
    },
    {
      name: 'a matrix',
      use: ({ x, mean, variance, offset, scale }) =>
        tf.batchNorm(x as tf.Tensor2D, mean as Tensor1D, variance as Tensor1D, offset as Tensor1D, scale as Tensor1D),
      inputs: { x: random([4, 3]), ...perChannel },
    },
    {
      name: 'without scale and offset',
      use: ({ x, mean, variance }) => tf.batchNorm(x as Tensor4D, mean as Tensor1D, variance as Tensor1D),
      inputs: { x: random([2, 2, 2, 3]), mean: perChannel.mean, variance: perChannel.variance },
      gradient: false,
    },
    {
      name: 'no variance and no samples',
      use: ({ x, mean, variance }) => tf.batchNorm(x as Tensor4D, mean as Tensor1D, variance as Tensor1D),
      inputs: { x: random([0, 2, 2, 3]), mean: perChannel.mean, variance: { shape: [3], values: [0, 0, 0] } },
      gradient: false,
    },
  ],
};

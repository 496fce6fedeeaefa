import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';

import { random, whole } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

type Size = number | [number, number];
type Padding = 'same' | 'valid' | number;
const windows: [string, Size, Size, Padding][] = [
  ['two by two', 2, 2, 'valid'],
  ['overlapping', 3, 1, 'valid'],
  ['overlapping, same', 3, 2, 'same'],
  ['rows only', [2, 1], [3, 2], 'valid'],
  ['padding by a number', 3, 2, 1],
];
const images = random([2, 6, 7, 3]);
const volumes = random([2, 4, 5, 4, 2]);

const maxPool =
  (size: Size, strides: Size, pad: Padding): Use =>
  ({ x }) =>
    tf.maxPool(x as Tensor4D, size, strides, pad);
const avgPool =
  (size: Size, strides: Size, pad: Padding): Use =>
  ({ x }) =>
    tf.avgPool(x as Tensor4D, size, strides, pad);

/** Means as convolutions with ones: TF.js's gradient of avgPool divides by the window's whole size also at the border. */
const meansByConvolution =
  (size: number, strides: number, pad: Padding): Use =>
  ({ x }) => {
    const ones = tf.ones([size, size, x.shape[3]!, 1]) as Tensor4D;
    const sum = (y: tf.Tensor): tf.Tensor => tf.depthwiseConv2d(y as Tensor4D, ones, strides, pad);
    return tf.div(sum(x), tf.tensor(sum(tf.ones(x.shape)).dataSync(), sum(x).shape));
  };

const direct =
  (kernel: string, attributes: tf.NamedAttrMap): Use =>
  (inputs) =>
    tf.engine().runKernel(kernel, inputs, attributes);
const valid = { filterSize: [2, 2], strides: [2, 2], pad: 'valid' };
const valid3 = { filterSize: [2, 2, 2], strides: [2, 2, 2], pad: 'valid' };

/** Uses of the operations of the family. */
export const cases: Cases = {
  MaxPool: [
    ...windows.map(([name, size, strides, pad]): Case => ({
      name,
      use: maxPool(size, strides, pad),
      inputs: { x: images },
      named: ['x'],
    })),
    {
      name: 'the first of equals gets the gradient',
      use: maxPool(2, 2, 'valid'),
      inputs: { x: { shape: [1, 2, 4, 1], values: [5, 5, 1, 2, 5, 0, 2, 2] } },
    },
    {
      name: 'infinities',
      use: maxPool(2, 1, 'valid'),
      inputs: { x: { shape: [1, 2, 3, 1], values: [1, -Infinity, -Infinity, 2, -Infinity, Infinity] } },
    },
    { name: 'whole numbers', use: maxPool(2, 1, 'valid'), inputs: { x: whole([1, 2, 3, 1], [3, -1, 7, 0, 2, 5]) } },
    { name: 'no samples', use: maxPool(2, 1, 'valid'), inputs: { x: random([0, 2, 3, 1]) } },
    { name: 'one value', use: maxPool(1, 1, 'same'), inputs: { x: random([1, 1, 1, 1]) } },
    {
      name: 'dilated pooling, made of smaller images',
      use: ({ x }) => tf.pool(x as Tensor4D, 2, 'max', 'valid', 2),
      inputs: { x: images },
    },
  ],
  MaxPoolGrad: [
    {
      name: 'directly',
      use: direct('MaxPoolGrad', valid),
      inputs: { input: images, dy: random([2, 3, 3, 3]), output: random([2, 3, 3, 3]) },
    },
  ],
  MaxPoolWithArgmax: [true, false]
    .map((includeBatch): Case => ({
      name: includeBatch ? 'places in the batch' : 'places in the image',
      use: ({ x }) => {
        const { result, indexes } = tf.maxPoolWithArgmax(x as Tensor4D, 2, 2, 'same', includeBatch);
        return [result, indexes] as tf.Tensor[];
      },
      inputs: { x: images },
    }))
    .concat({
      name: 'whole numbers',
      use: ({ x }) => Object.values(tf.maxPoolWithArgmax(x as Tensor4D, 2, 1, 'valid')) as tf.Tensor[],
      inputs: { x: whole([1, 2, 3, 1], [3, -1, 7, 0, 2, 5]) },
    }),
  AvgPool: [
    ...windows
      .filter(([, , , pad]) => pad === 'valid')
      .map(([name, size, strides, pad]): Case => ({
        name,
        use: avgPool(size, strides, pad),
        inputs: { x: images },
        named: ['x'],
      })),
    {
      name: 'same: the border counts only what is there',
      use: avgPool(3, 2, 'same'),
      inputs: { x: images },
      gradient: meansByConvolution(3, 2, 'same'),
      named: ['x'],
    },
    {
      name: 'padding by a number',
      use: avgPool(3, 2, 1),
      inputs: { x: images },
      gradient: meansByConvolution(3, 2, 1),
    },
    { name: 'no samples', use: avgPool(2, 1, 'valid'), inputs: { x: random([0, 2, 3, 1]) } },
  ],
  AvgPoolGrad: [
    { name: 'directly', use: direct('AvgPoolGrad', valid), inputs: { input: images, dy: random([2, 3, 3, 3]) } },
  ],
  MaxPool3D: [
    { name: 'valid', use: ({ x }) => tf.maxPool3d(x as Tensor5D, 2, 2, 'valid'), inputs: { x: volumes } },
    { name: 'same', use: ({ x }) => tf.maxPool3d(x as Tensor5D, 2, 2, 'same'), inputs: { x: volumes } },
  ],
  MaxPool3DGrad: [
    {
      name: 'directly',
      use: direct('MaxPool3DGrad', valid3),
      inputs: { input: volumes, dy: random([2, 2, 2, 2, 2]), output: random([2, 2, 2, 2, 2]) },
    },
  ],
  AvgPool3D: [{ name: 'valid', use: ({ x }) => tf.avgPool3d(x as Tensor5D, 2, 2, 'valid'), inputs: { x: volumes } }],
  AvgPool3DGrad: [
    { name: 'directly', use: direct('AvgPool3DGrad', valid3), inputs: { input: volumes, dy: random([2, 2, 2, 2, 2]) } },
  ],
};

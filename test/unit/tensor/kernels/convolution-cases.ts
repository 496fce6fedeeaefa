import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';

import { random } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

type Padding = 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];
const uneven: Padding = [
  [0, 0],
  [2, 1],
  [0, 3],
  [0, 0],
];

/** A filter with zeros between its places: TF.js has no gradient of dilated convolutions, but of undilated ones. */
function spread(filter: Tensor, dilation: number): Tensor {
  const [height, width, inputs, outputs] = filter.shape;
  const gaps = tf.pad(tf.reshape(filter, [height, 1, width, 1, inputs, outputs]), [
    [0, 0],
    [0, dilation - 1],
    [0, 0],
    [0, dilation - 1],
    [0, 0],
    [0, 0],
  ]);
  const joined = tf.reshape(gaps, [height * dilation, width * dilation, inputs, outputs]);
  return tf.slice(joined, [0, 0, 0, 0], [(height - 1) * dilation + 1, (width - 1) * dilation + 1, inputs, outputs]);
}

/** A line of two places with two zeros between them. */
function spreadLine(filter: Tensor): Tensor {
  const [first, last] = tf.split(filter, 2, 0);
  return tf.concat([first, tf.zeros([2, 3, 5]), last], 0);
}

const conv2d =
  (strides: number | [number, number], pad: Padding, dilations = 1, rounding?: 'floor' | 'ceil'): Use =>
  ({ x, w }) =>
    tf.conv2d(x as Tensor4D, w as Tensor4D, strides, pad, 'NHWC', dilations, rounding);
const depthwise =
  (strides: number | [number, number], pad: Padding, dilations = 1): Use =>
  ({ x, w }) =>
    tf.depthwiseConv2d(x as Tensor4D, w as Tensor4D, strides, pad, 'NHWC', dilations);

const images = random([2, 6, 7, 3]);
const filter = random([3, 2, 3, 4]);
const perChannel = random([3, 2, 3, 2]);
const windows: [string, number | [number, number], Padding][] = [
  ['same', 1, 'same'],
  ['valid', 1, 'valid'],
  ['strides, same', [2, 3], 'same'],
  ['strides, last rows in no window', [2, 3], 'valid'],
  ['padding of its own on each side', [2, 2], uneven],
];
const squareFilter = random([3, 3, 3, 4]);

const grown = (use: Use, factor: number): Use => {
  return ({ x, w }) => use({ x, w: spread(w, factor) });
};

/** Convolutions of kernels run directly, as TF.js does within gradients. */
const direct =
  (kernel: string, attributes: tf.NamedAttrMap): Use =>
  (inputs) =>
    tf.engine().runKernel(kernel, inputs, attributes);

const sameTwo = { strides: [2, 2], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1] };

/** Uses of the operations of the family. */
export const cases: Cases = {
  Conv2D: [
    ...windows.map(([name, strides, pad]): Case => ({
      name,
      use: conv2d(strides, pad),
      inputs: { x: images, w: filter },
      named: ['x'],
    })),
    { name: 'one number of padding', use: conv2d(2, 1), inputs: { x: images, w: squareFilter } },
    {
      name: 'dilated, same',
      use: conv2d(1, 'same', 2),
      inputs: { x: images, w: filter },
      gradient: grown(conv2d(1, 'same'), 2),
    },
    {
      name: 'dilated, valid',
      use: conv2d(1, 'valid', 2),
      inputs: { x: images, w: filter },
      gradient: grown(conv2d(1, 'valid'), 2),
    },
    { name: 'rounded up', use: conv2d(2, 1, 1, 'ceil'), inputs: { x: random([1, 5, 6, 2]), w: random([2, 2, 2, 1]) } },
    { name: 'one place', use: conv2d(1, 'valid'), inputs: { x: random([1, 1, 1, 1]), w: random([1, 1, 1, 1]) } },
    { name: 'one by one, strides', use: conv2d(3, 'same'), inputs: { x: images, w: random([1, 1, 3, 2]) } },
    { name: 'no samples', use: conv2d(1, 'same'), inputs: { x: random([0, 6, 7, 3]), w: filter }, gradient: false },
    {
      name: 'not-a-number and infinity stay in their windows',
      use: conv2d(1, 'valid'),
      inputs: {
        x: { shape: [1, 1, 6, 1], values: [1, NaN, 2, 3, Infinity, 4] },
        w: { shape: [1, 2, 1, 1], values: [1, 2] },
      },
      gradient: false,
    },
    {
      name: 'channels in front',
      use: ({ x, w }) => tf.conv2d(x as Tensor4D, w as Tensor4D, [2, 1], 'same', 'NCHW'),
      inputs: { x: random([2, 3, 6, 5]), w: filter },
      gradient: ({ x, w }) =>
        tf.transpose(tf.conv2d(tf.transpose(x, [0, 2, 3, 1]) as Tensor4D, w as Tensor4D, [2, 1], 'same'), [0, 3, 1, 2]),
    },
    {
      name: 'over a line',
      use: ({ x, w }) => tf.conv1d(x as Tensor3D, w as Tensor3D, 2, 'same'),
      inputs: { x: random([2, 9, 3]), w: random([4, 3, 5]) },
      named: ['x'],
    },
    {
      name: 'over a line, dilated',
      use: ({ x, w }) => tf.conv1d(x as Tensor3D, w as Tensor3D, 1, 'valid', 'NWC', 3),
      inputs: { x: random([2, 9, 3]), w: random([2, 3, 5]) },
      gradient: ({ x, w }) => tf.conv1d(x as Tensor3D, spreadLine(w) as Tensor3D, 1, 'valid'),
    },
    {
      name: 'over each row of a separable one',
      use: ({ x, w, p }) => tf.separableConv2d(x as Tensor4D, w as Tensor4D, p as Tensor4D, 1, 'same'),
      inputs: { x: images, w: perChannel, p: random([1, 1, 6, 2]) },
    },
  ],
  FusedConv2D: [
    ...['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'].map((activation): Case => ({
      name: activation,
      use: ({ x, w, b }) =>
        tf.fused.conv2d({
          x: x as Tensor4D,
          filter: w as Tensor4D,
          strides: 1,
          pad: 'same',
          bias: b,
          activation: activation as 'relu',
          leakyreluAlpha: 0.3,
        }),
      inputs: { x: images, w: filter, b: random([4]) },
    })),
    {
      name: 'prelu, one number of bias',
      use: ({ x, w, b, alpha }) =>
        tf.fused.conv2d({
          x: x as Tensor4D,
          filter: w as Tensor4D,
          strides: 2,
          pad: 'valid',
          bias: b,
          activation: 'prelu',
          preluActivationWeights: alpha,
        }),
      inputs: { x: images, w: filter, b: random([1]), alpha: random([1, 1, 4]) },
      gradient: false,
    },
  ],
  Conv2DBackpropInput: [
    {
      name: 'as transposed convolution',
      use: ({ x, w }) => tf.conv2dTranspose(x as Tensor4D, w as Tensor4D, [2, 11, 12, 3], 2, 'same'),
      inputs: { x: random([2, 6, 6, 4]), w: filter },
    },
    {
      name: 'as transposed convolution, valid',
      use: ({ x, w }) => tf.conv2dTranspose(x as Tensor4D, w as Tensor4D, [2, 8, 8, 3], [1, 2], 'valid'),
      inputs: { x: random([2, 6, 4, 4]), w: filter },
    },
    {
      name: 'directly',
      use: direct('Conv2DBackpropInput', { ...sameTwo, inputShape: [2, 6, 7, 3] }),
      inputs: { dy: random([2, 3, 4, 4]), filter },
      gradient: false,
    },
  ],
  Conv2DBackpropFilter: [
    {
      name: 'directly',
      use: direct('Conv2DBackpropFilter', { ...sameTwo, filterShape: [3, 2, 3, 4] }),
      inputs: { x: images, dy: random([2, 3, 4, 4]) },
    },
  ],
  DepthwiseConv2dNative: [
    ...windows
      .filter(([, strides]) => !Array.isArray(strides) || strides[0] === strides[1])
      .concat([
        ['strides, same', 2, 'same'],
        ['strides, valid', 3, 'valid'],
      ])
      .map(([name, strides, pad]): Case => ({
        name,
        use: depthwise(strides, pad),
        inputs: { x: images, w: perChannel },
        named: ['x'],
      })),
    {
      name: 'dilated',
      use: depthwise(1, 'same', 2),
      inputs: { x: images, w: perChannel },
      gradient: grown(depthwise(1, 'same'), 2),
    },
    { name: 'one channel', use: depthwise(1, 'same'), inputs: { x: random([1, 3, 3, 1]), w: random([2, 2, 1, 1]) } },
  ],
  FusedDepthwiseConv2D: [
    {
      name: 'bias and activation',
      use: ({ x, w, b }) =>
        tf.fused.depthwiseConv2d({
          x: x as Tensor4D,
          filter: w as Tensor4D,
          strides: 1,
          pad: 'same',
          bias: b,
          activation: 'relu',
        }),
      inputs: { x: images, w: perChannel, b: random([6]) },
    },
  ],
  DepthwiseConv2dNativeBackpropInput: [
    {
      name: 'directly',
      use: direct('DepthwiseConv2dNativeBackpropInput', { ...sameTwo, inputShape: [2, 6, 7, 3] }),
      inputs: { dy: random([2, 3, 4, 6]), filter: perChannel },
    },
  ],
  DepthwiseConv2dNativeBackpropFilter: [
    {
      name: 'directly',
      use: direct('DepthwiseConv2dNativeBackpropFilter', { ...sameTwo, filterShape: [3, 2, 3, 2] }),
      inputs: { x: images, dy: random([2, 3, 4, 6]) },
    },
  ],
  Conv3D: (['same', 'valid'] as const).map((pad) => ({
    name: `strides, ${pad}`,
    use: ({ x, w }) => tf.conv3d(x as Tensor5D, w as Tensor5D, [1, 2, 2], pad),
    inputs: { x: random([2, 4, 5, 4, 2]), w: random([2, 3, 2, 2, 3]) },
  })),
  Conv3DBackpropInputV2: [
    {
      name: 'as transposed convolution',
      use: ({ x, w }) => tf.conv3dTranspose(x as Tensor5D, w as Tensor5D, [1, 4, 4, 6, 2], 2, 'same'),
      inputs: { x: random([1, 2, 2, 3, 3]), w: random([2, 3, 2, 2, 3]) },
    },
  ],
  Conv3DBackpropFilterV2: [
    {
      name: 'directly',
      use: direct('Conv3DBackpropFilterV2', { strides: [1, 2, 2], pad: 'same', filterShape: [2, 3, 2, 2, 3] }),
      inputs: { x: random([2, 4, 5, 4, 2]), dy: random([2, 4, 3, 2, 3]) },
    },
  ],
};

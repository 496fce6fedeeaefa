import { backend_util } from '@tensorflow/tfjs-core';
import type { MaxPoolAttrs, MaxPoolWithArgmaxAttrs, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';

import { elementCount } from '../graph.ts';
import type { Attribute } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import { castTo, elementwise, scalarLike } from './elementwise.ts';
import { attributesOf } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';
import {
  channelsFirst,
  channelsLast,
  imageAxes,
  transposed,
  transposedAttributes,
  volumeAxes,
  windowAttributes,
} from './window.ts';
import type { WindowAxis } from './window.ts';

interface Pooling {
  readonly axes: readonly WindowAxis[];
  readonly outputShape: readonly number[];
}

function poolingOf(shape: readonly number[], attributes: NamedAttrMap): Pooling {
  const { filterSize, strides, pad, dimRoundingMode } = attributesOf<MaxPoolAttrs>(attributes);
  if (shape.length === 5) {
    const info = backend_util.computePool3DInfo(
      shape as [number, number, number, number, number],
      filterSize as number,
      strides as number,
      1,
      pad as 'same',
      dimRoundingMode,
    );
    return { axes: volumeAxes(info), outputShape: info.outShape };
  }
  const info = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad as 'same',
    dimRoundingMode,
  );
  return { axes: imageAxes(info), outputShape: info.outShape };
}

/** ONNX fixes the dilations of pooling at one. */
function poolAttributes(axes: readonly WindowAxis[]): Record<string, Attribute> {
  const { strides, pads } = windowAttributes(axes);
  return { kernel_shape: axes.map(({ filterLength }) => filterLength), strides, pads };
}

const pool =
  (operator: string): Kernel =>
  ({ x }, attributes, recorder) => {
    const { axes, outputShape } = poolingOf(x.shape, attributes);
    const images = transposed(recorder, recorder.name(castTo(recorder, x, 'float32')), channelsFirst(x.shape.length));
    const name = recorder.node(operator, [images], poolAttributes(axes));
    const result = transposed(recorder, name, channelsLast(outputShape.length));
    return castTo(recorder, recorder.tensor(result, outputShape, 'float32'), x.dtype);
  };

/** Largest values of the windows and where they are, counted over the whole tensor with channels in front. */
function largest(recorder: Recorder, x: TensorInfo, axes: readonly WindowAxis[]): [values: string, places: string] {
  const images = transposed(recorder, recorder.name(x), channelsFirst(x.shape.length));
  const [values, places] = recorder.nodeOf('MaxPool', [images], 2, poolAttributes(axes));
  return [values, places];
}

/** The gradient goes to the first largest value of each window, as in TF.js. */
const maxPoolGrad: Kernel = ({ dy, input }, attributes, recorder) => {
  const { axes } = poolingOf(input.shape, attributes);
  const [, places] = largest(recorder, input, axes);
  const rank = input.shape.length;
  const shape = channelsFirst(rank).map((axis) => input.shape[axis]);
  const flat = recorder.integers([-1]);
  const zeros = recorder.name(recorder.fixedTensor([0], [elementCount(shape)], 'float32'));
  const sums = recorder.node(
    'ScatterElements',
    [
      zeros,
      recorder.node('Reshape', [places, flat]),
      recorder.node('Reshape', [transposed(recorder, recorder.name(dy), channelsFirst(rank)), flat]),
    ],
    { axis: 0, reduction: 'add' },
  );
  const images = recorder.node('Reshape', [sums, recorder.integers(shape)]);
  return recorder.tensor(transposed(recorder, images, channelsLast(rank)), input.shape, 'float32');
};

/** Places of the padding that a window covers are not counted. */
function countedPlaces({ inputLength, outputLength, filterLength, stride, before }: WindowAxis): number[] {
  return Array.from({ length: outputLength }, (_, index) => {
    const start = index * stride - before;
    return Math.min(start + filterLength, inputLength) - Math.max(start, 0);
  });
}

/** How many values each window is the mean of, to be broadcast over samples and channels. */
function windowSizes(recorder: Recorder, axes: readonly WindowAxis[]): TensorInfo {
  const sizes = axes.map(countedPlaces).reduce((all, counts) => all.flatMap((a) => counts.map((b) => a * b)), [1]);
  return recorder.fixedTensor(sizes, [...axes.map(({ outputLength }) => outputLength), 1], 'float32');
}

/** Each value of a window gets the same share: a transposed convolution with ones, channel by channel. */
const avgPoolGrad: Kernel = ({ dy, input }, attributes, recorder) => {
  const { axes } = poolingOf(input.shape, attributes);
  const rank = input.shape.length;
  const shares = elementwise(recorder, 'Div', [dy, windowSizes(recorder, axes)], 'float32');
  const images = transposed(recorder, recorder.name(shares), channelsFirst(rank));
  const planes = input.shape[0] * input.shape[rank - 1];
  const lengths = axes.map(({ outputLength }) => outputLength);
  const single = recorder.node('Reshape', [images, recorder.integers([planes, 1, ...lengths])]);
  const ones = recorder.name(
    recorder.fixedTensor([1], [1, 1, ...axes.map(({ filterLength }) => filterLength)], 'float32'),
  );
  const sums = recorder.node('ConvTranspose', [single, ones], transposedAttributes(axes));
  const shape = channelsFirst(rank).map((axis) => input.shape[axis]);
  const whole = recorder.node('Reshape', [sums, recorder.integers(shape)]);
  return recorder.tensor(transposed(recorder, whole, channelsLast(rank)), input.shape, 'float32');
};

/** Places counted as TF.js does: row, column, channel, and over all samples if asked for. */
const maxPoolWithArgmax: Kernel = ({ x }, attributes, recorder) => {
  const { includeBatchInIndex } = attributesOf<MaxPoolWithArgmaxAttrs>(attributes);
  const { axes, outputShape } = poolingOf(x.shape, attributes);
  const [values, places] = largest(recorder, castTo(recorder, x, 'float32'), axes);
  const [samples, height, width, channels] = x.shape;
  const rank = x.shape.length;
  const inFront = channelsFirst(rank).map((axis) => outputShape[axis]);
  const place = castToInt32(recorder, places, inFront);
  const number = (value: number): TensorInfo => scalarLike(recorder, value, place);
  const column = (count: number, shape: number[]): TensorInfo =>
    recorder.fixedTensor(
      Array.from({ length: count }, (_, index) => index),
      shape,
      'int32',
    );
  const pixel = elementwise(recorder, 'Mod', [place, number(height * width)], 'int32');
  let index = elementwise(recorder, 'Mul', [pixel, number(channels)], 'int32');
  index = elementwise(recorder, 'Add', [index, column(channels, [channels, 1, 1])], 'int32');
  if (includeBatchInIndex) {
    const first = elementwise(
      recorder,
      'Mul',
      [column(samples, [samples, 1, 1, 1]), number(height * width * channels)],
      'int32',
    );
    index = elementwise(recorder, 'Add', [index, first], 'int32');
  }
  const back = (name: string): string => transposed(recorder, name, channelsLast(rank));
  return [
    castTo(recorder, recorder.tensor(back(values), outputShape, 'float32'), x.dtype),
    recorder.tensor(back(recorder.name(index)), outputShape, 'int32'),
  ];
};

function castToInt32(recorder: Recorder, name: string, shape: readonly number[]): TensorInfo {
  return recorder.tensor(recorder.node('Cast', [name], { to: 6 }), shape, 'int32');
}

/** Largest values and means of windows over images and volumes, and their gradients. */
export const poolingKernels: KernelFamily = {
  MaxPool: pool('MaxPool'),
  MaxPoolGrad: maxPoolGrad,
  MaxPoolWithArgmax: maxPoolWithArgmax,
  AvgPool: pool('AveragePool'),
  AvgPoolGrad: avgPoolGrad,
  MaxPool3D: pool('MaxPool'),
  MaxPool3DGrad: maxPoolGrad,
  AvgPool3D: pool('AveragePool'),
  AvgPool3DGrad: avgPoolGrad,
};

import { backend_util } from '@tensorflow/tfjs-core';
import type {
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  FusedConv2DAttrs,
  NamedAttrMap,
  TensorInfo,
} from '@tensorflow/tfjs-core';

import type { Recorder } from '../recorder.ts';
import { activated } from './activation.ts';
import { elementwiseKernels } from './elementwise.ts';
import { attributesOf } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';
import {
  channelsFirst,
  channelsLast,
  imageAxes,
  spatialAxes,
  transposed,
  transposedAttributes,
  volumeAxes,
  windowAttributes,
} from './window.ts';
import type { WindowAxis } from './window.ts';

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

/** Where a convolution's windows lie and how its tensors are laid out. */
interface Geometry {
  readonly axes: readonly WindowAxis[];
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Each channel has filters of its own. */
  readonly depthwise: boolean;
  /** Tensors of TF.js have their channels in front already. */
  readonly channelsInFront: boolean;
}

/** Attributes of all convolution kernels; those of gradients may leave some out. */
type ConvolutionAttrs = Partial<FusedConv2DAttrs>;

function geometryOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: NamedAttrMap,
  depthwise: boolean,
): Geometry {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributesOf<ConvolutionAttrs>(attributes);
  if (inputShape.length === 5) {
    const info = backend_util.computeConv3DInfo(
      inputShape as Shape5,
      filterShape as Shape5,
      strides as unknown as number,
      (dilations as unknown as number | undefined) ?? 1,
      pad as 'same',
    );
    return { axes: volumeAxes(info), inputShape, outputShape: info.outShape, depthwise, channelsInFront: false };
  }
  const channelsInFront = dataFormat === 'NCHW';
  const info = backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape as Shape4,
    strides!,
    dilations ?? 1,
    pad as 'same',
    dimRoundingMode,
    depthwise,
    channelsInFront ? 'channelsFirst' : 'channelsLast',
  );
  return { axes: imageAxes(info), inputShape, outputShape: info.outShape, depthwise, channelsInFront };
}

/** An input or output of the convolution as ONNX lays it out. */
function imagesIn(recorder: Recorder, images: TensorInfo, { channelsInFront }: Geometry): string {
  const name = recorder.name(images);
  return channelsInFront ? name : transposed(recorder, name, channelsFirst(images.shape.length));
}

function imagesOut(
  recorder: Recorder,
  name: string,
  shape: readonly number[],
  { channelsInFront }: Geometry,
): TensorInfo {
  const result = channelsInFront ? name : transposed(recorder, name, channelsLast(shape.length));
  return recorder.tensor(result, shape, 'float32');
}

/** TF.js: spatial axes, input channels, output channels (or filters of each channel). ONNX: outputs, inputs, spatial. */
function filtersIn(recorder: Recorder, filter: TensorInfo, { depthwise }: Geometry): string {
  const rank = filter.shape.length;
  const spatial = Array.from({ length: rank - 2 }, (_, index) => index);
  if (!depthwise) return transposed(recorder, recorder.name(filter), [rank - 1, rank - 2, ...spatial]);
  const byChannel = transposed(recorder, recorder.name(filter), [rank - 2, rank - 1, ...spatial]);
  const [channels, multiplier] = filter.shape.slice(-2);
  const shape = [channels * multiplier, 1, ...filter.shape.slice(0, -2)];
  return recorder.node('Reshape', [byChannel, recorder.integers(shape)]);
}

const groupsOf = ({ depthwise }: Geometry, filter: readonly number[]): number => (depthwise ? filter.at(-2)! : 1);

/** The convolution, plus a bias of one number for each output channel where there is one. */
function convolved(recorder: Recorder, x: TensorInfo, filter: TensorInfo, geometry: Geometry, bias?: TensorInfo) {
  const operands = [imagesIn(recorder, x, geometry), filtersIn(recorder, filter, geometry)];
  if (bias) operands.push(recorder.name(bias));
  const name = recorder.node('Conv', operands, {
    ...windowAttributes(geometry.axes),
    group: groupsOf(geometry, filter.shape),
  });
  return imagesOut(recorder, name, geometry.outputShape, geometry);
}

const convolution =
  (depthwise: boolean): Kernel =>
  ({ x, filter }, attributes, recorder) =>
    convolved(recorder, x, filter, geometryOf(x.shape, filter.shape, attributes, depthwise));

const fused =
  (depthwise: boolean): Kernel =>
  ({ x, filter, bias, preluActivationWeights }, attributes, recorder) => {
    const geometry = geometryOf(x.shape, filter.shape, attributes, depthwise);
    const inConvolution = bias && bias.shape.length === 1 && bias.shape[0] === filter.shape.at(-1);
    let y = convolved(recorder, x, filter, geometry, inConvolution && !depthwise ? bias : undefined);
    if (bias && !(inConvolution && !depthwise))
      y = elementwiseKernels.Add({ a: y, b: bias }, {}, recorder) as TensorInfo;
    const { activation, leakyreluAlpha } = attributesOf<FusedConv2DAttrs>(attributes);
    return activated(recorder, y, activation, preluActivationWeights, leakyreluAlpha);
  };

/** The gradient with respect to the input: the transposed convolution of the output's gradient. */
const backpropInput =
  (depthwise: boolean): Kernel =>
  ({ dy, filter }, attributes, recorder) => {
    const { inputShape } = attributesOf<Conv2DBackpropInputAttrs>(attributes);
    const geometry = geometryOf(inputShape, filter.shape, attributes, depthwise);
    const operands = [imagesIn(recorder, dy, geometry), filtersIn(recorder, filter, geometry)];
    const name = recorder.node('ConvTranspose', operands, {
      ...transposedAttributes(geometry.axes),
      group: groupsOf(geometry, filter.shape),
    });
    return imagesOut(recorder, name, inputShape, geometry);
  };

/**
 * The gradient with respect to the filter: a convolution of the input with the output's gradient, in which samples and
 * channels change places and so do strides and dilations. Its output is longer than the filter where the last rows of
 * the input were in no window.
 */
const backpropFilter =
  (depthwise: boolean): Kernel =>
  ({ x, dy }, attributes, recorder) => {
    const { filterShape } = attributesOf<Conv2DBackpropFilterAttrs>(attributes);
    const geometry = geometryOf(x.shape, filterShape, attributes, depthwise);
    const rank = x.shape.length;
    const bySample = geometry.channelsInFront
      ? [1, 0, ...spatialAxes(rank).map((axis) => axis + 1)]
      : [rank - 1, 0, ...spatialAxes(rank)];
    const samples = dy.shape[0];
    let images = transposed(recorder, recorder.name(x), bySample);
    const kernels = transposed(recorder, recorder.name(dy), bySample);
    const spatial = geometry.axes.map(({ inputLength }) => inputLength);
    const [channels, multiplier] = filterShape.slice(-2);
    if (depthwise) {
      images = recorder.node('Reshape', [images, recorder.integers([1, channels * samples, ...spatial])]);
    }
    const swapped = geometry.axes.map((axis) => ({ ...axis, stride: axis.dilation, dilation: axis.stride }));
    const sums = recorder.node('Conv', [images, kernels], {
      ...windowAttributes(swapped),
      group: depthwise ? channels : 1,
    });
    return filterOut(recorder, cutToFilter(recorder, sums, geometry), depthwise, filterShape, [channels, multiplier]);
  };

function cutToFilter(recorder: Recorder, sums: string, { axes }: Geometry): string {
  const tooLong = axes.some((axis) => {
    const windows = axis.inputLength + axis.before + axis.after - (axis.outputLength - 1) * axis.stride - 1;
    return Math.floor(windows / axis.dilation) + 1 > axis.filterLength;
  });
  if (!tooLong) return sums;
  return recorder.node('Slice', [
    sums,
    recorder.integers(axes.map(() => 0)),
    recorder.integers(axes.map(({ filterLength }) => filterLength)),
    recorder.integers(axes.map((_, index) => index + 2)),
  ]);
}

/** From ONNX's order of axes to that of TF.js's filters. */
function filterOut(
  recorder: Recorder,
  sums: string,
  depthwise: boolean,
  shape: readonly number[],
  [channels, multiplier]: number[],
): TensorInfo {
  const spatial = shape.slice(0, -2).map((_, index) => index + 2);
  const byChannel = depthwise
    ? recorder.node('Reshape', [sums, recorder.integers([channels, multiplier, ...shape.slice(0, -2)])])
    : sums;
  return recorder.tensor(transposed(recorder, byChannel, [...spatial, 0, 1]), shape, 'float32');
}

/** Convolutions over lines (which TF.js runs as images one row high), images and volumes. */
export const convolutionKernels: KernelFamily = {
  Conv2D: convolution(false),
  FusedConv2D: fused(false),
  Conv2DBackpropInput: backpropInput(false),
  Conv2DBackpropFilter: backpropFilter(false),
  DepthwiseConv2dNative: convolution(true),
  FusedDepthwiseConv2D: fused(true),
  DepthwiseConv2dNativeBackpropInput: backpropInput(true),
  DepthwiseConv2dNativeBackpropFilter: backpropFilter(true),
  Conv3D: convolution(false),
  Conv3DBackpropInputV2: backpropInput(false),
  Conv3DBackpropFilterV2: backpropFilter(false),
};

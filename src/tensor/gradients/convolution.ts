import * as tf from '@tensorflow/tfjs-core';
import type { Conv2DBackpropInputAttrs, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';

import { recordingBackendName } from '../recorder.ts';
import type { GradientEntry, GradientFamily } from './gradient.ts';
import { spread } from './spread.ts';

/** Names of the kernels that a convolution's gradient is made of. */
interface Kernels {
  readonly forward: string;
  readonly input: string;
  readonly filter: string;
}

/** Dilation along each spatial axis; TF.js gives a number or a list. */
function dilationsOf(attributes: NamedAttrMap, spatialRank: number): number[] {
  const dilations = attributes.dilations as number | number[] | undefined;
  const list = Array.isArray(dilations) ? dilations : new Array<number>(spatialRank).fill(dilations ?? 1);
  return list.slice(-spatialRank);
}

/** The places of a {@link spread} filter that are the filter's own. */
function gathered(wide: Tensor, dilations: readonly number[]): Tensor {
  const strides = wide.shape.map((_, axis) => dilations[axis] ?? 1);
  return tf.stridedSlice(wide, new Array<number>(wide.rank).fill(0), wide.shape, strides);
}

/** Runs one of TF.js's gradient kernels. The compiler's know dilations; those of other backends need a spread filter. */
function run(kernel: string, inputs: Record<string, Tensor>, attributes: object): Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as NamedAttrMap);
}

function gradientOf({ input, filter: filterKernel }: Kernels): GradientEntry {
  return {
    keep: ['x', 'filter'],
    gradient: (dy: Tensor, { inputs: { x, filter }, attributes }) => {
      const dilations = dilationsOf(attributes, x.rank - 2);
      const dilated = dilations.some((dilation) => dilation > 1) && tf.getBackend() !== recordingBackendName;
      // A filter with zeros between its places does undilated what the filter does dilated.
      const wide = dilated ? dilations.reduce((w, dilation, axis) => spread(w, axis, dilation), filter) : filter;
      const plain = dilated ? { ...attributes, dilations: dilations.map(() => 1) } : attributes;
      return {
        x: () => run(input, { dy, filter: wide }, { ...plain, inputShape: x.shape }),
        filter: () => {
          const sums = run(filterKernel, { x, dy }, { ...plain, filterShape: wide.shape });
          return dilated ? gathered(sums, dilations) : sums;
        },
      };
    },
  };
}

/** The gradient of a transposed convolution, which is a convolution. */
function gradientOfInput({ forward, filter: filterKernel }: Kernels): GradientEntry {
  return {
    keep: ['dy', 'filter'],
    gradient: (ddx: Tensor, { inputs: { dy, filter }, attributes }) => {
      const { inputShape: _inputShape, ...window } = attributes as unknown as Conv2DBackpropInputAttrs;
      const plain = { dilations: 1, ...window };
      return {
        dy: () => run(forward, { x: ddx, filter }, plain),
        filter: () => run(filterKernel, { x: ddx, dy }, { ...plain, filterShape: filter.shape }),
      };
    },
  };
}

const images: Kernels = { forward: 'Conv2D', input: 'Conv2DBackpropInput', filter: 'Conv2DBackpropFilter' };
const depthwise: Kernels = {
  forward: 'DepthwiseConv2dNative',
  input: 'DepthwiseConv2dNativeBackpropInput',
  filter: 'DepthwiseConv2dNativeBackpropFilter',
};
const volumes: Kernels = { forward: 'Conv3D', input: 'Conv3DBackpropInputV2', filter: 'Conv3DBackpropFilterV2' };

/** Gradients of convolutions. */
export const convolutionGradients: GradientFamily = {
  Conv2D: gradientOf(images),
  Conv2DBackpropInput: gradientOfInput(images),
  DepthwiseConv2dNative: gradientOf(depthwise),
  Conv3D: gradientOf(volumes),
  Conv3DBackpropInputV2: gradientOfInput(volumes),
};

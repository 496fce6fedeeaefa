import type { backend_util } from '@tensorflow/tfjs-core';

import type { Attribute } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import { unsupported } from '../unsupported.ts';

/** How a sliding window runs along one axis. */
export interface WindowAxis {
  readonly inputLength: number;
  readonly outputLength: number;
  readonly filterLength: number;
  readonly stride: number;
  readonly dilation: number;
  /** Places added at the front. */
  readonly before: number;
  /** Places added at the end: those that the last window reaches beyond it. */
  readonly after: number;
}

/** The axes of a convolution or pooling over images. */
export function imageAxes(info: backend_util.Conv2DInfo): WindowAxis[] {
  const { padInfo: pad } = info;
  return [
    axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.dilationHeight, pad.top),
    axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.dilationWidth, pad.left),
  ];
}

/** The axes of a convolution or pooling over volumes. */
export function volumeAxes(info: backend_util.Conv3DInfo): WindowAxis[] {
  const { padInfo: pad } = info;
  return [
    axis(info.inDepth, info.outDepth, info.filterDepth, info.strideDepth, info.dilationDepth, pad.front),
    axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.dilationHeight, pad.top),
    axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.dilationWidth, pad.left),
  ];
}

function axis(
  inputLength: number,
  outputLength: number,
  filterLength: number,
  stride: number,
  dilation: number,
  before: number,
): WindowAxis {
  const reach = (outputLength - 1) * stride + (filterLength - 1) * dilation + 1;
  const missed = inputLength + before - reach;
  if (missed >= stride) {
    throw unsupported(
      'Padding by one number, which TF.js applies by the height of the filter only, cannot be compiled for a filter that is not square; give the padding of each side',
    );
  }
  return { inputLength, outputLength, filterLength, stride, dilation, before, after: Math.max(0, -missed) };
}

/** The attributes by which ONNX knows a window. */
export function windowAttributes(axes: readonly WindowAxis[]): Record<string, Attribute> {
  return {
    strides: axes.map(({ stride }) => stride),
    dilations: axes.map(({ dilation }) => dilation),
    pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
  };
}

/**
 * The attributes of the transposed convolution that undoes a window's lengths. Rows at the end that no window reached come
 * out too, as output padding.
 */
export function transposedAttributes(axes: readonly WindowAxis[]): Record<string, Attribute> {
  const missed = axes.map(
    ({ inputLength, outputLength, filterLength, stride, dilation, before, after }) =>
      inputLength + before + after - ((outputLength - 1) * stride + (filterLength - 1) * dilation + 1),
  );
  return { ...windowAttributes(axes), output_padding: missed };
}

/** Permutation that brings channels, last in TF.js, before the spatial axes. */
export function channelsFirst(rank: number): number[] {
  return [0, rank - 1, ...spatialAxes(rank)];
}

/** The inverse of {@link channelsFirst}. */
export function channelsLast(rank: number): number[] {
  return [0, ...spatialAxes(rank).map((place) => place + 1), 1];
}

/** The axes between the first and the last. */
export function spatialAxes(rank: number): number[] {
  return Array.from({ length: rank - 2 }, (_, index) => index + 1);
}

/** A node that changes the order of axes. */
export function transposed(recorder: Recorder, name: string, perm: readonly number[]): string {
  if (perm.every((from, to) => from === to)) return name;
  return recorder.node('Transpose', [name], { perm });
}

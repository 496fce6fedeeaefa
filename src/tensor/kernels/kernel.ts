import { util } from '@tensorflow/tfjs-core';
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';

import type { Recorder } from '../recorder.ts';

/** Notes one operation of TF.js; inputs and attributes are those of the kernel of this name in TF.js. */
export type Kernel = (
  inputs: Readonly<Record<string, TensorInfo>>,
  attributes: NamedAttrMap,
  recorder: Recorder,
) => TensorInfo | TensorInfo[];

/** Kernels by the name that TF.js calls them. */
export type KernelFamily = Readonly<Record<string, Kernel>>;

/** The attributes of a kernel in the type that TF.js documents for it. */
export function attributesOf<T>(attributes: NamedAttrMap): T {
  return attributes as unknown as T;
}

/** An axis counted from the front. */
export function axisFromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The axes that an operation reduces, counted from the front; TF.js calls them otherwise for Max than for the rest. */
export function reducedAxes(attributes: NamedAttrMap, shape: number[]): number[] {
  const { axis, reductionIndices } = attributesOf<{ axis?: number | number[]; reductionIndices?: number | number[] }>(
    attributes,
  );
  return util.parseAxisParam((reductionIndices ?? axis)!, shape);
}

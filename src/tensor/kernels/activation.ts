import type { TensorInfo } from '@tensorflow/tfjs-core';

import type { Recorder } from '../recorder.ts';
import { unsupported } from '../unsupported.ts';
import { elementwiseKernels } from './elementwise.ts';

/** The kernel of each activation that TF.js can fuse into another operation. */
const kernelNames: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/**
 * The activation that a fused operation ends with.
 * @param alpha of prelu for each place; `slope` is leakyrelu's for all.
 */
export function activated(
  recorder: Recorder,
  x: TensorInfo,
  activation: string | null | undefined,
  alpha: TensorInfo | undefined,
  slope: number | undefined,
): TensorInfo {
  if (!activation || activation === 'linear') return x;
  const kernel = kernelNames[activation];
  if (!kernel) throw unsupported(`Activation ${activation} of a fused operation cannot be compiled`);
  const inputs: Record<string, TensorInfo> = alpha ? { x, alpha } : { x };
  return elementwiseKernels[kernel](inputs, { alpha: slope ?? 1 }, recorder) as TensorInfo;
}

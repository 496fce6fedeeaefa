import type { FusedBatchNormAttrs, TensorInfo } from '@tensorflow/tfjs-core';

import { elementwise, scalarLike } from './elementwise.ts';
import { attributesOf } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/** (x − mean) / √(variance + ε) · scale + offset */
const batchNorm: Kernel = ({ x, mean, variance, offset, scale }, attributes, recorder) => {
  const { varianceEpsilon } = attributesOf<FusedBatchNormAttrs>(attributes);
  const of = (operator: string, ...operands: TensorInfo[]): TensorInfo =>
    elementwise(recorder, operator, operands, 'float32');
  const deviation = of('Sqrt', of('Add', variance, scalarLike(recorder, varianceEpsilon ?? 0.001, variance)));
  const centred = of('Sub', x, mean);
  const result = scale ? of('Mul', centred, of('Div', scale, deviation)) : of('Div', centred, deviation);
  return offset ? of('Add', result, offset) : result;
};

/** Normalisation over samples. That over features (layer norm) is written with moments and arithmetic. */
export const normalizationKernels: KernelFamily = {
  FusedBatchNorm: batchNorm,
};

import { util } from '@tensorflow/tfjs-core';
import type { FillAttrs, LinSpaceAttrs, RangeAttrs } from '@tensorflow/tfjs-core';

import { attributesOf } from './kernel.ts';
import type { KernelFamily } from './kernel.ts';

/** What makes tensors of known values. */
export const creationKernels: KernelFamily = {
  Fill: (_inputs, attributes, recorder) => {
    const { shape, value, dtype } = attributesOf<FillAttrs>(attributes);
    return recorder.fixedTensor([Number(value)], shape, dtype ?? util.inferDtype(value));
  },
  ZerosLike: ({ x }, _attributes, recorder) => recorder.fixedTensor([0], x.shape, x.dtype),
  OnesLike: ({ x }, _attributes, recorder) => recorder.fixedTensor([1], x.shape, x.dtype),
  Range: (_inputs, attributes, recorder) => {
    const { start, stop, step, dtype } = attributesOf<RangeAttrs>(attributes);
    const count = Math.max(0, Math.ceil((stop - start) / step));
    const values = Array.from({ length: count }, (_, index) => start + index * step);
    return recorder.fixedTensor(values, [count], dtype);
  },
  LinSpace: (_inputs, attributes, recorder) => {
    const { start, stop, num } = attributesOf<LinSpaceAttrs>(attributes);
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    const values = Array.from({ length: num }, (_, index) => start + index * step);
    return recorder.fixedTensor(values, [num], 'float32');
  },
};

import { convolutionKernels } from './convolution.ts';
import { creationKernels } from './creation.ts';
import { elementwiseKernels } from './elementwise.ts';
import { gatherKernels } from './gather.ts';
import type { KernelFamily } from './kernel.ts';
import { imageKernels } from './image.ts';
import { linearAlgebraKernels } from './linear-algebra.ts';
import { normalizationKernels } from './normalization.ts';
import { poolingKernels } from './pooling.ts';
import { reductionKernels } from './reduction.ts';
import { shapeKernels } from './shape.ts';

/** Every operation of TF.js that can be compiled. */
export const kernels: KernelFamily = {
  ...convolutionKernels,
  ...creationKernels,
  ...elementwiseKernels,
  ...gatherKernels,
  ...imageKernels,
  ...linearAlgebraKernels,
  ...normalizationKernels,
  ...poolingKernels,
  ...reductionKernels,
  ...shapeKernels,
};

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

/** The families by what they are about. */
export const kernelFamilies: Readonly<Record<string, KernelFamily>> = {
  'Elements: arithmetic, comparison, logic, functions': elementwiseKernels,
  'Sums, extremes and what runs along an axis': reductionKernels,
  'Matrix products': linearAlgebraKernels,
  Convolution: convolutionKernels,
  Pooling: poolingKernels,
  Normalisation: normalizationKernels,
  'Picking and placing by index': gatherKernels,
  'Shapes: taking apart, joining, padding': shapeKernels,
  Images: imageKernels,
  'Known values': creationKernels,
};

/** Every operation of TF.js that can be compiled. */
export const kernels: KernelFamily = Object.assign({}, ...Object.values(kernelFamilies)) as KernelFamily;

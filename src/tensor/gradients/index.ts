import { convolutionGradients } from './convolution.ts';
import { elementwiseGradients } from './elementwise.ts';
import { gatherGradients } from './gather.ts';
import type { GradientFamily } from './gradient.ts';
import { imageGradients } from './image.ts';
import { linearAlgebraGradients } from './linear-algebra.ts';
import { normalizationGradients } from './normalization.ts';
import { poolingGradients } from './pooling.ts';
import { reductionGradients } from './reduction.ts';
import { shapeGradients } from './shape.ts';

/**
 * The gradient of every operation that can be compiled. TF.js brings gradients in its browser bundles only, not in the
 * one that Node loads; ours also keep the recorded graph small, because a broadcast costs no node.
 */
export const gradients: GradientFamily = {
  ...convolutionGradients,
  ...elementwiseGradients,
  ...gatherGradients,
  ...imageGradients,
  ...linearAlgebraGradients,
  ...normalizationGradients,
  ...poolingGradients,
  ...reductionGradients,
  ...shapeGradients,
};

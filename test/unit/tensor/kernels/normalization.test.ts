import { normalizationKernels } from '../../../../src/tensor/kernels/normalization.ts';
import { cases } from './normalization-cases.ts';
import { testFamily } from './family.ts';

testFamily(normalizationKernels, cases);

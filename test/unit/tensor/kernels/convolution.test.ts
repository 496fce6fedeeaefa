import { convolutionKernels } from '../../../../src/tensor/kernels/convolution.ts';
import { cases } from './convolution-cases.ts';
import { testFamily } from './family.ts';

testFamily(convolutionKernels, cases);

import { reductionKernels } from '../../../../src/tensor/kernels/reduction.ts';
import { cases } from './reduction-cases.ts';
import { testFamily } from './family.ts';

testFamily(reductionKernels, cases);

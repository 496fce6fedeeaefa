import { poolingKernels } from '../../../../src/tensor/kernels/pooling.ts';
import { cases } from './pooling-cases.ts';
import { testFamily } from './family.ts';

testFamily(poolingKernels, cases);

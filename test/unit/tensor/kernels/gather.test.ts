import { gatherKernels } from '../../../../src/tensor/kernels/gather.ts';
import { cases } from './gather-cases.ts';
import { testFamily } from './family.ts';

testFamily(gatherKernels, cases);

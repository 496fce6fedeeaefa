import { linearAlgebraKernels } from '../../../../src/tensor/kernels/linear-algebra.ts';
import { cases } from './linear-algebra-cases.ts';
import { testFamily } from './family.ts';

testFamily(linearAlgebraKernels, cases);

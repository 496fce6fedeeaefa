import { shapeKernels } from '../../../../src/tensor/kernels/shape.ts';
import { cases } from './shape-cases.ts';
import { testFamily } from './family.ts';

testFamily(shapeKernels, cases);

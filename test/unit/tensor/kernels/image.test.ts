import { imageKernels } from '../../../../src/tensor/kernels/image.ts';
import { cases } from './image-cases.ts';
import { testFamily } from './family.ts';

testFamily(imageKernels, cases);

import { creationKernels } from '../../../../src/tensor/kernels/creation.ts';
import { cases } from './creation-cases.ts';
import { testFamily } from './family.ts';

testFamily(creationKernels, cases);

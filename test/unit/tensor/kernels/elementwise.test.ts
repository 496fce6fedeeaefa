import test from 'node:test';

import * as tf from '@tensorflow/tfjs-core';

import { elementwiseKernels } from '../../../../src/tensor/kernels/elementwise.ts';
import { assertSameAsCpuBackend } from '../compare.ts';
import { cases } from './elementwise-cases.ts';
import { testFamily } from './family.ts';

testFamily(elementwiseKernels, cases);

test('multiplying by one keeps values, type and the broadcast shape', async () => {
  await assertSameAsCpuBackend(
    ({ x }) => ({
      same: tf.mul(x, tf.scalar(1)),
      grown: tf.mul(tf.ones([2, 3]), x),
      summed: tf.sum(tf.mul(x, tf.ones([4, 3]))),
    }),
    { x: { shape: [3], values: [1, 2, 3] } },
  );
});

test('truth values are compared as numbers, and exclusive or is made of other operations', async () => {
  const p = { shape: [2, 2], values: [0, 0, 1, 1], type: 'bool' as const };
  const q = { shape: [2], values: [0, 1], type: 'bool' as const };
  await assertSameAsCpuBackend(
    (t) => ({ xor: tf.logicalXor(t.p, t.q), equal: tf.equal(t.p, t.q), less: tf.less(t.p, t.q) }),
    { p, q },
  );
});

test('whole numbers divided by zero give zero and do not end the process', async () => {
  const x = { shape: [3], values: [5, -5, 0], type: 'int32' as const };
  const zero = { shape: [3], values: [0, 0, 0], type: 'int32' as const };
  await assertSameAsCpuBackend((t) => ({ quotient: tf.floorDiv(t.x, t.zero), rest: tf.mod(t.x, t.zero) }), { x, zero });
});

import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import type { CoxswainError } from '../../../src/contracts/errors.ts';
import { compile } from '../../../src/tensor/program.ts';
import { trace } from '../../../src/tensor/trace.ts';
import type { Program } from '../../../src/tensor/trace.ts';
import { assertClose, assertSameAsCpuBackend, runOnCpuBackend } from './compare.ts';

/** A layer, a loss with means and sums over the batch, and its gradient. */
const regression: Program = ({ x, w, target }) => {
  const { value, grads } = tf.valueAndGrads((weights: tf.Tensor) => {
    const errors = tf.sub(tf.tanh(tf.matMul(x, weights)), target);
    const centred = tf.sub(errors, tf.mean(errors, 0, true));
    return tf.add(tf.mean(tf.square(errors)), tf.mul(tf.sum(tf.square(centred)), 0.1)) as tf.Scalar;
  })([w]);
  return {
    loss: value,
    gradient: grads[0],
    rows: tf.concat([x, x], 0),
    tail: tf.pad(x, [
      [1, 0],
      [0, 0],
    ]),
  };
};

const w = { shape: [3, 2], values: [0.1, -0.2, 0.3, 0.4, -0.5, 0.6] };
const rows = (count: number, columns: number): number[] =>
  Array.from({ length: count * columns }, (_, index) => Math.sin(index + 1));

for (const batch of [1, 2, 7, 64]) {
  test(`one program with a named length serves a batch of ${batch}`, async () => {
    const x = { shape: [batch, 3], values: rows(batch, 3) };
    const target = { shape: [batch, 2], values: rows(batch, 2).toReversed() };
    await assertSameAsCpuBackend(regression, { x, w, target }, { named: ['x', 'target'] });
  });
}

test('compiling the same program twice loads one model, which lives until both are disposed of', async () => {
  const double: Program = ({ x }) => ({ y: tf.add(x, x) });
  const first = await compile(double, { x: { shape: [2] } });
  const second = await compile(double, { x: { shape: [2] } });
  assert.deepEqual(first.model, second.model);
  await first.dispose();
  await first.dispose();
  assert.deepEqual([...(await second.run({ x: Float32Array.of(1, 2) })).y], [2, 4]);
  await second.dispose();
});

test('tensors made before the trace become constants and stay usable', async () => {
  await tf.setBackend('cpu');
  const outside = tf.tensor([1, 2, 3]);
  const compiled = await compile(({ x }) => ({ y: tf.mul(x, outside) }), { x: { shape: [3] } });
  assert.deepEqual([...(await compiled.run({ x: Float32Array.of(2, 2, 2) })).y], [2, 4, 6]);
  assert.deepEqual([...outside.dataSync()], [1, 2, 3]);
  await compiled.dispose();
});

test('a trace gives TF.js its backend back, also when it fails', async () => {
  await tf.setBackend('cpu');
  trace(({ x }) => ({ y: tf.neg(x) }), { x: { shape: [1] } });
  assert.equal(tf.getBackend(), 'cpu');
  assert.throws(
    () =>
      trace(
        () => {
          throw new Error('in the program');
        },
        { x: { shape: [1] } },
      ),
    /in the program/,
  );
  assert.equal(tf.getBackend(), 'cpu');
  assert.deepEqual([...tf.neg(tf.tensor([1])).dataSync()], [-1]);
});

test('the same input is an output, and one value is two outputs', async () => {
  const compiled = await compile(
    ({ x }) => {
      const y = tf.exp(x);
      return { copy: x, a: y, b: y };
    },
    { x: { shape: [1] } },
  );
  const { copy, a, b } = await compiled.run({ x: Float32Array.of(0) });
  assert.deepEqual([copy[0], a[0], b[0]], [0, 1, 1]);
  await compiled.dispose();
});

test('truth values and whole numbers go in and out', async () => {
  const program: Program = ({ mask, index }) => ({
    inverted: tf.logicalNot(mask),
    next: tf.add(index, tf.scalar(1, 'int32')),
  });
  const compiled = await compile(program, {
    mask: { shape: ['n'], type: 'bool' },
    index: { shape: ['n'], type: 'int32' },
  });
  const result = await compiled.run({ mask: Uint8Array.of(1, 0), index: Int32Array.of(3, -4) });
  assert.deepEqual([...result.inverted], [0, 1]);
  assert.deepEqual([...result.next], [4, -3]);
  await compiled.dispose();
});

test('inputs with the wrong number of values are refused by name', async () => {
  const compiled = await compile(({ x }) => ({ y: tf.neg(x) }), { x: { shape: ['n', 3] } });
  await assert.rejects(compiled.run({ x: new Float32Array(4) }), /Input x .* 4 values for shape \[n, 3\]/);
  await assert.rejects(compiled.run({}), /Input x .* missing/);
  await compiled.dispose();
});

test('an operation that ONNX Runtime has for other types only is refused', async () => {
  const program: Program = ({ x }) => ({ y: tf.engine().runKernel('EluGrad', { dy: x, y: x }) });
  const inputs = { x: { shape: [2], type: 'int32' as const } };
  await assert.rejects(compile(program, inputs), { code: 'TENSOR_UNSUPPORTED', message: /GreaterOrEqual/ });
});

test('an unknown device is refused, and one that is not there with the reason of ONNX Runtime', async () => {
  const program: Program = ({ x }) => ({ y: tf.neg(x) });
  await assert.rejects(compile(program, { x: { shape: [1] } }, 'tpu' as 'cpu'), {
    code: 'DEVICE_UNAVAILABLE',
    message: /"tpu"/,
  });
  await assert.rejects(compile(program, { x: { shape: [1] } }, 'cuda:7'), (error: CoxswainError) => {
    assert.equal(error.code, 'DEVICE_UNAVAILABLE');
    assert.match(error.message, /^Device cuda:7 cannot be used: .{20,}/);
    return true;
  });
});

test('results are the same bits at every run', async () => {
  const inputs = { x: { shape: [33, 3], values: rows(33, 3) }, w, target: { shape: [33, 2], values: rows(33, 2) } };
  const compiled = await compile(regression, {
    x: { shape: ['n', 3] },
    w: { shape: [3, 2] },
    target: { shape: ['n', 2] },
  });
  const feeds = {
    x: Float32Array.from(inputs.x.values),
    w: Float32Array.from(w.values),
    target: Float32Array.from(inputs.target.values),
  };
  const first = await compiled.run(feeds);
  const second = await compiled.run(feeds);
  assert.deepEqual(second.gradient, first.gradient);
  assertClose(first.gradient, (await runOnCpuBackend(regression, inputs)).gradient, 1e-6);
  await compiled.dispose();
});

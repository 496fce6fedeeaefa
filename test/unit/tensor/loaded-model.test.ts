import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as tf from '@tensorflow/tfjs-core';

import { loadModel } from '../../../src/tensor/loaded-model.ts';
import type { LoadedModel } from '../../../src/tensor/loaded-model.ts';
import { compile } from '../../../src/tensor/program.ts';

let model: LoadedModel;
before(async () => {
  model = await compile(
    ({ x, w, whole, truth }) => ({
      product: tf.matMul(x, w),
      next: tf.add(whole, tf.scalar(1, 'int32')),
      inverted: tf.logicalNot(truth),
    }),
    {
      x: { shape: ['n', 2] },
      w: { shape: [2, 1] },
      whole: { shape: ['n'], type: 'int32' },
      truth: { shape: ['n'], type: 'bool' },
    },
  );
});
after(() => model.dispose());

const inputs = {
  x: Float32Array.of(1, 2, 3, 4),
  w: Float32Array.of(10, 1),
  whole: Int32Array.of(7, -1),
  truth: Uint8Array.of(0, 1),
};
const expected = { product: Float32Array.of(12, 34), next: Int32Array.of(8, 0), inverted: Uint8Array.of(1, 0) };

test('a synchronous call gives what the asynchronous one gives, with the outputs in the same order', async () => {
  assert.deepEqual(model.runSync(inputs), expected);
  assert.deepEqual(await model.run(inputs), expected);
  assert.deepEqual(Object.keys(model.runSync(inputs)), ['product', 'next', 'inverted']);
});

test('an asynchronous call computes in a later turn, so timers and messages get theirs', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('another turn'));
  await model.run(inputs).then(() => order.push('result'));
  assert.deepEqual(order, ['another turn', 'result']);
});

test('an array that is given again is read again', () => {
  const x = Float32Array.of(1, 2);
  const rest = { ...inputs, whole: Int32Array.of(0), truth: Uint8Array.of(0) };
  assert.deepEqual(model.runSync({ ...rest, x }).product, Float32Array.of(12));
  x.set([5, 6]);
  assert.deepEqual(model.runSync({ ...rest, x }).product, Float32Array.of(56));
});

test('the batch may change from call to call', () => {
  const ofOne = { x: Float32Array.of(1, 1), w: inputs.w, whole: Int32Array.of(1), truth: Uint8Array.of(1) };
  assert.equal(model.runSync(ofOne).product.length, 1);
  assert.equal(model.runSync(inputs).product.length, 2);
  assert.equal(model.runSync(ofOne).product.length, 1);
});

test('results belong to the caller: a later call leaves them as they are', () => {
  const first = model.runSync(inputs);
  model.runSync({ ...inputs, x: new Float32Array(4) });
  assert.deepEqual(first, expected);
});

test('given outputs are filled in place and returned, the others are new', async () => {
  for (const how of ['run', 'runSync'] as const) {
    const product = new Float32Array(2);
    const next = new Int32Array(2);
    const results = await model[how](inputs, { product, next });
    assert.equal(results.product, product);
    assert.equal(results.next, next);
    assert.deepEqual(results, expected);
  }
  const given = new Float32Array(2);
  model.runSync(inputs, { product: given });
  model.runSync({ ...inputs, x: new Float32Array(4) });
  assert.deepEqual(given, expected.product, 'a call without outputs must not fill those of the call before');
});

test('a part of a larger array can be filled', () => {
  const all = new Float32Array(5).fill(-1);
  model.runSync(inputs, { product: all.subarray(2, 4) });
  assert.deepEqual(all, Float32Array.of(-1, -1, 12, 34, -1));
});

test('outputs that do not fit are refused by name', () => {
  const refused = (outputs: Parameters<LoadedModel['runSync']>[1], message: RegExp): void => {
    assert.throws(() => model.runSync(inputs, outputs), message);
  };
  refused({ other: new Float32Array(2) }, /no output other .* product, next, inverted/);
  refused({ product: new Int32Array(2) }, /Output product .* float32, not Int32Array/);
  refused({ product: new Float32Array(3) }, /disagree on n: 2 in x, 3 in product/);
  refused({ product: inputs.x.subarray(0, 2) }, /shares memory with an input/);
  const both = new ArrayBuffer(8);
  refused({ product: new Float32Array(both), next: new Int32Array(both) }, /or another output/);
  assert.deepEqual(model.runSync(inputs), expected, 'a refused call leaves the model usable');
});

test('inputs that do not fit are refused by name', () => {
  assert.throws(() => model.runSync({ ...inputs, whole: Float32Array.of(1, 2) }), /Input whole .* int32, not Float32/);
  assert.throws(() => model.runSync({ ...inputs, w: new Float32Array(3) }), /Input w .* 3 values for shape \[2, 1\]/);
  assert.throws(() => model.runSync({ ...inputs, x: undefined as unknown as Float32Array }), /Input x .* missing/);
  assert.throws(() => model.runSync({ ...inputs, truth: Uint8Array.of(1) }), /disagree on n: 2 in x, 1 in truth/);
});

test('an array whose memory has been given away is refused', () => {
  const x = Float32Array.of(1, 2, 3, 4);
  model.runSync({ ...inputs, x });
  structuredClone(x, { transfer: [x.buffer] });
  assert.throws(() => model.runSync({ ...inputs, x }), /disagree on n: 0 in x, 2 in whole/);
});

test('a model that was disposed of refuses to run, while others of the same file go on', async () => {
  const first = await loadModel(model.model);
  const second = await loadModel(model.model);
  const late = first.run(inputs);
  const refused = assert.rejects(late, /disposed of/);
  await first.dispose();
  await first.dispose();
  await refused;
  assert.throws(() => first.runSync(inputs), /disposed of/);
  assert.deepEqual(second.runSync(inputs), expected);
  await second.dispose();
});

test('a file that is no model is refused, every time', async () => {
  for (let attempt = 0; attempt < 2; attempt++) await assert.rejects(loadModel(Uint8Array.of(1, 2, 3)), Error);
});

test('a file that fails for several callers at once fails for each, and a good one loads afterwards', async () => {
  const broken = model.model.slice(0, -3);
  const attempts = await Promise.allSettled(Array.from({ length: 3 }, () => loadModel(broken)));
  assert.deepEqual(
    attempts.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  const again = await loadModel(model.model);
  assert.deepEqual(again.runSync(inputs), expected);
  await again.dispose();
  assert.deepEqual(model.runSync(inputs), expected, 'the other user of the file goes on');
});

test('an ONNX file cannot be run by TF.js', async () => {
  await assert.rejects(loadModel(model.model, 'tfjs'), { code: 'DEVICE_UNAVAILABLE', message: /not ONNX files/ });
});

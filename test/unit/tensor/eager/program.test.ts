import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import type { DeviceName } from '../../../../src/tensor/device.ts';
import type { LoadedModel, NamedValues } from '../../../../src/tensor/loaded-model.ts';
import { loadModel } from '../../../../src/tensor/loaded-model.ts';
import { compile } from '../../../../src/tensor/program.ts';
import type { Program } from '../../../../src/tensor/trace.ts';
import { assertClose } from '../compare.ts';
import { forward } from '../representative.ts';

const engines: readonly DeviceName[] = ['tfjs', 'tfjs:wasm', 'tfjs:cpu'];

async function resultsOn(device: DeviceName, inputs: NamedValues = forward.inputs): Promise<NamedValues> {
  const model = await compile(forward.program, forward.specs, device);
  try {
    return await model.run(inputs);
  } finally {
    await model.dispose();
  }
}

for (const device of engines) {
  test(`${device} gives the compiled program's results: names, order, types, numbers`, async () => {
    const [compiled, eager] = await Promise.all([resultsOn('cpu'), resultsOn(device)]);
    assert.deepEqual(Object.keys(eager), Object.keys(compiled));
    for (const [name, values] of Object.entries(compiled)) {
      assert.equal(eager[name].constructor, values.constructor, name);
      assertClose(eager[name], values, 1e-6, name);
    }
    assert.deepEqual(eager.next, Int32Array.of(1, 0, 2_000_000_001, 8, 4));
    assert.deepEqual(eager.forbidden, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1));
  });
}

test('other weights give results that the comparison tells apart', async () => {
  const parameters = Float32Array.from(forward.inputs.parameters as Float32Array, (weight) => weight + 1e-3);
  const [compiled, eager] = [await resultsOn('cpu'), await resultsOn('tfjs', { ...forward.inputs, parameters })];
  assert.throws(() => assertClose(eager.values, compiled.values, 1e-6), assert.AssertionError);
});

test('an eager program takes any batch, fills given outputs and runs synchronously', async () => {
  const model = await compile(({ x }) => ({ double: tf.add(x, x), same: x }), { x: { shape: ['n', 2] } }, 'tfjs');
  assert.deepEqual(model.inputs, { x: ['n', 2] });
  for (const count of [0, 2, 6]) {
    const x = Float32Array.from({ length: count }, (_, index) => index);
    const double = new Float32Array(count);
    const results = model.runSync({ x }, { double });
    assert.equal(results.double, double);
    assert.deepEqual(
      [...double],
      [...x].map((value) => 2 * value),
    );
    assert.deepEqual(results.same, x);
    assert.notEqual(results.same.buffer, x.buffer, 'results are copies');
  }
  assert.throws(() => model.runSync({ x: new Float32Array(2) }, { double: new Float32Array(3) }), /Output double/);
  await model.dispose();
});

test('an eager program refuses what a compiled one refuses, in the same words', async () => {
  const program: Program = ({ x, y }) => ({ z: tf.add(x, y) });
  const specs = { x: { shape: ['n', 3] }, y: { shape: ['n', 1] } };
  const wrong: Record<string, NamedValues> = {
    missing: { x: new Float32Array(3) },
    count: { x: new Float32Array(4), y: new Float32Array(1) },
    type: { x: new Int32Array(3), y: new Float32Array(1) },
    batch: { x: new Float32Array(6), y: new Float32Array(1) },
  };
  const [compiled, eager] = [await compile(program, specs), await compile(program, specs, 'tfjs')];
  const messageOf = (model: LoadedModel, inputs: NamedValues): string => {
    try {
      model.runSync(inputs);
    } catch (error) {
      return (error as Error).message;
    }
    assert.fail('nothing was refused');
  };
  for (const [what, inputs] of Object.entries(wrong))
    assert.equal(messageOf(eager, inputs), messageOf(compiled, inputs), what);
  await Promise.all([compiled.dispose(), eager.dispose()]);
  assert.throws(() => eager.runSync({}), /disposed of/);
  await assert.rejects(eager.run({}), /disposed of/);
});

test('an eager program has the ONNX file of the compiled one', async () => {
  const eager = await compile(forward.program, forward.specs, 'tfjs');
  const compiled = await compile(forward.program, forward.specs);
  assert.deepEqual(eager.model, compiled.model);
  const loaded = await loadModel(eager.model);
  assert.deepEqual(loaded.runSync(forward.inputs), compiled.runSync(forward.inputs));
  await Promise.all([eager.dispose(), compiled.dispose(), loaded.dispose()]);
});

test('programs on several backends run side by side and leave TF.js on its own backend', async () => {
  await tf.setBackend('cpu');
  const seen: string[] = [];
  const program: Program = ({ x }) => {
    seen.push(tf.getBackend());
    return { y: tf.square(x) };
  };
  const specs = { x: { shape: [2] } };
  const models = await Promise.all((['tfjs:wasm', 'tfjs:cpu', 'cpu'] as const).map((d) => compile(program, specs, d)));
  seen.length = 0;
  for (let round = 0; round < 3; round++) {
    const results = await Promise.all(models.map((model) => model.run({ x: Float32Array.of(round, 3) })));
    for (const { y } of results) assert.deepEqual(y, Float32Array.of(round ** 2, 9));
    assert.equal(tf.getBackend(), 'cpu');
  }
  assert.deepEqual(seen, ['wasm', 'cpu', 'wasm', 'cpu', 'wasm', 'cpu']);
  await Promise.all(models.map((model) => model.dispose()));
});

test('tensors made outside serve a program on every backend', async () => {
  await tf.setBackend('cpu');
  const outside = tf.tensor([1, 2, 3]);
  for (const device of ['tfjs:wasm', 'cpu', 'tfjs:cpu', 'tfjs:wasm'] as const) {
    const model = await compile(({ x }) => ({ y: tf.mul(x, outside) }), { x: { shape: [3] } }, device);
    assert.deepEqual(model.runSync({ x: Float32Array.of(2, 2, 2) }).y, Float32Array.of(2, 4, 6), device);
    await model.dispose();
  }
  assert.deepEqual([...outside.dataSync()], [1, 2, 3]);
  outside.dispose();
});

test('runs leave no tensor behind, kept ones and failed runs included', async () => {
  const model = await compile(
    ({ x }) => {
      const kept = tf.keep(tf.square(x));
      if (x.dataSync()[0] < 0) throw new Error('from the program');
      return { y: tf.add(kept, 1) };
    },
    { x: { shape: [2] } },
    'tfjs',
  );
  model.runSync({ x: Float32Array.of(1, 2) });
  const { numTensors, numDataBuffers } = tf.memory();
  for (let round = 0; round < 50; round++) {
    model.runSync({ x: Float32Array.of(round, 2) });
    assert.throws(() => model.runSync({ x: Float32Array.of(-1, 2) }), /from the program/);
  }
  assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers], [numTensors, numDataBuffers]);
  const outside = tf.keep(tf.scalar(1));
  assert.equal(outside.isDisposed, false, 'keeping works as before outside of runs');
  outside.dispose();
  await model.dispose();
});

test('an operation that the backend lacks is refused with both names and the line that used it', async () => {
  const model = await compile(
    ({ x }) => ({ y: tf.unsortedSegmentSum(x, tf.tensor1d([0], 'int32'), 1) }),
    { x: { shape: [1] } },
    'tfjs',
  );
  assert.throws(() => model.runSync({ x: Float32Array.of(1) }), {
    code: 'TENSOR_UNSUPPORTED',
    message:
      /^Operation UnsortedSegmentSum is not in TF\.js's backend wasm, .* device tfjs .*\(used at .*program\.test\.ts:\d+:\d+\)$/,
  });
  await model.dispose();
});

for (const [device, packageName] of [
  ['tfjs:node', '@tensorflow/tfjs-node'],
  ['tfjs:node-gpu', '@tensorflow/tfjs-node-gpu'],
] as const) {
  test(`${device} is refused with what to install where its package is missing`, async (context) => {
    if (isInstalled(packageName)) return context.skip(`optional: ${packageName} is installed`);
    await assert.rejects(compile(forward.program, forward.specs, device), {
      code: 'DEVICE_UNAVAILABLE',
      message: `Device ${device} cannot be used: it needs a package that is not installed; run npm install ${packageName}.`,
    });
  });
}

function isInstalled(packageName: string): boolean {
  try {
    import.meta.resolve(packageName);
    return true;
  } catch {
    return false;
  }
}

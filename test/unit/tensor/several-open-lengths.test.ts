import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import type { DeviceName } from '../../../src/tensor/device.ts';
import type { LoadedModel } from '../../../src/tensor/loaded-model.ts';
import { solvedShapes } from '../../../src/tensor/port-lengths.ts';
import { compile } from '../../../src/tensor/program.ts';
import type { InputSpec, Tensors } from '../../../src/tensor/trace.ts';

const inputs: Record<string, InputSpec> = {
  sequence: { shape: ['batch', 'time', 2] },
  weight: { shape: ['time'] },
  bias: { shape: ['batch'] },
};

/** Sums over time, each step with its weight, plus a bias a row. */
function program({ sequence, weight, bias }: Tensors): Tensors {
  const weighted = tf.mul(sequence, tf.reshape(weight, [1, weight.shape[0], 1]));
  return { sums: tf.add(tf.sum(weighted, 1), tf.reshape(bias, [bias.shape[0], 1])) };
}

const models: [DeviceName, LoadedModel][] = [];
for (const device of ['cpu', 'tfjs:cpu'] as const) models.push([device, await compile(program, inputs, device)]);
after(() => Promise.all(models.map(([, model]) => model.dispose())));

for (const [device, model] of models) {
  test(`${device}: lengths that an input leaves open follow from the others, at every call anew`, () => {
    const sequence = Float32Array.from({ length: 12 }, (_, i) => i);
    const two = model.runSync({ sequence, weight: Float32Array.of(1, 10, 100), bias: Float32Array.of(0.5, -0.5) });
    assert.deepEqual([...two.sums], [420.5, 531.5, 1085.5, 1196.5]);
    const three = model.runSync({ sequence, weight: Float32Array.of(1, 10), bias: Float32Array.of(0, 0, 0) });
    assert.deepEqual([...three.sums], [20, 31, 64, 75, 108, 119]);
  });

  test(`${device}: values that do not fit the lengths of the others are refused`, () => {
    const given = { weight: Float32Array.of(1, 10), bias: Float32Array.of(0, 0, 0) };
    assert.throws(() => model.runSync({ ...given, sequence: new Float32Array(10) }), /Input sequence .* 10 values/);
    assert.throws(() => model.runSync(given), /Input sequence of a model is missing/);
  });
}

test('of several open lengths all but one must follow from elsewhere; else the error says what to add', () => {
  const shape = ['batch', 'time', 2];
  assert.deepEqual(solvedShapes([{ name: 'x', shape, count: 12 }], { batch: 3 }), { x: [3, 2, 2] });
  assert.throws(() => solvedShapes([{ name: 'x', shape, count: 12 }], {}), {
    message: /Input x of a model leaves batch and time open in shape \[batch, time, 2\]; add an input/,
  });
});

test('a length that one input settles settles the next', () => {
  const ports = [
    { name: 'pairs', shape: ['batch', 'time', 'units'], count: 24 },
    { name: 'rows', shape: ['batch', 'time'], count: 6 },
  ];
  assert.deepEqual(solvedShapes(ports, { batch: 2 }), { rows: [2, 3], pairs: [2, 3, 4] });
});

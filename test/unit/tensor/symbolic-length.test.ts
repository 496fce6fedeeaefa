import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { elementCount } from '../../../src/tensor/graph.ts';
import type { Dimension } from '../../../src/tensor/graph.ts';
import { encodeModel } from '../../../src/tensor/onnx-model.ts';
import { openSession } from '../../../src/tensor/runtime.ts';
import { trace } from '../../../src/tensor/trace.ts';
import type { Program } from '../../../src/tensor/trace.ts';
import { assertClose, runOnCpuBackend } from './compare.ts';

type Lengths = Readonly<Record<string, number>>;

const at = (shape: readonly Dimension[], lengths: Lengths): number[] =>
  shape.map((length) => (typeof length === 'string' ? lengths[length] : length));

/** Traces a program once and compares it with TF.js's CPU backend at several lengths, shapes included. */
async function assertServes(
  program: Program,
  shapes: Readonly<Record<string, readonly Dimension[]>>,
  all: readonly Lengths[],
): Promise<void> {
  const specs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));
  const session = await openSession(encodeModel(trace(program, specs)), { kind: 'cpu', name: 'cpu' });
  const fetches = Object.fromEntries(session.outputs.map(({ name }) => [name, null]));
  for (const lengths of all) {
    const inputs = Object.fromEntries(
      Object.entries(shapes).map(([name, symbolic]) => {
        const shape = at(symbolic, lengths);
        return [name, { shape, values: Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i + 1)) }];
      }),
    );
    const feeds = Object.entries(inputs).map(([name, { shape, values }]) => {
      return [name, session.tensor('float32', Float32Array.from(values), shape)] as const;
    });
    const results = session.run(Object.fromEntries(feeds), fetches);
    const expected = await runOnCpuBackend(program, inputs);
    for (const [name, values] of Object.entries(expected)) {
      assertClose(results[name].data as Float32Array, values, 1e-5, `${name} at ${JSON.stringify(lengths)}`);
    }
  }
  session.release();
}

const lengths: Lengths[] = [
  { batch: 1, time: 1, width: 1 },
  { batch: 3, time: 5, width: 4 },
  { batch: 4, time: 2, width: 7 },
];

test('reshapes use one length, products of two and sums with numbers', async () => {
  const program: Program = ({ x }) => {
    const [batch, time] = x.shape;
    return {
      rows: tf.reshape(x, [batch * time, 3]),
      swapped: tf.reshape(tf.transpose(x, [1, 0, 2]), [time, batch * 3]),
      split: tf.reshape(x, [batch, 1, time, 3]),
      longer: tf.pad(x, [
        [1, 2],
        [0, 3],
        [0, 0],
      ]),
      twice: tf.concat([x, x], 1),
    };
  };
  await assertServes(program, { x: ['batch', 'time', 3] }, lengths);
});

test('numbers made of lengths: counts, means and their gradients', async () => {
  const program: Program = ({ x }) => {
    const [batch, time] = x.shape;
    const gradient = tf.grad((y: tf.Tensor) => tf.mean(tf.square(tf.sub(y, tf.mean(y, [0, 1], true)))))(x);
    return { scaled: tf.mul(x, batch * time + 2 * batch - time), mean: tf.mean(x, [0, 1]), gradient };
  };
  await assertServes(program, { x: ['batch', 'time', 2] }, lengths);
});

test('large counts, which 32 bits round, are right for small lengths too', async () => {
  const program: Program = ({ x }) => {
    const [batch, time] = x.shape;
    return {
      count: tf.mul(tf.sum(x), batch * time * 64123),
      share: tf.div(x, batch * time * 640),
      shifted: tf.add(x, 0.5 * batch + 3),
      fraction: tf.mul(x, batch * 0.123456789),
    };
  };
  await assertServes(program, { x: ['batch', 'time'] }, lengths);
});

test('ranges grow with a length, forwards and backwards, alone and as a mask', async () => {
  const program: Program = ({ x }) => {
    const time = x.shape[1]!;
    const places = tf.range(0, time, 1, 'int32');
    const before = tf.lessEqual(places, tf.reshape(places, [-1, 1]));
    return {
      forwards: tf.range(0, time),
      backwards: tf.range(2 * time, 0, -2),
      fractions: tf.range(0.5, 0.5 + 0.25 * time, 0.25),
      masked: tf.matMul(x, tf.cast(before, 'float32')),
    };
  };
  await assertServes(program, { x: ['batch', 'time'] }, lengths);
});

test('tensors filled with one number and one-hot vectors take any length', async () => {
  const program: Program = ({ x }) => {
    const [batch, time] = x.shape;
    return {
      filled: tf.add(tf.fill([batch, time], 3), x),
      joined: tf.concat([x, tf.zeros([batch, 2])], 1),
      tiled: tf.tile(tf.expandDims(x, 0), [2, 1, 1]),
      spread: tf.broadcastTo(tf.sum(x), [time, batch]),
    };
  };
  await assertServes(program, { x: ['batch', 'time'] }, lengths);
});

test('a length of the program that is one of those it is traced with does not disturb', async () => {
  const program: Program = ({ x }) => ({ y: tf.reshape(tf.exp(x), [131, x.shape[0]]) });
  await assertServes(program, { x: ['batch', 131] }, [{ batch: 1 }, { batch: 131 }, { batch: 3 }]);
});

test('three names, each in an input of its own', async () => {
  const program: Program = ({ x, y, z }) => ({
    product: tf.matMul(tf.matMul(x, y), z),
    size: tf.mul(tf.sum(x), x.shape[0] * y.shape[1]! * z.shape[1]!),
  });
  await assertServes(program, { x: ['batch', 2], y: [2, 'time'], z: ['time', 'width'] }, lengths);
});

test('outputs tell their lengths by name where they have one', () => {
  const { outputs } = trace(
    ({ x }) => ({
      same: tf.neg(x),
      turned: tf.transpose(x, [1, 0, 2]),
      flat: tf.reshape(x, [-1, 3]),
      sum: tf.sum(x, 0),
    }),
    { x: { shape: ['batch', 'time', 3] } },
  );
  assert.deepEqual(
    outputs.map(({ shape }) => shape),
    [
      ['batch', 'time', 3],
      ['time', 'batch', 3],
      ['flat_0', 3],
      ['time', 3],
    ],
  );
});

test('a program with one name costs no operation more than with a number, but for what it needs to know of it', () => {
  const layer: Program = ({ x, w }) => ({ y: tf.tanh(tf.matMul(x, w)) });
  const named = trace(layer, { x: { shape: ['batch', 3] }, w: { shape: [3, 2] } });
  const fixed = trace(layer, { x: { shape: [64, 3] }, w: { shape: [3, 2] } });
  assert.deepEqual(named.nodes, fixed.nodes);
});

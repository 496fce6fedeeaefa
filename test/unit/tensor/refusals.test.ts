import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../../src/contracts/errors.ts';
import { refusedKernels } from '../../../src/tensor/kernels/refused.ts';
import { trace } from '../../../src/tensor/trace.ts';
import type { InputSpec, Program } from '../../../src/tensor/trace.ts';

/** The message with which a program is refused. It must name this file, and the line that `mark` is on if there is one. */
function refusal(program: Program, inputs: Record<string, InputSpec> = { x: { shape: [2, 2] } }): string {
  try {
    trace(program, inputs);
  } catch (error) {
    assert.ok(error instanceof CoxswainError, String(error));
    assert.equal(error.code, 'TENSOR_UNSUPPORTED');
    return error.message;
  }
  assert.fail('the trace succeeded');
}

const hereAt = /\(used at .*refusals\.test\.ts:\d+:\d+\)$/;

/** The line of this file that a message names. */
function lineOf(message: string): number {
  return Number(/refusals\.test\.ts:(\d+):\d+\)$/.exec(message)?.[1]);
}

/** The line that called this. */
function thisLine(): number {
  return Number(/refusals\.test\.ts:(\d+):\d+/.exec(new Error().stack!.split('\n')[2])![1]);
}

const any = (value: unknown): Tensor => value as Tensor;
const boxes = (x: Tensor): Tensor2D => tf.concat([x, x], 1) as Tensor2D;

const reads: Record<string, (x: Tensor) => unknown> = {
  dataSync: (x) => x.dataSync(),
  data: (x) => x.data(),
  print: (x) => tf.print(x),
  whereAsync: (x) => tf.whereAsync(tf.cast(x, 'bool')),
  booleanMaskAsync: (x) => tf.booleanMaskAsync(x, tf.cast(x, 'bool')),
  setdiff1dAsync: (x) => tf.setdiff1dAsync(tf.reshape(x, [4]), tf.tensor1d([1])),
  nonMaxSuppressionAsync: (x) => tf.image.nonMaxSuppressionAsync(boxes(x), tf.sum(x, 1) as tf.Tensor1D, 1),
};

for (const [name, read] of Object.entries(reads)) {
  test(`${name} of a traced value is refused by name, with the line and what to do`, () => {
    const message = refusal(({ x }) => ({ y: any(read(x)) ?? x }));
    assert.match(message, new RegExp(`^A traced value was read by ${name}; .*tf\\.where`));
    assert.match(message, hereAt);
  });
}

test('the line that is named is the one that read', () => {
  let line = 0;
  const message = refusal(({ x }) => {
    const y = tf.neg(x);
    line = thisLine() + 1;
    return y.dataSync()[0] > 0 ? { y } : { y: x };
  });
  assert.equal(lineOf(message), line);
});

const random: Record<string, () => Tensor> = {
  randomNormal: () => tf.randomNormal([2, 2]),
  randomUniform: () => tf.randomUniform([1]),
  randomUniformInt: () => tf.randomUniformInt([2], 0, 5),
  randomStandardNormal: () => tf.randomStandardNormal([2]),
  randomGamma: () => tf.randomGamma([2], 1),
  truncatedNormal: () => tf.truncatedNormal([2]),
  rand: () => tf.rand([2], () => 0.5),
  dropout: () => tf.dropout(tf.ones([4]), 0.5),
};

for (const [name, draw] of Object.entries(random)) {
  test(`${name} is refused: random numbers are inputs`, () => {
    const message = refusal(() => ({ y: draw() }));
    assert.match(message, new RegExp(`^${name} draws random numbers, .*; pass random numbers as inputs`));
    assert.match(message, hereAt);
  });
}

test('numbers that are not random are no matter for the check', () => {
  const { constants } = trace(
    ({ x }) => ({
      y: tf.add(
        x,
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
      ),
    }),
    { x: { shape: [2, 2] } },
  );
  assert.deepEqual([...constants[0].values], [1, 2, 3, 4]);
});

const refused: Record<string, (x: Tensor) => unknown> = {
  Multinomial: (x) => tf.multinomial(x as Tensor2D, 1),
  Unique: (x) => tf.unique(x).values,
  NonMaxSuppressionV3: (x) => tf.image.nonMaxSuppression(boxes(x), tf.sum(x, 1) as tf.Tensor1D, 1),
  Complex: (x) => tf.complex(x, x),
  FFT: (x) => tf.engine().runKernel('FFT', { input: x }),
  SparseSegmentSum: (x) =>
    tf.sparse.sparseSegmentSum(x as Tensor2D, tf.tensor1d([0, 1], 'int32'), tf.tensor1d([0, 0], 'int32')),
  CropAndResize: (x) =>
    tf.image.cropAndResize(tf.reshape(x, [1, 2, 2, 1]), boxes(x), tf.tensor1d([0, 0], 'int32'), [1, 1]),
  LRN: (x) => tf.localResponseNormalization(tf.reshape(x, [1, 2, 2, 1]) as tf.Tensor4D),
  Dilation2D: (x) =>
    tf.dilation2d(tf.reshape(x, [1, 2, 2, 1]) as tf.Tensor4D, tf.ones([1, 1, 1]) as tf.Tensor3D, 1, 'same'),
  StringSplit: (x) => tf.engine().runKernel('StringSplit', { input: x, delimiter: x }),
};

for (const [name, use] of Object.entries(refused)) {
  test(`${name} is refused with the reason, what to do and the line`, () => {
    const message = refusal(({ x }) => ({ y: any(use(x)) }));
    const { reason, instead } = refusedKernels[name];
    assert.ok(message.startsWith(`Operation ${name} cannot be compiled: ${reason}; ${instead} (used at `), message);
    assert.match(message, hereAt);
  });
}

test('computing with truth values is refused, as ONNX does', () => {
  const inputs = { x: { shape: [2, 2], type: 'bool' as const } };
  for (const [name, use] of Object.entries({
    Add: tf.add,
    Max: tf.max,
    Einsum: (x: Tensor) => tf.einsum('ij->ji', x),
  })) {
    const message = refusal(
      ({ x }) => ({ y: (use as (a: Tensor, b?: Tensor) => Tensor)(x, name === 'Add' ? x : undefined) }),
      inputs,
    );
    assert.match(
      message,
      new RegExp(`^Operation ${name} of truth values cannot be compiled; cast them to numbers first`),
    );
    assert.match(message, hereAt);
  }
});

test('texts are refused', () => {
  const message = refusal(() => ({ y: tf.tensor(['a', 'b']) }));
  assert.match(message, /^Tensors of type string cannot be compiled; use float32, int32 or bool/);
  assert.match(message, hereAt);
});

test('an operation that nobody knows is refused', () => {
  const message = refusal(({ x }) => ({ y: tf.engine().runKernel('Telepathy', { x }) }));
  assert.match(message, /^Operation Telepathy cannot be compiled: it is not known here; write it with others/);
  assert.match(message, hereAt);
});

test('an operation without gradient is refused where a gradient is asked for', () => {
  const largest = (z: Tensor): Tensor => tf.sum(tf.maxPoolWithArgmax(z as tf.Tensor4D, 1, 1, 'valid').result);
  const message = refusal(({ x }) => ({ y: tf.grad(largest)(x) }), { x: { shape: [1, 2, 2, 1] } });
  assert.match(message, /^Operation MaxPoolWithArgmax has no gradient; .*tf\.customGrad/);
  assert.match(message, hereAt);
});

test('a program that gives a promise, or something that is no tensor, is refused', () => {
  assert.match(
    refusal((async (x: unknown) => ({ y: x })) as unknown as Program),
    /must return its results, not a promise/,
  );
  const failing = (async () => {
    throw new Error('later');
  }) as unknown as Program;
  assert.match(refusal(failing), /not a promise/);
  assert.match(
    refusal(() => ({ y: any(3) })),
    /^Output y of a program is no tensor/,
  );
});

test('what bends with a named length is refused with the operation and its line', () => {
  const inputs = { x: { shape: ['n', 2] } };
  let line = 0;
  const message = refusal(({ x }) => {
    line = thisLine() + 1;
    return { y: tf.mul(x, 1 / x.shape[0]) };
  }, inputs);
  assert.match(message, /^A constant of operation Mul depends on n, and not linearly; /);
  assert.equal(lineOf(message), line);
});

test('operations that change with a named length are refused with the first of them and its line', () => {
  let line = 0;
  const message = refusal(
    ({ x }) => {
      const y = tf.exp(x);
      line = thisLine() + 1;
      return { y: x.shape[0] > 1000 ? tf.neg(y) : tf.abs(y) };
    },
    { x: { shape: ['n', 2] } },
  );
  assert.match(message, /^The program does other operations when n changes \(first at operation Abs\); /);
  assert.equal(lineOf(message), line);
});

test('a cumulative product along a named length is refused: its number of steps would change', () => {
  const message = refusal(({ x }) => ({ y: tf.cumprod(x) }), { x: { shape: ['n'] } });
  assert.match(message, /^The program does other operations when n changes/);
  assert.match(message, hereAt);
});

test('a constant whose length grows with a named length is refused unless it counts on', () => {
  const inputs = { x: { shape: ['n'] } };
  const message = refusal(
    ({ x }) => ({ y: tf.add(x, tf.tensor1d(Array.from({ length: x.shape[0] }, (_, i) => i * i))) }),
    inputs,
  );
  assert.match(
    message,
    /^A constant of operation Add that is not uniform has a length that depends on n; make it of ranges/,
  );
  assert.match(message, hereAt);
});

test('more named lengths than can be traced are refused', () => {
  const inputs = { x: { shape: ['a', 'b', 'c', 'd'] } };
  assert.match(
    refusal(({ x }) => ({ y: tf.neg(x) }), inputs),
    /at most 3 named lengths; this one has a, b, c, d/,
  );
});

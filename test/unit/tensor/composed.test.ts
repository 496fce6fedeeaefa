import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

import { logSoftmax } from '../../../src/tensor/operations.ts';
import { trace } from '../../../src/tensor/trace.ts';
import { assertClose, assertSameAsCpuBackend, runCompiled, runOnCpuBackend } from './compare.ts';
import type { Inputs } from './compare.ts';
import { random, truth, whole } from './kernels/draws.ts';
import { gradientsOf, loadGradientsOfTfjs, valuesOf } from './kernels/family.ts';
import type { Use } from './kernels/family.ts';

const cube = { x: random([2, 3, 4]) };
const pair = { labels: random([3, 4], 0, 1), predictions: random([3, 4], 0.1, 0.9) };
const classes = {
  labels: { shape: [3, 4], values: [1, 0, 0, 0, 0, 0, 1, 0, 0.5, 0.5, 0, 0] },
  predictions: random([3, 4]),
};
const weighted = { ...pair, weights: { shape: [3, 1], values: [1, 0, 2] } };

type Loss = (labels: Tensor, predictions: Tensor, weights?: Tensor) => Tensor;
/** Each with and without a weight for each sample. */
const losses: Record<string, Loss> = {
  'absolute difference': tf.losses.absoluteDifference,
  'cosine distance': (labels, predictions, weights) => tf.losses.cosineDistance(labels, predictions, 1, weights),
  hinge: tf.losses.hingeLoss,
  huber: (labels, predictions, weights) => tf.losses.huberLoss(labels, predictions, weights, 0.3),
  logarithm: tf.losses.logLoss,
  'mean squared error': tf.losses.meanSquaredError,
  'sigmoid cross entropy': tf.losses.sigmoidCrossEntropy,
};

interface Composed {
  readonly use: Use;
  readonly inputs: Inputs;
  readonly gradient?: boolean;
  readonly named?: string[];
}

/** What users write with one function of TF.js that is made of several operations. */
const uses: Record<string, Composed> = {
  ...Object.fromEntries(
    Object.entries(losses).flatMap(([name, loss]): [string, Composed][] => [
      [
        `loss: ${name}`,
        {
          use: ({ labels, predictions }: Record<string, Tensor>) => loss(labels, predictions),
          inputs: pair,
          named: ['labels', 'predictions'],
        },
      ],
      [
        `loss: ${name}, samples weighted`,
        {
          use: ({ labels, predictions, weights }: Record<string, Tensor>) => loss(labels, predictions, weights),
          inputs: weighted,
        },
      ],
    ]),
  ),
  'loss: softmax cross entropy': {
    use: ({ labels, predictions }) => tf.losses.softmaxCrossEntropy(labels, predictions),
    inputs: classes,
    named: ['labels', 'predictions'],
  },
  'loss: softmax cross entropy, labels smoothed': {
    use: ({ labels, predictions }) => tf.losses.softmaxCrossEntropy(labels, predictions, undefined, 0.1),
    inputs: classes,
  },
  'entropy of masked logits': {
    use: ({ x, mask }) => {
      const logProbabilities = tf.logSoftmax(tf.where(mask, x, tf.scalar(-1e8)));
      return tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities), -1);
    },
    inputs: { x: random([2, 3]), mask: truth([2, 3], [1, 1, 0, 0, 1, 0]) },
  },
  'log sum of exponentials': { use: ({ x }) => tf.logSumExp(x, 1), inputs: cube },
  'log softmax as TF.js writes it': { use: ({ x }) => tf.logSoftmax(x), inputs: cube },
  'log sigmoid': { use: ({ x }) => tf.logSigmoid(x), inputs: cube },
  norms: { use: ({ x }) => [tf.norm(x), tf.norm(x, 1, 1), tf.norm(x, 'euclidean', -1)], inputs: cube },
  moments: {
    use: ({ x }) => {
      const { mean, variance } = tf.moments(x, [0, 2]);
      return [mean, variance];
    },
    inputs: cube,
  },
  'division where there is something to divide by': {
    use: ({ a, b }) => tf.divNoNan(a, b),
    inputs: { a: random([3]), b: { shape: [3], values: [2, 0, -1] } },
    gradient: false,
  },
  'a band of a matrix': { use: ({ x }) => tf.linalg.bandPart(x, 1, 0), inputs: { x: random([2, 3, 3]) } },
  'an outer product': {
    use: ({ a, b }) => tf.outerProduct(a as Tensor1D, b as Tensor1D),
    inputs: { a: random([2]), b: random([3]) },
  },
  'a grid': { use: ({ a, b }) => tf.meshgrid(a, b), inputs: { a: random([2]), b: random([3]) } },
  'a confusion matrix': {
    use: ({ i, j }) => tf.math.confusionMatrix(i as Tensor1D, j as Tensor1D, 3),
    inputs: { i: whole([4], [0, 1, 2, 2]), j: whole([4], [0, 2, 2, 2]) },
    gradient: false,
  },
  'an identity matrix': { use: ({ x }) => tf.matMul(x, tf.eye(3)), inputs: { x: random([2, 3]) } },
  'two recurrent cells': {
    use: ({ x, k, l, b }) => {
      const cell = (kernel: Tensor): ((data: Tensor2D, c: Tensor2D, h: Tensor2D) => [Tensor2D, Tensor2D]) => {
        return (data, c, h) => tf.basicLSTMCell(tf.scalar(1), kernel as Tensor2D, b as Tensor1D, data, c, h);
      };
      const zeros = (): Tensor2D => tf.zeros([2, 2]);
      const [states, outputs] = tf.multiRNNCell(
        [cell(k), cell(l)],
        x as Tensor2D,
        [zeros(), zeros()],
        [zeros(), zeros()],
      );
      return [...states, ...outputs];
    },
    inputs: { x: random([2, 3]), k: random([5, 8]), l: random([4, 8]), b: random([8]) },
  },
  'one value used twice': { use: ({ x }) => tf.mul(tf.tanh(x), tf.add(x, tf.square(x))), inputs: cube },
  'a broadcast value in every kind of consumer': {
    use: ({ x }) => {
      const row = tf.broadcastTo(tf.sum(x, 0, true), [2, 3, 4]);
      const scalar = tf.broadcastTo(tf.sum(x), [2, 3]);
      return [
        tf.sum(row),
        tf.reshape(row, [6, 4]),
        tf.matMul(scalar, tf.transpose(scalar)),
        tf.reshape(scalar, [3, 2]),
        tf.concat([scalar, tf.zeros([2, 3])], 0),
        tf.add(row, scalar.shape[0]),
      ];
    },
    inputs: cube,
  },
  'parts of a broadcast value': {
    use: ({ x }) => {
      const grown = tf.broadcastTo(tf.slice(x, [0, 0, 0], [2, 1, 4]), [2, 5, 4]);
      return [tf.square(grown), tf.slice(grown, [0, 2, 0], [2, 2, 4]), tf.gather(grown, [3, 0], 1)];
    },
    inputs: cube,
  },
};

/** What our gradients, compiled, give; taken before TF.js's own gradients replace ours. */
const compiled = new Map<string, Record<string, ArrayLike<number>> | Error>();

before(async () => {
  for (const [name, { use, inputs, gradient = true, named }] of Object.entries(uses)) {
    if (!gradient) continue;
    compiled.set(name, await runCompiled(gradientsOf(use), inputs, named).catch((error: unknown) => error as Error));
  }
});

for (const [name, { use, inputs, named }] of Object.entries(uses)) {
  test(`${name}: the same numbers as on the CPU backend`, async () => {
    await assertSameAsCpuBackend(valuesOf(use), inputs, { named });
  });
}

for (const [name, { use, inputs, gradient = true }] of Object.entries(uses)) {
  if (!gradient) continue;
  test(`${name}: the gradients are TF.js's`, async () => {
    await loadGradientsOfTfjs();
    const actual = compiled.get(name)!;
    if (actual instanceof Error) throw actual;
    const expected = await runOnCpuBackend(gradientsOf(use), inputs);
    for (const [output, values] of Object.entries(expected)) assertClose(actual[output], values, 2e-5, output);
  });
}

test('the logarithm of softmax is one operation', () => {
  const { nodes } = trace(({ x }) => ({ y: logSoftmax(x) }), { x: { shape: [2, 3] } });
  assert.deepEqual(
    nodes.map(({ operator }) => operator),
    ['LogSoftmax'],
  );
});

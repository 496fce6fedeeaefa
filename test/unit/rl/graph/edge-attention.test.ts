import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { attentionOver } from '../../../../src/rl/graph/edge-attention.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { assertClose, assertSameAsCpuBackend } from '../../tensor/compare.ts';

/** Scores of a list of edges by the node that listens. */
type EdgeList = readonly { readonly to: number; readonly from: number; readonly score: number }[];

/** Softmax over the edges of each listener, summed by cell. */
function overList(edges: EdgeList, nodes: number): number[] {
  const cells = new Array<number>(nodes * nodes).fill(0);
  for (const { to, from, score } of edges) {
    const total = edges.filter((edge) => edge.to === to).reduce((sum, edge) => sum + Math.exp(edge.score), 0);
    cells[to * nodes + from] += Math.exp(score) / total;
  }
  return cells;
}

test('attention over cells is attention over the list of edges, also where some are double and some listen to none', async () => {
  const scores = [0.3, -1, 2, 0.7, 5, 0.1, 9, 9, 9];
  const edges = [
    [0, 1],
    [0, 2],
    [0, 2],
    [1, 0],
    [1, 2],
  ].map(([to, from]) => ({ to, from, score: scores[to * 3 + from] }));
  const counts = [0, 1, 2, 1, 0, 1, 0, 0, 0];
  await tf.setBackend('cpu');
  const attention = attentionOver(tf.tensor(scores, [3, 3]), tf.tensor(counts, [3, 3]), 1).dataSync();
  assertClose(attention, overList(edges, 3), 1e-6);
});

test('along the other axis a node listens to its column', async () => {
  await tf.setBackend('cpu');
  const attention = attentionOver(tf.tensor([1, 2, 3, 4], [2, 2]), tf.tensor([1, 0, 1, 0], [2, 2]), 0).dataSync();
  assertClose(attention, [1 / (1 + Math.exp(2)), 0, 1 / (1 + Math.exp(-2)), 0], 1e-6);
});

test('large scores neither overflow nor vanish', async () => {
  await tf.setBackend('cpu');
  const attention = attentionOver(tf.tensor([500, 499, -500, -501], [2, 2]), tf.tensor([1, 1, 1, 1], [2, 2]), 1);
  const share = 1 / (1 + Math.exp(-1));
  assertClose(attention.dataSync(), [share, 1 - share, share, 1 - share], 1e-5);
});

test('the gradient is that of the formula by parts', async () => {
  const generator = new Generator(11);
  const draws = (count: number): number[] => Array.from({ length: count }, () => generator.normal());
  const counts = Array.from({ length: 32 }, () => generator.integer(3));
  for (const axis of [1, 2]) {
    const gradient =
      (attend: typeof attentionOver) =>
      ({ x, dy, cells }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => ({
        gradient: tf.grad((scores: tf.Tensor) => attend(scores, cells, axis))(x, dy),
      });
    const byParts: typeof attentionOver = (scores, cells, along) => {
      const powers = tf.mul(tf.exp(scores), cells);
      return tf.div(powers, tf.add(tf.sum(powers, along, true), 1e-30));
    };
    const inputs = {
      x: { shape: [2, 4, 4], values: draws(32) },
      dy: { shape: [2, 4, 4], values: draws(32) },
      cells: { shape: [2, 4, 4], values: counts },
    };
    await assertSameAsCpuBackend(gradient(attentionOver), inputs);
    await tf.setBackend('cpu');
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, values }]) => [name, tf.tensor(values, shape)]),
    );
    const expected = gradient(byParts)(tensors).gradient.dataSync();
    assert.ok(expected.some((value) => Math.abs(value) > 0.01));
    assertClose(gradient(attentionOver)(tensors).gradient.dataSync(), expected, 1e-5);
  }
});

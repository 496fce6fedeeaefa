import assert from 'node:assert/strict';
import test from 'node:test';

import { Generator } from '../../../../src/rl/random.ts';
import { SumTree } from '../../../../src/rl/replay/sum-tree.ts';

test('a leaf is found by the running sum of the weights', () => {
  const tree = new SumTree();
  [1, 0, 2, 4].forEach((weight, leaf) => tree.set(leaf, weight));
  assert.equal(tree.total, 7);
  assert.deepEqual(
    [0, 0.99, 1, 2.99, 3, 6.99].map((sum) => tree.find(sum)),
    [0, 0, 2, 2, 3, 3],
  );
});

test('a sum that rounding has carried to the total or beyond still finds a leaf that weighs something', () => {
  const tree = new SumTree();
  tree.set(5, 0.1);
  tree.set(6, 0.2);
  for (const sum of [tree.total, 1]) assert.equal(tree.find(sum), 6);
});

test('the sums follow from the leaves alone: growing, overwriting and filling end in the same bits', () => {
  const generator = new Generator(1);
  const weights = Float64Array.from({ length: 5000 }, () => generator.uniform());
  const grown = new SumTree();
  for (let round = 0; round < 2; round++) weights.forEach((weight, leaf) => grown.set(leaf, round ? weight : leaf));
  const filled = new SumTree();
  filled.fill(weights);
  assert.equal(grown.total, filled.total);
  for (let draw = 0; draw < 500; draw++) {
    const sum = generator.uniform() * filled.total;
    assert.equal(grown.find(sum), filled.find(sum));
  }
  assert.deepEqual(grown.weights(5000), weights);
});

test('going back restores every weight that was there at the mark, however often it was overwritten', () => {
  const tree = new SumTree();
  for (let leaf = 0; leaf < 10; leaf++) tree.set(leaf, leaf + 1);
  tree.mark();
  const { total } = tree;
  for (let change = 0; change < 5000; change++) tree.set((change * 7) % 3000, change);
  tree.rewind();
  assert.equal(tree.total, total);
  assert.deepEqual([...tree.weights(12)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
  tree.rewind();
  assert.equal(tree.total, total);
});

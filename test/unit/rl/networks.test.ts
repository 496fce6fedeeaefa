import assert from 'node:assert/strict';
import test from 'node:test';

import { initialisePerceptron, orthogonal, perceptronLayout } from '../../../src/rl/networks.ts';
import { Generator } from '../../../src/rl/random.ts';
import { ParameterLayout } from '../../../src/tensor/parameters.ts';

for (const [rows, columns] of [
  [4, 4],
  [3, 7],
  [7, 3],
  [1, 5],
]) {
  test(`an orthogonal ${rows} × ${columns} matrix has orthogonal rows or columns of the asked length`, () => {
    const matrix = orthogonal(rows, columns, 2, new Generator(1));
    const vectors =
      rows <= columns
        ? Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => matrix[r * columns + c]))
        : Array.from({ length: columns }, (_, c) => Array.from({ length: rows }, (_, r) => matrix[r * columns + c]));
    vectors.forEach((a, i) =>
      vectors.forEach((b, j) => {
        const product = a.reduce((sum, value, k) => sum + value * b[k], 0);
        assert.ok(Math.abs(product - (i === j ? 4 : 0)) < 1e-12, `${i}, ${j}: ${product}`);
      }),
    );
  });
}

test('a perceptron starts with orthogonal weights, its own gain in the last layer, and no biases', () => {
  const shape = { inputs: 3, hiddenSizes: [8], outputs: 2, activation: 'tanh' as const };
  const layout = perceptronLayout('p', shape);
  assert.equal(layout.size, 3 * 8 + 8 + 8 * 2 + 2);
  const values = new Float32Array(layout.size).fill(9);
  values.fill(0);
  initialisePerceptron('p', shape, values, 0.01, new Generator(4));
  const squares = (name: string): number => layout.view(values, name).reduce((sum, value) => sum + value * value, 0);
  assert.ok(Math.abs(squares('p.hidden0.weights') - 3 * 2) < 1e-5);
  assert.ok(Math.abs(squares('p.output.weights') - 2 * 0.01 ** 2) < 1e-9);
  assert.equal(squares('p.hidden0.bias') + squares('p.output.bias'), 0);
});

test('a layout gives views into the flat vector and names what there is when asked for something else', () => {
  const layout = new ParameterLayout({ a: [2, 2], b: [3] });
  const values = Float32Array.of(0, 1, 2, 3, 4, 5, 6);
  assert.deepEqual([...layout.view(values, 'b')], [4, 5, 6]);
  layout.view(values, 'a')[3] = 30;
  assert.equal(values[3], 30);
  assert.throws(() => layout.view(values, 'c'), /no weight c; there are a, b/);
});

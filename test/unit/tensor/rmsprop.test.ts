import assert from 'node:assert/strict';
import test from 'node:test';

import { compile } from '../../../src/tensor/program.ts';
import { rmspropUpdate } from '../../../src/tensor/rmsprop.ts';
import type { RmspropOptions } from '../../../src/tensor/rmsprop.ts';
import { assertClose } from './compare.ts';

/** One update of two parameters with gradient (3, 4), of length 5. */
async function updated(options: RmspropOptions): Promise<Record<string, ArrayLike<number>>> {
  const vector = { shape: [2] };
  const program = await compile(
    ({ parameters, squares, gradient, learningRate }) => {
      const { gradientNorm, ...next } = rmspropUpdate({ parameters, squares }, gradient, learningRate, options);
      return { newParameters: next.parameters, newSquares: next.squares, gradientNorm };
    },
    { parameters: vector, squares: vector, gradient: vector, learningRate: { shape: [] } },
  );
  const results = await program.run({
    parameters: Float32Array.of(1, -1),
    squares: Float32Array.of(0.5, 2),
    gradient: Float32Array.of(3, 4),
    learningRate: Float32Array.of(0.1),
  });
  await program.dispose();
  return results;
}

test('with ε outside the root an update is the one worked out by hand', async () => {
  const results = await updated({ decay: 0.9, epsilon: 0.5, epsilonPlacement: 'outside-root', maxNorm: 100 });
  const squares = [0.9 * 0.5 + 0.1 * 9, 0.9 * 2 + 0.1 * 16];
  assertClose(results.newSquares, squares, 1e-6, 'squares');
  const parameters = [1 - (0.1 * 3) / (Math.sqrt(squares[0]) + 0.5), -1 - (0.1 * 4) / (Math.sqrt(squares[1]) + 0.5)];
  assertClose(results.newParameters, parameters, 1e-6, 'parameters');
  assert.equal(results.gradientNorm[0], 5);
});

test('with ε inside the root it goes under the square root', async () => {
  const results = await updated({ decay: 0.9, epsilon: 0.5, epsilonPlacement: 'inside-root', maxNorm: 100 });
  const parameters = [1 - 0.3 / Math.sqrt(1.35 + 0.5), -1 - 0.4 / Math.sqrt(3.4 + 0.5)];
  assertClose(results.newParameters, parameters, 1e-6, 'parameters');
});

test('a gradient that is too long is shortened, also in the mean of squares', async () => {
  const results = await updated({ decay: 0.9, epsilon: 0.5, epsilonPlacement: 'outside-root', maxNorm: 1 });
  const squares = [0.45 + 0.1 * 0.36, 1.8 + 0.1 * 0.64];
  assertClose(results.newSquares, squares, 1e-5, 'squares');
  const parameters = [1 - 0.06 / (Math.sqrt(squares[0]) + 0.5), -1 - 0.08 / (Math.sqrt(squares[1]) + 0.5)];
  assertClose(results.newParameters, parameters, 1e-6, 'parameters');
  assert.equal(results.gradientNorm[0], 5, 'the norm before shortening');
});

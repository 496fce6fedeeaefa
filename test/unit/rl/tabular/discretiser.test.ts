import assert from 'node:assert/strict';
import test from 'node:test';

import type { EnvironmentDescription } from '../../../../src/rl/environment.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { Discretiser } from '../../../../src/rl/tabular/discretiser.ts';
import { compile } from '../../../../src/tensor/program.ts';

const description = (low: number[], high: number[]): EnvironmentDescription => ({
  name: 'toy',
  observationSpace: { kind: 'box', shape: [low.length], low, high },
  actionSpace: { kind: 'discrete', n: 2 },
  actionMaskSize: 0,
  maxEpisodeSteps: null,
  observationTable: [],
  actionTable: [],
});

const bounds = { low: null, high: null };

test('bins are of equal width, and what lies outside counts to the outermost', () => {
  const cells = new Discretiser(description([-1], [1]), { bins: 4, ...bounds });
  const places = [-1e30, -1, -0.51, -0.5, -0.01, 0, 0.49, 0.5, 0.99, 1, 1e30];
  assert.deepEqual(
    places.map((place) => cells.cellOf(Float32Array.of(place), 0)),
    [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3],
  );
});

test('whole numbers from bound to bound have a bin each', () => {
  const cells = new Discretiser(description([0, 0], [3, 11]), { bins: [4, 12], ...bounds });
  const seen = Array.from({ length: 48 }, (_, cell) =>
    cells.cellOf(Float32Array.of(Math.floor(cell / 12), cell % 12), 0),
  );
  assert.deepEqual(
    seen,
    Array.from({ length: 48 }, (_, cell) => cell),
  );
  assert.equal(cells.cellCount, 48);
});

test('the compiled program finds the same cell for every observation, also at the edges of the bins', async () => {
  const low = [-2.4, -3.3, -0.21, 0.1];
  const high = [2.4, 3.1, 0.209, 0.7];
  const bins = [7, 13, 10, 3];
  const cells = new Discretiser(description(low, high), { bins, ...bounds });
  const generator = new Generator(1);
  const count = 5000;
  const observation = Float32Array.from({ length: 4 * count }, (_, i) => {
    const element = i % 4;
    const share = i % 3 === 0 ? generator.integer(bins[element] + 1) / bins[element] : 1.4 * generator.uniform() - 0.2;
    return low[element] + share * (high[element] - low[element]);
  });
  const program = await compile((inputs) => ({ cells: cells.cells(inputs.observation) }), {
    observation: { shape: ['batch', 4] },
  });
  const { cells: compiled } = await program.run({ observation });
  await program.dispose();
  const own = Int32Array.from({ length: count }, (_, row) => cells.cellOf(observation, row));
  assert.deepEqual(compiled, own);
  assert.ok(new Set(own).size > 1000, 'the observations spread');
});

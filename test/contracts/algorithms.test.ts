import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Algorithm } from '../../src/rl/algorithm.ts';
import { createToy } from '../../src/rl/algorithm-check/toys.ts';
import { algorithms } from '../../src/rl/algorithms/index.ts';
import type { Space } from '../../src/rl/environment.ts';
import { metricTable } from '../../src/rl/metrics.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import { algorithmSuite } from './algorithm-suite.ts';

/** For each algorithm hyperparameters with which an iteration is a few dozen steps and learning begins at once. */
const quick: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ppo: { rolloutSteps: 32, minibatchSize: 12, epochs: 2, hiddenSizes: [8] },
};

/** Names of the figures that some hundred steps report. */
async function figuresOf(algorithm: Algorithm, hyperparameters: object, kind: Space['kind']): Promise<string[]> {
  const environments = [createToy(kind, false)];
  const training = await createTraining({ algorithm, hyperparameters, environments, seed: 1, totalSteps: 200 });
  const names = new Set<string>();
  await training.run({
    onUpdate({ metrics: { measures: _, learning, ...others } }) {
      for (const name of Object.keys({ ...learning, ...others })) names.add(name);
    },
  });
  await training.dispose();
  return [...names];
}

test('every algorithm is held to the contract', () => {
  assert.deepEqual(Object.keys(quick).sort(), Object.keys(algorithms).sort());
});

for (const [name, hyperparameters] of Object.entries(quick)) {
  test(`docs/metrics.md explains every figure of ${name}`, async () => {
    const { actionSpaces } = algorithms[name];
    const figures = await Promise.all(actionSpaces.map((kind) => figuresOf(algorithms[name], hyperparameters, kind)));
    assert.deepEqual(
      figures.flat().filter((figure) => !Object.hasOwn(metricTable, figure)),
      [],
    );
  });

  algorithmSuite({ algorithm: algorithms[name], hyperparameters });
}

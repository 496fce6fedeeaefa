import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Algorithm } from '../../src/rl/algorithm.ts';
import { createToy } from '../../src/rl/algorithm-check/toys.ts';
import { algorithms } from '../../src/rl/algorithms/index.ts';
import type { Space } from '../../src/rl/environment.ts';
import { metricTable } from '../../src/rl/metrics.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import { algorithmSuite } from './algorithm-suite.ts';
import { quickHyperparameters } from './quick-hyperparameters.ts';

/** Names of the figures that some hundred steps report. */
async function figuresOf(algorithm: Algorithm, hyperparameters: object, kind: Space['kind']): Promise<string[]> {
  const options = { kind, masks: false, graph: algorithm.needsGraph };
  const training = await createTraining({
    algorithm,
    hyperparameters,
    environments: [createToy(options)],
    recipe: {
      module: new URL('../../src/rl/algorithm-check/toys.ts', import.meta.url).href,
      factory: createToy.name,
      options,
    },
    seed: 1,
    totalSteps: 200,
  });
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
  assert.deepEqual(Object.keys(quickHyperparameters).sort(), Object.keys(algorithms).sort());
});

for (const [name, hyperparameters] of Object.entries(quickHyperparameters)) {
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

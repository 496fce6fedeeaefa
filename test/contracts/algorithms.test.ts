import assert from 'node:assert/strict';
import { test } from 'node:test';

import { algorithms } from '../../src/rl/algorithms/index.ts';
import { algorithmSuite } from './algorithm-suite.ts';

/** For each algorithm hyperparameters with which an iteration is a few dozen steps and learning begins at once. */
const quick: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ppo: { rolloutSteps: 32, minibatchSize: 12, epochs: 2, hiddenSizes: [8] },
};

test('every algorithm is held to the contract', () => {
  assert.deepEqual(Object.keys(quick).sort(), Object.keys(algorithms).sort());
});

for (const [name, hyperparameters] of Object.entries(quick)) {
  algorithmSuite({ algorithm: algorithms[name], hyperparameters });
}

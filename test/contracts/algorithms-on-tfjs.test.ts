import assert from 'node:assert/strict';
import test from 'node:test';

import { createToy } from '../../src/rl/algorithm-check/toys.ts';
import { algorithms } from '../../src/rl/algorithms/index.ts';
import { readCheckpoint } from '../../src/rl/checkpoint.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { DeviceName } from '../../src/tensor/device.ts';
import { quickHyperparameters } from './quick-hyperparameters.ts';

const iterations = 3;
/** These compile nothing, or compile in processes of their own. */
const others = ['q-learning', 'sarsa', 'a3c'];

/** Trains for a few iterations and gives the weights, and those at the start. */
async function weightsAfter(name: string, device: DeviceName): Promise<{ first: Float32Array; last: Float32Array }> {
  const algorithm = algorithms[name];
  const toy = { kind: algorithm.actionSpaces[0], masks: algorithm.masks, graph: algorithm.needsGraph };
  const training = await createTraining({
    algorithm,
    hyperparameters: quickHyperparameters[name],
    environments: [createToy(toy), createToy(toy)],
    seed: 3,
    totalSteps: 1_000_000,
    device,
  });
  const weights = (): Float32Array => readCheckpoint(training.checkpoint()).parameters.slice();
  const first = weights();
  const stop = new AbortController();
  await training.run({
    signal: stop.signal,
    onUpdate({ update }) {
      if (update >= iterations) stop.abort();
    },
  });
  const last = weights();
  await training.dispose();
  return { first, last };
}

const distance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index])), 0);

for (const name of Object.keys(algorithms).filter((known) => !others.includes(known))) {
  test(`${name} learns the same weights when TF.js runs its programs eagerly`, async () => {
    const [compiled, eager] = [await weightsAfter(name, 'cpu'), await weightsAfter(name, 'tfjs')];
    assert.deepEqual(eager.first, compiled.first);
    const learned = distance(compiled.first, compiled.last);
    const apart = distance(eager.last, compiled.last);
    assert.ok(learned > 1e-4, `weights move by ${learned}`);
    assert.ok(apart > 0, 'another engine has other last bits');
    assert.ok(apart < 1e-3 * learned, `weights are ${apart} apart after moving by ${learned}`);
  });
}

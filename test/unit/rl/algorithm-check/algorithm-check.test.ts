import assert from 'node:assert/strict';
import test from 'node:test';

import { defineAlgorithm } from '../../../../src/rl/algorithm.ts';
import type { Algorithm } from '../../../../src/rl/algorithm.ts';
import { algorithmRules } from '../../../../src/rl/algorithm-check/algorithm-check.ts';
import type { Learner } from '../../../../src/rl/learner.ts';
import type { GeneratorState } from '../../../../src/rl/random.ts';

/** Wanders at random, and learns after every single step. */
function wandering(parts: Partial<Learner> = {}): Algorithm {
  return defineAlgorithm({
    name: 'wandering',
    summary: 'Wanders.',
    actionSpaces: ['discrete'],
    masks: false,
    hyperparameters: {},
    create(_config, { environment, environments, generator }, { tf, ParameterLayout, actionLayoutOf }) {
      const draws = generator.fork();
      let weights = new Float32Array(9);
      return {
        policy: {
          kind: 'categorical',
          observationSize: 3,
          layout: new ParameterLayout({ weights: [3, 3] }),
          actions: actionLayoutOf(environment),
          outputs: (given, { observation }) => ({ logits: tf.matMul(observation, given.weights) }),
        },
        learnIntervalSteps: environments,
        act: ({ actions }) => actions.forEach((_, index) => (actions[index] = draws.integer(3))),
        record: () => {},
        learn() {
          weights = weights.map((weight) => weight + draws.normal());
          return { weight: weights[0] };
        },
        weights: () => ({ parameters: weights.slice(), normalisation: null }),
        save: () => ({ arrays: { parameters: weights.slice() }, values: draws.saveState() }),
        load({ arrays, values }) {
          weights = arrays.parameters.slice();
          draws.loadState(values as GeneratorState);
        },
        ...parts,
      };
    },
  });
}

async function broken(algorithm: Algorithm): Promise<string[]> {
  const failures: string[] = [];
  for (const { title, check } of algorithmRules({ algorithm })) await check().catch(() => failures.push(title));
  return failures;
}

test('an algorithm that learns after every step keeps all rules', async () => {
  assert.deepEqual(await broken(wandering()), []);
});

test('an algorithm that does not save its generator is found out', async () => {
  const failures = await broken(wandering({ load: () => {} }));
  assert.deepEqual(
    failures.map((title) => title.slice(0, 50)),
    ['discrete actions: a training that goes on from a c', 'discrete actions: after a reward that is NaN the t'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineAlgorithm } from '../../../src/rl/algorithm.ts';
import { algorithms } from '../../../src/rl/algorithms/index.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import { checkSpecAgainstCode } from '../../../workers/spec-against-code.ts';
import { smallSpec } from '../../integration/small-pipeline.ts';

const check = (changes: object, all = algorithms): void =>
  checkSpecAgainstCode(parseRunSpec({ ...smallSpec, ...changes }), all);

/** An algorithm that could never act in Online Boutique. */
const oneHead = defineAlgorithm({
  name: 'one-head',
  summary: 'Chooses one of several.',
  actionSpaces: ['discrete'],
  masks: true,
  hyperparameters: {},
  create() {
    throw new Error('It is never created.');
  },
});

test('a spec whose names and numbers exist passes', () => check({}));

test('an unknown environment is refused with the nearest and those that there are', () => {
  assert.throws(() => check({ environment: { name: 'online-botique' } }), {
    code: 'SPEC_INVALID',
    message:
      /environment\.name: found "online-botique"; nearest: online-boutique; allowed: online-boutique, service-graph/,
  });
  assert.throws(() => check({ environment: { name: 'constructor' } }), { code: 'SPEC_INVALID' });
});

test('an unknown algorithm is refused with the nearest, unless the worker has it', () => {
  const agent = { algorithm: 'one-head' };
  assert.throws(() => check({ agent }), { code: 'SPEC_INVALID', message: /agent\.algorithm: found "one-head"/ });
  assert.throws(() => check({ agent }, { ...algorithms, 'one-head': oneHead }), { code: 'ENVIRONMENT_INVALID' });
});

test('an algorithm that cannot act in the environment is refused before anything runs', () => {
  assert.throws(() => check({ agent: { algorithm: 'one-head' } }, { 'one-head': oneHead }), {
    code: 'ENVIRONMENT_INVALID',
    message: /online-boutique: one-head does not support a multi-discrete action space; it acts in discrete/,
  });
});

test('an algorithm for graphs is for environments that are graphs', () => {
  const agent = { algorithm: 'graph-ppo' };
  assert.throws(() => check({ agent }), { code: 'ENVIRONMENT_INVALID', message: /its observation is no graph/ });
  check({ agent, environment: { name: 'service-graph' } });
});

test('hyperparameters are held against the algorithm and the number of environments', () => {
  const agent = { algorithm: 'ppo', hyperparameters: { learningrate: 1 } };
  assert.throws(() => check({ agent }), { code: 'SPEC_INVALID', message: /nearest valid name: learningRate/ });
  const odd = { algorithm: 'ppo', hyperparameters: { rolloutSteps: 1001 } };
  assert.throws(() => check({ agent: odd }), { code: 'SPEC_INVALID', message: /rolloutSteps: found 1001/ });
});

test('an environment that needs a twin is refused where no cluster is recorded', () => {
  for (const name of ['twin', 'twin-graph']) {
    assert.throws(() => check({ environment: { name, parameters: {} } }), {
      code: 'ENVIRONMENT_INVALID',
      message: new RegExp(`environment.name "${name}" needs a twin`),
    });
  }
});

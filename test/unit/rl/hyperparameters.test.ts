import assert from 'node:assert/strict';
import test from 'node:test';

import { hyperparameter, number, optional, parseHyperparameters } from '../../../src/rl/hyperparameters.ts';

const table = { rate: hyperparameter<number | null>(0.1, optional(number(0, 1)), 'A share.') };
const parse = (given: unknown): unknown => parseHyperparameters('settings', given, table);

test('a number that JSON does not know is named as it is', () => {
  assert.throws(() => parse({ rate: NaN }), { code: 'SPEC_INVALID', message: /rate: found NaN; allowed: a number/ });
  assert.throws(() => parse({ rate: Infinity }), { code: 'SPEC_INVALID', message: /rate: found Infinity/ });
});

test('names that every object has are unknown like any other', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.throws(() => parse(JSON.parse(`{"${name}": 1}`)), { code: 'SPEC_INVALID', message: new RegExp(name) });
  }
});

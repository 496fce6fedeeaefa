import assert from 'node:assert/strict';
import test from 'node:test';
import { parameterHelp, parseParameters } from '../../../../src/rl/environments/parameters.ts';
import type { ParameterTable } from '../../../../src/rl/environments/parameters.ts';

const table = {
  users: { default: 8, low: 1, high: 64, whole: true, meaning: 'Most users' },
  share: { default: 0.5, low: 0, high: 1, meaning: 'Share of the time' },
  model: { default: 'a', choices: ['a', 'b'], meaning: 'Which model' },
} as const satisfies ParameterTable;

const refused = (input: Readonly<Record<string, unknown>>, message: RegExp): void =>
  assert.throws(() => parseParameters('toy', table, input), { code: 'ENVIRONMENT_INVALID', message });

test('what is not given, or undefined, has its default', () => {
  assert.deepEqual(parseParameters('toy', table, {}), { users: 8, share: 0.5, model: 'a' });
  assert.deepEqual(parseParameters('toy', table, { users: undefined, share: 0, model: 'b' }), {
    users: 8,
    share: 0,
    model: 'b',
  });
});

test('both bounds are allowed, nothing beyond them', () => {
  assert.equal(parseParameters('toy', table, { users: 1 }).users, 1);
  assert.equal(parseParameters('toy', table, { users: 64 }).users, 64);
  refused({ users: 0 }, /^toy: users must be a whole number from 1 to 64, not 0\.$/);
  refused({ users: 65 }, /not 65/);
  refused({ share: 1.0001 }, /share must be a number from 0 to 1, not 1\.0001/);
});

test('numbers that are not whole, not finite or no numbers, null and other words are refused', () => {
  refused({ users: 2.5 }, /a whole number/);
  for (const value of [NaN, Infinity, '3', null, true, [1]]) refused({ share: value }, /share must be a number/);
  for (const value of ['c', 1, null]) refused({ model: value }, /model must be one of a, b/);
});

test('an unknown parameter is named beside those that there are, also when it is called like something of Object', () => {
  refused({ user: 1 }, /^toy: unknown parameter "user"; there are: users, share, model\.$/);
  refused({ toString: 1 }, /unknown parameter "toString"/);
});

test('the help of each parameter says meaning, bounds and default', () => {
  assert.deepEqual(parameterHelp(table), {
    users: 'Most users, 1 … 64. Default 8.',
    share: 'Share of the time, 0 … 1. Default 0.5.',
    model: 'Which model, a or b. Default a.',
  });
});

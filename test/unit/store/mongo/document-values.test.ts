import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromStored, toStored } from '../../../../src/store/mongo/document-values.ts';

test('ordinary JSON is stored as it is', () => {
  const value = { name: 'x', list: [1, 'two', null, { three: true }], empty: {}, none: [] };
  assert.deepEqual(toStored(value), value);
});

test('what a database refuses is written differently and comes back the same', () => {
  const value = {
    'a.b': 1,
    $set: { '%array': [1] },
    '%2e': 2,
    'nul\0': 3,
    '': 4,
    matrix: [[1, [2]], [], [{ 'x.y': [[]] }]],
    numbers: [NaN, Infinity, -Infinity, 0.1],
    nan: NaN,
  };
  const stored = toStored(value);
  assert.deepEqual(fromStored(stored), value);
  const text = JSON.stringify(stored);
  assert.ok(!/"[^"]*[.$][^"]*":|\[\[|\],\[|null/.test(text), text);
});

test('values at the top come back too', () => {
  for (const value of [null, true, 'text', 3, NaN, [], [[]], [[1], [[2]]]]) {
    assert.deepEqual(fromStored(toStored(value)), value);
  }
});

test('undefined properties are left out', () => {
  assert.deepEqual(toStored({ a: undefined, b: 1 }), { b: 1 });
});

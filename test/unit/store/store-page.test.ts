import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionIndexes } from '../../../src/store/mongo/collections.ts';
import { documentedCollections } from './documented-collections.ts';

test('docs/store.md lists every collection with the indexes that migrate creates', async () => {
  const documented = (await documentedCollections()).map(({ name, indexes }) => [name, indexes] as const);
  const created = Object.entries(collectionIndexes).map(([name, indexes]) => [
    name,
    Object.fromEntries(indexes.map((index) => [index.name, asWritten(index.key, index.unique === true)])),
  ]);
  assert.deepEqual(Object.fromEntries(documented), {
    ...Object.fromEntries(created),
    'metricPoints_*': {},
    'controlDecisions_*': {},
  });
});

function asWritten(key: object, unique: boolean): string {
  const keys = Object.entries(key).map(([field, direction]) => `${field}: ${String(direction)}`);
  return `{ ${keys.join(', ')} }${unique ? ', unique' : ''}`;
}

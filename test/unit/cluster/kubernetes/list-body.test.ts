import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListBody } from '../../../../src/cluster/kubernetes/list-body.ts';

const tricky = [
  {
    metadata: {
      name: 'a',
      annotations: { json: '{"items":[{"x":"}]"}]}', path: 'C:\\', quote: '\\"', text: 'größer 🚢' },
    },
  },
  { metadata: { name: 'b', managedFields: [{ manager: 'kubectl "x" ]}\\', fieldsV1: { 'k:{"name":"c"}': [[]] } }] } },
  {
    metadata: { name: 'c', managedFields: [] },
    note: '"managedFields":[{"manager":"not this"}]',
    empty: {},
    list: [{}],
  },
];

function read(text: string, size: number, managedFields = true) {
  const body = new ListBody<unknown, unknown>((item) => item, managedFields);
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) body.write(bytes.subarray(from, from + size));
  return body.end();
}

test('items are what JSON.parse makes of the whole, wherever it is cut and in whatever order it is written', () => {
  const metadata = { resourceVersion: '7', continue: 'next "page" [1]', remainingItemCount: 3 };
  const lists = [
    { kind: 'List', apiVersion: 'v1', metadata, items: tricky },
    { apiVersion: 'v1', items: tricky, kind: 'List', metadata },
  ];
  for (const text of lists.flatMap((list) => [JSON.stringify(list), JSON.stringify(list, null, 2)])) {
    for (const size of [1, 2, 3, 7, 64, text.length * 2]) {
      assert.deepEqual(read(text, size), { kept: tricky, next: 'next "page" [1]' }, `parts of ${size} bytes`);
    }
  }
});

test('managed fields are left out without touching anything else', () => {
  const expected = structuredClone(tricky);
  expected[1].metadata.managedFields = [];
  const text = JSON.stringify({ items: tricky, metadata: {} });
  for (const size of [1, 10, 10_000]) assert.deepEqual(read(text, size, false), { kept: expected, next: undefined });
});

test('a list may be empty', () => {
  for (const text of ['{"items":[],"metadata":{}}', '{"metadata":{"continue":""},"items":null}', '{"items":[]}']) {
    assert.deepEqual(read(text, 4), { kept: [], next: undefined });
  }
});

test('what is no JSON is an error', () => {
  for (const text of ['<html>{}</html>', '', '{"items":[{"a":1}', '{"items":[{"a":}]}']) {
    assert.throws(() => read(text, 5), SyntaxError, text);
  }
});

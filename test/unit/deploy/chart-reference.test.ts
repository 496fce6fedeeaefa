import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { format } from 'prettier';
import { chartValues, rightsFile, withValuesTable } from '../../../scripts/chart-reference.ts';
import { requiredRights } from '../../../src/cluster/kubernetes/required-rights.ts';
import { packageVersion } from '../../../src/client/package-version.ts';

const chart = join(import.meta.dirname, '..', '..', '..', 'deploy', 'helm', 'coxswain');
const read = (name: string): string => readFileSync(join(chart, name), 'utf8');

test("the chart's rights are those that the code asks for (else run scripts/write-reference.ts)", () => {
  assert.equal(read('files/rights.json'), rightsFile(requiredRights));
});

test('no right is listed twice for one feature, and none is a wildcard', () => {
  const all = requiredRights.flatMap(({ apiGroup, resource, verbs, feature }) =>
    verbs.map((verb) => `${feature}: ${apiGroup}/${resource} ${verb}`),
  );
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.every((right) => !right.includes('*')));
});

test("the README's table is that of values.yaml (else run scripts/write-reference.ts)", async () => {
  const page = read('README.md');
  const expected = await format(withValuesTable(page, read('values.yaml')), { parser: 'markdown', printWidth: 120 });
  assert.equal(page, expected);
});

test('every value says what it is', () => {
  const values = chartValues(read('values.yaml'));
  assert.ok(values.length > 100);
  assert.deepEqual(
    values.filter(({ help }) => help === '').map(({ path }) => path),
    [],
  );
});

test('values are read with their paths, defaults and comments', () => {
  const text = [
    '# A text.',
    'a: x',
    'b:',
    '  # A number, on',
    '  # two lines.',
    '  c: 1',
    '  # A list.',
    '  d: [1]',
    '# A mapping as a whole.',
    'e: { f: 2 }',
  ];
  assert.deepEqual(chartValues(text.join('\n')), [
    { path: 'a', fallback: 'x', help: 'A text.' },
    { path: 'b.c', fallback: 1, help: 'A number, on two lines.' },
    { path: 'b.d', fallback: [1], help: 'A list.' },
    { path: 'e', fallback: { f: 2 }, help: 'A mapping as a whole.' },
  ]);
});

test('the chart has the version of the product', () => {
  const version = packageVersion();
  assert.match(read('Chart.yaml'), new RegExp(`^version: ${version}$`, 'm'));
  assert.match(read('Chart.yaml'), new RegExp(`^appVersion: ${version}$`, 'm'));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { algorithmsPage } from '../../../src/rl/algorithms-page.ts';
import { algorithms } from '../../../src/rl/algorithms/index.ts';
import { metricsPage } from '../../../src/rl/metrics.ts';

const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');

test('docs/metrics.md is what the table says (else run `node scripts/write-reference.ts`)', () => {
  assert.equal(page('metrics.md'), metricsPage());
});

test('docs/algorithms.md is what the algorithms say (else run `node scripts/write-reference.ts`)', () => {
  assert.equal(page('algorithms.md'), algorithmsPage(algorithms));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorTable } from '../../../src/contracts/errors.ts';
import { errorsPage } from '../../../src/spec/errors-page.ts';

test('docs/errors.md is what the error table says (else run `node scripts/write-reference.ts`)', () => {
  assert.equal(readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8'), errorsPage());
});

test('the page gives every code its status, whether it is retried, and what to do', () => {
  for (const [code, { status, retryable, help }] of Object.entries(errorTable)) {
    const section = errorsPage().split(`## ${code}\n`)[1].split('\n## ')[0];
    assert.match(section, new RegExp(`Status ${status}, ${retryable ? 'retryable' : 'not retryable'}\\.`));
    assert.ok(section.includes(help));
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import * as tf from '@tensorflow/tfjs-core';

import { gradients } from '../../../src/tensor/gradients/index.ts';
import { kernels } from '../../../src/tensor/kernels/index.ts';
import { kernelNotes } from '../../../src/tensor/kernels/notes.ts';
import { refusedKernels } from '../../../src/tensor/kernels/refused.ts';
import { operationsPage } from '../../../src/tensor/operations-page.ts';

test('docs/tensor/operations.md is what the code says (else run `node scripts/write-reference.ts`)', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/tensor/operations.md'), 'utf8');
  assert.equal(page, operationsPage());
});

/** TF.js exports the name of each operation under that name. */
const namesInTfjs = Object.entries(tf as unknown as Record<string, unknown>)
  .filter(([key, value]) => key === value)
  .map(([key]) => key);

test('every operation of TF.js is either compiled or refused with what to do', () => {
  assert.ok(namesInTfjs.length > 150, `only ${namesInTfjs.length} names found`);
  const decided = [...Object.keys(kernels), ...Object.keys(refusedKernels)];
  assert.deepEqual(decided.toSorted(), namesInTfjs.toSorted());
  for (const { reason, instead } of Object.values(refusedKernels)) assert.ok(reason && instead);
});

test('gradients and notes are those of operations that are compiled', () => {
  for (const name of [...Object.keys(gradients), ...Object.keys(kernelNotes)]) assert.ok(name in kernels, name);
});

test('the page has a row for each operation, with its gradient', () => {
  const page = operationsPage();
  assert.match(page, /\| Conv2D \| yes \| /);
  assert.match(page, /\| SearchSorted \| no \| /);
  for (const name of Object.keys(kernels))
    assert.ok(page.includes(`| ${name} | ${name in gradients ? 'yes' : 'no'} |`));
  for (const name of Object.keys(refusedKernels)) assert.ok(page.includes(`| ${name} | `));
});

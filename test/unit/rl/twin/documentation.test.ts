import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { scalingKinds } from '../../../../src/rl/environments/scaling-kinds.ts';
import { parseRunSpec } from '../../../../src/spec/run-spec.ts';
import { readRunSpecText } from '../../../../src/spec/run-spec-text.ts';

const page = readFileSync(new URL('../../../../docs/environments/twin.md', import.meta.url), 'utf8');

test('the RunSpec of the page is one, in an environment that needs a twin', () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(page)![1];
  const spec = parseRunSpec(readRunSpecText(text, 'yaml'));
  assert.equal(spec.collect.source.kind, 'cluster');
  assert.ok(scalingKinds[spec.environment.name].needsTwin);
});

test('the page says the default of fit.maxError', () => {
  assert.match(page, new RegExp(`The default of ${parseRunSpec({ version: 1, name: 'x' }).fit.maxError} stands`));
});

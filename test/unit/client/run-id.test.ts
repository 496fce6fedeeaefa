import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunId } from '../../../src/client/run-id.ts';

test('a run id carries name and UTC time, and differs from the next one', () => {
  const at = new Date('2026-03-01T10:15:00.999Z');
  assert.match(createRunId('shop', at), /^shop-20260301-101500-[0-9a-f]{4}$/);
  const ids = new Set(Array.from({ length: 20 }, () => createRunId('shop', at)));
  assert.ok(ids.size > 1);
});

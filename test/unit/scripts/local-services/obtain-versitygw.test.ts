import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { obtainVersitygw, versitygwVersion } from '../../../../scripts/local-services/obtain-versitygw.ts';

test('the pinned versitygw is the one that go.mod names', () => {
  const module = new URL('../../../../scripts/local-services/versitygw/go.mod', import.meta.url);
  const [, version] = /github\.com\/versity\/versitygw v(\S+)/.exec(readFileSync(module, 'utf8'))!;
  assert.equal(version, versitygwVersion);
});

test('without versitygw and Go the error says what was tried and the ways out', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'coxswain-versitygw-'));
  const path = process.env.PATH;
  process.env.PATH = cache;
  try {
    await assert.rejects(obtainVersitygw({ cache }), /there is no `go` on PATH\nWays out: install versitygw/);
  } finally {
    process.env.PATH = path;
    rmSync(cache, { recursive: true });
  }
});

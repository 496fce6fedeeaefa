import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cacheFolder, fillCache, findCached, withCacheLock } from '../../../../scripts/local-services/binary-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-cache-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const entry = { key: 'tool-1.2.3', program: 'tool' };

const writeProgram = (path: string) => writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });

test('the cache lies where COXSWAIN_CACHE says, else in the XDG cache folder', () => {
  assert.equal(cacheFolder({ COXSWAIN_CACHE: '/somewhere', XDG_CACHE_HOME: '/xdg' }), '/somewhere');
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/xdg' }), '/xdg/coxswain');
  assert.match(cacheFolder({}), /\/\.cache\/coxswain$/);
});

test('an entry is found after it was filled, under its version and platform', async () => {
  assert.equal(findCached(folder, entry), undefined);
  const path = await fillCache(folder, entry, async (draft) => writeProgram(join(draft, 'tool')));
  assert.equal(path, join(folder, `tool-1.2.3-${process.platform}-${process.arch}`, 'tool'));
  assert.equal(findCached(folder, entry), path);
  assert.equal(findCached(folder, { ...entry, key: 'tool-1.2.4' }), undefined);
});

test('a filling that fails, or leaves no program, leaves nothing in the cache', async () => {
  const other = { key: 'other-1', program: 'other' };
  await assert.rejects(
    fillCache(folder, other, async (draft) => {
      writeProgram(join(draft, 'other'));
      throw new Error('network');
    }),
    /network/,
  );
  await assert.rejects(
    fillCache(folder, other, async (draft) => writeFileSync(join(draft, 'other'), 'not executable')),
    /it left no program other/,
  );
  assert.equal(findCached(folder, other), undefined);
  assert.deepEqual(
    readdirSync(folder).filter((name) => /other|filling/.test(name)),
    [],
  );
});

test('two who obtain the same thing do it one after the other', async () => {
  const events: string[] = [];
  const work = (name: string) => () =>
    new Promise<void>((resolve) => {
      events.push(`${name} begins`);
      setTimeout(() => {
        events.push(`${name} ends`);
        resolve();
      }, 20);
    });
  const lines: string[] = [];
  const first = withCacheLock(folder, 'tool', () => undefined, work('first'));
  const second = withCacheLock(folder, 'tool', (line) => lines.push(line), work('second'));
  await Promise.all([first, second]);
  assert.deepEqual(events, ['first begins', 'first ends', 'second begins', 'second ends']);
  assert.match(lines.join(), /Waiting for process \d+, which is obtaining tool/);
});

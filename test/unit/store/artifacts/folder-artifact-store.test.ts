import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ArtifactReference } from '../../../../src/contracts/stores.ts';
import { referenceOf } from '../../../../src/store/artifacts/content-address.ts';
import { createFolderArtifactStore } from '../../../../src/store/artifacts/folder-artifact-store.ts';
import { artifactStoreSuite } from '../../../contracts/artifact-store-suite.ts';
import { refusedWith } from '../../../contracts/refused-with.ts';

function pathIn(folder: string, { sha256 }: ArtifactReference): string {
  return join(folder, 'sha256', sha256.slice(0, 2), sha256.slice(2));
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'coxswain-artifacts-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

artifactStoreSuite('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coxswain-artifacts-'));
  return {
    store: await createFolderArtifactStore(folder),
    damage: async (reference, bytes) => {
      await chmod(pathIn(folder, reference), 0o644);
      await writeFile(pathIn(folder, reference), bytes);
    },
    dispose: () => rm(folder, { recursive: true }),
  };
});

test('the bytes lie under sha256/ab/cdef…, read-only, and no draft is left', () =>
  inFolder(async (folder) => {
    const store = await createFolderArtifactStore(folder);
    const bytes = randomBytes(100);
    const reference = await store.put(bytes);
    assert.deepEqual(await readFile(pathIn(folder, reference)), bytes);
    assert.equal((await stat(pathIn(folder, reference))).mode & 0o222, 0);
    assert.deepEqual(await readdir(join(folder, 'drafts')), []);
  }));

test('bytes of the right length that are damaged are mended by putting them again', () =>
  inFolder(async (folder) => {
    const store = await createFolderArtifactStore(folder);
    const reference = await store.put(Buffer.from('good'));
    await rm(pathIn(folder, reference));
    await writeFile(pathIn(folder, reference), 'evil');
    await refusedWith('ARTIFACT_CORRUPT', store.get(reference));
    await store.put(Buffer.from('good'));
    assert.equal(Buffer.from(await store.get(reference)).toString(), 'good');
  }));

test('opening removes the drafts of dead writers and keeps those of living ones', () =>
  inFolder(async (folder) => {
    await createFolderArtifactStore(folder);
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const drafts = {
      dead: `${hostname()}.${dead}.0123abcd.0`,
      samePidEarlierProcess: `${hostname()}.${process.pid}.0123abcd.0`,
      livingProcess: `${hostname()}.${process.ppid}.0123abcd.0`,
      otherHost: `some.other.host.${dead}.0123abcd.0`,
      otherHostOld: `some.other.host.${dead}.0123abcd.1`,
    };
    for (const name of Object.values(drafts)) await writeFile(join(folder, 'drafts', name), 'half');
    const twoDaysAgo = new Date(Date.now() - 48 * 3_600_000);
    await utimes(join(folder, 'drafts', drafts.otherHostOld), twoDaysAgo, twoDaysAgo);
    await createFolderArtifactStore(folder);
    assert.deepEqual((await readdir(join(folder, 'drafts'))).sort(), [drafts.livingProcess, drafts.otherHost].sort());
  }));

test('a second store in the same process leaves the drafts of the first', () =>
  inFolder(async (folder) => {
    const store = await createFolderArtifactStore(folder);
    const puts = Array.from({ length: 20 }, () => store.put(randomBytes(200_000)));
    await createFolderArtifactStore(folder);
    const references = await Promise.all(puts);
    for (const reference of references) assert.equal(await store.has(reference), true);
  }));

test('a root that is gone is STORE_UNAVAILABLE, not an empty store, and is not made anew', () =>
  inFolder(async (folder) => {
    const root = join(folder, 'mounted');
    const store = await createFolderArtifactStore(root);
    const reference = await store.put(Buffer.from('here'));
    await rename(root, join(folder, 'away'));
    await refusedWith('STORE_UNAVAILABLE', store.get(reference));
    await refusedWith('STORE_UNAVAILABLE', store.has(reference));
    await refusedWith('STORE_UNAVAILABLE', store.put(Buffer.from('more')));
    assert.deepEqual(await readdir(folder), ['away']);
    await rename(join(folder, 'away'), root);
    assert.equal(await store.has(reference), true);
  }));

test('a folder that cannot be made is CONFIG_INVALID and named', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), '');
    const error = await refusedWith('CONFIG_INVALID', createFolderArtifactStore(join(folder, 'file', 'artifacts')));
    assert.ok(error.message.includes(join(folder, 'file', 'artifacts')), error.message);
  }));

test('a full disk is STORAGE_FULL and leaves nothing half-written', () =>
  inFolder(async (folder) => {
    const small = randomBytes(1_000);
    const large = randomBytes(100_000);
    await writeFile(join(folder, 'large'), large);
    await writeFile(join(folder, 'small'), small);
    const program = `
      import { readFile } from 'node:fs/promises';
      import { createFolderArtifactStore } from ${JSON.stringify(
        import.meta.resolve('../../../../src/store/artifacts/folder-artifact-store.ts'),
      )};
      const store = await createFolderArtifactStore('artifacts');
      const refused = await store.put(await readFile('large')).then(() => 'accepted', (error) => error.code);
      await store.put(await readFile('small'));
      process.stdout.write(refused);`;
    await writeFile(join(folder, 'put.mjs'), program);
    // The kernel refuses what goes beyond this file size after it has written a part, as a full disk does.
    const child = spawnSync('/bin/sh', ['-c', 'ulimit -f 32; exec "$0" put.mjs', process.execPath], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_V8_COVERAGE: '', NODE_OPTIONS: '' },
    });
    assert.equal(child.stdout, 'STORAGE_FULL', child.stderr);
    assert.deepEqual(await readdir(join(folder, 'artifacts', 'drafts')), []);
    const store = await createFolderArtifactStore(join(folder, 'artifacts'));
    assert.equal(await store.has(referenceOf(large)), false);
    assert.deepEqual(Buffer.from(await store.get(referenceOf(small))), small);
  }));

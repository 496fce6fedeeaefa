import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { ArtifactReference, ArtifactStore } from '../../src/contracts/stores.ts';
import { refusedWith } from './refused-with.ts';

/** An empty artifact store for one test. */
export interface OpenedArtifactStore {
  readonly store: ArtifactStore;
  /** Replaces the stored bytes behind the store's back. */
  damage(reference: ArtifactReference, bytes: Uint8Array): Promise<void>;
  dispose(): Promise<void>;
}

/** What every {@link ArtifactStore} must do, wherever it keeps the bytes. */
export function artifactStoreSuite(adapter: string, open: () => Promise<OpenedArtifactStore>): void {
  const it = (title: string, body: (opened: OpenedArtifactStore) => Promise<void>): void => {
    test(`${adapter}: ${title}`, async () => {
      const opened = await open();
      try {
        await body(opened);
      } finally {
        await opened.dispose();
      }
    });
  };

  it('bytes come back from their address', async ({ store }) => {
    const bytes = randomBytes(70_000);
    const reference = await store.put(bytes);
    assert.deepEqual(reference, { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: 70_000 });
    assert.deepEqual(Buffer.from(await store.get(reference)), bytes);
    assert.equal(await store.has(reference), true);
  });

  it('no bytes at all are an artifact too', async ({ store }) => {
    const reference = await store.put(new Uint8Array());
    assert.equal(reference.bytes, 0);
    assert.equal((await store.get(reference)).byteLength, 0);
  });

  it('a view into a larger buffer is stored without its neighbours', async ({ store }) => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6]);
    const reference = await store.put(buffer.subarray(2, 4));
    buffer.fill(0);
    assert.deepEqual([...(await store.get(reference))], [3, 4]);
  });

  it('putting the same bytes again, also at the same time, is one artifact', async ({ store }) => {
    const bytes = randomBytes(5_000);
    const references = await Promise.all(Array.from({ length: 6 }, () => store.put(bytes)));
    references.push(await store.put(bytes));
    assert.equal(new Set(references.map(({ sha256 }) => sha256)).size, 1);
    assert.deepEqual(Buffer.from(await store.get(references[0]!)), bytes);
  });

  it('what is not there is not found', async ({ store }) => {
    const absent = { sha256: 'ab'.repeat(32), bytes: 3 };
    assert.equal(await store.has(absent), false);
    await refusedWith('ARTIFACT_NOT_FOUND', store.get(absent));
  });

  it('an address that is not a SHA-256 reaches nothing', async ({ store }) => {
    for (const sha256 of ['', '../../etc/passwd', 'AB'.repeat(32), `${'ab'.repeat(31)}/.`]) {
      assert.equal(await store.has({ sha256, bytes: 3 }), false);
      await refusedWith('ARTIFACT_NOT_FOUND', store.get({ sha256, bytes: 3 }));
    }
  });

  it('damaged bytes are refused, longer, shorter or changed', async ({ store, damage }) => {
    const bytes = randomBytes(4_000);
    const reference = await store.put(bytes);
    for (const other of [Buffer.concat([bytes, bytes]), bytes.subarray(1), Buffer.alloc(4_000), Buffer.alloc(0)]) {
      await damage(reference, other);
      await refusedWith('ARTIFACT_CORRUPT', store.get(reference));
    }
  });

  it('a reference of another length is refused', async ({ store }) => {
    const reference = await store.put(randomBytes(100));
    await refusedWith('ARTIFACT_CORRUPT', store.get({ ...reference, bytes: 99 }));
    assert.equal(await store.has({ ...reference, bytes: 99 }), false);
  });

  it('putting the bytes again mends a truncated artifact', async ({ store, damage }) => {
    const bytes = randomBytes(3_000);
    const reference = await store.put(bytes);
    await damage(reference, bytes.subarray(0, 1_000));
    assert.equal(await store.has(reference), false);
    await store.put(bytes);
    assert.deepEqual(Buffer.from(await store.get(reference)), bytes);
  });
}

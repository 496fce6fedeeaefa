import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliasesOf, artifactDigest, clientId, fileDigest, manifestJson } from '../../../src/tracking/wandb-manifest.ts';

const hello = { name: 'm.bin', bytes: new TextEncoder().encode('hello'.repeat(10)) };

test("digests are those that W&B's own client 0.31.0 wrote for the same file", () => {
  assert.equal(fileDigest(hello.bytes), '8CaZvS3Eexdk+pAsGf63Zw==');
  assert.equal(artifactDigest([hello]), '9593d1a33e249f7adb65203179358abc');
});

test('the digest does not depend on the order of the files, and does depend on their names and bytes', () => {
  const other = { name: 'a.json', bytes: new TextEncoder().encode('{}') };
  assert.equal(artifactDigest([hello, other]), artifactDigest([other, hello]));
  assert.notEqual(artifactDigest([hello]), artifactDigest([{ ...hello, name: 'n.bin' }]));
  assert.notEqual(artifactDigest([hello]), artifactDigest([{ ...hello, bytes: other.bytes }]));
});

test('the manifest names each file with digest, size and artifact', () => {
  assert.deepEqual(JSON.parse(manifestJson('QXJ0', [hello])), {
    version: 1,
    storagePolicy: 'wandb-storage-policy-v1',
    storagePolicyConfig: { storageLayout: 'V2' },
    contents: { 'm.bin': { digest: '8CaZvS3Eexdk+pAsGf63Zw==', size: 50, birthArtifactID: 'QXJ0' } },
  });
});

test('latest is an alias of every version, once', () => {
  const model = { name: 'm', description: '', metadata: {}, files: [] };
  assert.deepEqual(aliasesOf({ ...model, aliases: ['champion'] }), ['champion', 'latest']);
  assert.deepEqual(aliasesOf({ ...model, aliases: ['latest'] }), ['latest']);
});

test('client ids have 128 characters and differ by their words', () => {
  assert.match(clientId('a', 'b'), /^[0-9a-f]{128}$/);
  assert.notEqual(clientId('a', 'b'), clientId('ab'));
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openArtifactStore } from '../../../../src/store/artifacts/open-artifact-store.ts';
import { refusedWith } from '../../../contracts/refused-with.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };

test('a path and a file address open a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coxswain-artifacts-'));
  try {
    for (const address of [join(folder, 'a'), pathToFileURL(join(folder, 'b')).href]) {
      const store = await openArtifactStore(address, null);
      assert.equal(await store.has(await store.put(Buffer.from('x'))), true);
    }
    assert.ok(existsSync(join(folder, 'a', 'sha256')) && existsSync(join(folder, 'b', 'sha256')));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an s3 address opens a bucket', async () => {
  const store = await openArtifactStore(
    's3://my-bucket/some/prefix?endpoint=http://127.0.0.1:9&region=eu-west-1&addressing=path',
    credentials,
  );
  assert.equal(await store.has({ sha256: 'not an address', bytes: 1 }), false);
});

for (const [title, address] of Object.entries({
  'with credentials before the host': 's3://AKIDEXAMPLE:wJalrXUtnFEMI@my-bucket/prefix',
  'with a key as parameter': 's3://my-bucket/prefix?secretAccessKey=wJalrXUtnFEMI',
  'with credentials in the endpoint': 's3://my-bucket?endpoint=http://AKIDEXAMPLE:wJalrXUtnFEMI@127.0.0.1:9',
  'with an unknown addressing': 's3://my-bucket?addressing=wJalrXUtnFEMI',
})) {
  test(`an s3 address ${title} is refused without repeating it`, async () => {
    const error = await refusedWith('CONFIG_INVALID', openArtifactStore(address, credentials));
    assert.ok(!error.message.includes('wJalrXUtnFEMI'), error.message);
  });
}

test('an s3 address without credentials is refused with the variables to set', async () => {
  const error = await refusedWith('CONFIG_INVALID', openArtifactStore('s3://my-bucket/prefix', null));
  assert.match(error.message, /AWS_ACCESS_KEY_ID/);
});

test('other addresses are refused', async () => {
  for (const address of [
    '',
    'https://my-bucket',
    'gs://my-bucket',
    's3://',
    's3://B',
    's3://my-bucket/a%20b',
    'file://host/folder',
  ]) {
    await refusedWith('CONFIG_INVALID', openArtifactStore(address, credentials));
  }
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import type { ArtifactReference, ArtifactStore } from '../../../../src/contracts/stores.ts';
import type { S3ArtifactStoreOptions } from '../../../../src/store/artifacts/s3-artifact-store.ts';
import { createS3ArtifactStore } from '../../../../src/store/artifacts/s3-artifact-store.ts';
import { artifactStoreSuite } from '../../../contracts/artifact-store-suite.ts';
import { refusedWith } from '../../../contracts/refused-with.ts';
import type { StrictS3Server } from './strict-s3-server.ts';
import { startStrictS3Server, strictBucket, strictCredentials, strictRegion } from './strict-s3-server.ts';

function storeAt(server: StrictS3Server, changes: Partial<S3ArtifactStoreOptions> = {}): ArtifactStore {
  return createS3ArtifactStore({
    endpoint: server.endpoint,
    bucket: strictBucket,
    prefix: '/team/run-artifacts/',
    region: strictRegion,
    credentials: strictCredentials,
    backoffMs: 1,
    tries: 3,
    ...changes,
  });
}

function keyOf({ sha256 }: ArtifactReference): string {
  return `team/run-artifacts/sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`;
}

function onServer(title: string, body: (server: StrictS3Server) => Promise<void>): void {
  test(title, async () => {
    const server = await startStrictS3Server();
    try {
      await body(server);
    } finally {
      await server.close();
    }
  });
}

artifactStoreSuite('S3, strict server', async () => {
  const server = await startStrictS3Server();
  return {
    store: storeAt(server),
    damage: async (reference, bytes) => void server.objects.set(keyOf(reference), Buffer.from(bytes)),
    dispose: () => server.close(),
  };
});

onServer('an object lies under prefix/sha256/ab/cdef… and is written once', async (server) => {
  const store = storeAt(server);
  const reference = await store.put(Buffer.from('once'));
  await store.put(Buffer.from('once'));
  assert.deepEqual([...server.objects.keys()], [keyOf(reference)]);
  assert.deepEqual(server.log, [`PUT ${keyOf(reference)}`, `PUT ${keyOf(reference)}`, `HEAD ${keyOf(reference)}`]);
});

onServer('an object with a wrong checksum is replaced by putting it again', async (server) => {
  const store = storeAt(server);
  const reference = await store.put(Buffer.from('good'));
  server.objects.set(keyOf(reference), Buffer.from('evil'));
  await store.put(Buffer.from('good'));
  assert.equal(server.objects.get(keyOf(reference))?.toString(), 'good');
});

onServer('a server that knows no conditions is written without them', async (server) => {
  server.withoutConditions = true;
  const store = storeAt(server);
  assert.equal(await store.has(await store.put(Buffer.from('x'))), true);
});

onServer('the bucket may be named in the host', async (server) => {
  const store = storeAt(server, {
    endpoint: `http://s3.example:${server.port}`,
    addressing: 'virtual-host',
    fetch: fetchWithHost(server.port),
  });
  const reference = await store.put(randomBytes(10));
  assert.equal((await store.get(reference)).byteLength, 10);
  assert.deepEqual([...server.objects.keys()], [keyOf(reference)]);
});

test('Amazon is asked at the host of bucket and region, a bucket with dots in the path', async () => {
  const asked: string[] = [];
  const fetch = async (url: unknown): Promise<Response> => {
    asked.push(String(url));
    return new Response(null, { status: 404 });
  };
  for (const bucket of ['my-bucket', 'my.bucket']) {
    const store = createS3ArtifactStore({
      endpoint: null,
      bucket,
      region: 'eu-west-1',
      credentials: strictCredentials,
      fetch,
    });
    assert.equal(await store.has({ sha256: 'ab'.repeat(32), bytes: 1 }), false);
  }
  const key = `sha256/ab/${'ab'.repeat(31)}`;
  assert.deepEqual(asked, [
    `https://my-bucket.s3.eu-west-1.amazonaws.com/${key}`,
    `https://s3.eu-west-1.amazonaws.com/my.bucket/${key}`,
  ]);
});

onServer('passing failures are tried again: 503, 429, a dropped connection, no answer', async (server) => {
  const store = storeAt(server, { tries: 5, attemptTimeoutMs: 300 });
  server.misbehaviours.push({ status: 503, code: 'SlowDown' }, { status: 429 }, 'drop', 'hang');
  const reference = await store.put(Buffer.from('in the end'));
  server.misbehaviours.push({ status: 500 });
  assert.equal(Buffer.from(await store.get(reference)).toString(), 'in the end');
});

onServer('a server that keeps failing is STORE_UNAVAILABLE after the attempts', async (server) => {
  const store = storeAt(server, { attemptTimeoutMs: 50 });
  server.misbehaviours.push({ status: 500 }, 'drop', 'hang');
  const error = await refusedWith('STORE_UNAVAILABLE', store.put(Buffer.from('x')));
  assert.match(error.message, /no answer in time \(3 attempts\)/);
  assert.equal(server.objects.size, 0);
});

test('a server that is not there is STORE_UNAVAILABLE', async () => {
  const server = await startStrictS3Server();
  await server.close();
  const error = await refusedWith('STORE_UNAVAILABLE', storeAt(server).put(Buffer.from('x')));
  assert.match(error.message, /ECONNREFUSED/);
});

onServer(
  'refused keys, bucket, region and redirects are CONFIG_INVALID at once, without the secret',
  async (server) => {
    const wrong: Partial<S3ArtifactStoreOptions>[] = [
      { credentials: { ...strictCredentials, secretAccessKey: 'not-the-secret' } },
      { credentials: { ...strictCredentials, sessionToken: null } },
      { bucket: 'another-bucket' },
      { region: 'eu-west-9' },
    ];
    for (const change of wrong) {
      const error = await refusedWith('CONFIG_INVALID', storeAt(server, change).put(Buffer.from('x')));
      assert.ok(!error.message.includes('secret'), error.message);
      await refusedWith('CONFIG_INVALID', storeAt(server, change).get({ sha256: 'ab'.repeat(32), bytes: 1 }));
    }
    server.misbehaviours.push({ status: 307, code: 'TemporaryRedirect' });
    await refusedWith('CONFIG_INVALID', storeAt(server).put(Buffer.from('x')));
    assert.equal(server.objects.size, 0);
  },
);

onServer('a full server is STORAGE_FULL', async (server) => {
  for (const misbehaviour of [{ status: 507 }, { status: 403, code: 'QuotaExceeded' }]) {
    server.misbehaviours.push(misbehaviour);
    await refusedWith('STORAGE_FULL', storeAt(server).put(Buffer.from('x')));
  }
  assert.equal(server.objects.size, 0);
});

test('options that cannot be used are refused', () => {
  const options = { endpoint: null, bucket: 'my-bucket', region: 'eu-west-1', credentials: strictCredentials };
  const wrong: Partial<S3ArtifactStoreOptions>[] = [
    { bucket: 'My_Bucket' },
    { bucket: 'evil.example/' },
    { region: 'evil.example#' },
    { prefix: '../other' },
    { prefix: 'a b' },
    { endpoint: 'ftp://127.0.0.1' },
    { endpoint: 'http://user:password@127.0.0.1' },
  ];
  for (const change of wrong) {
    assert.throws(() => createS3ArtifactStore({ ...options, ...change }), { code: 'CONFIG_INVALID' });
  }
});

/** A fetch that connects to loopback and names the URL's host, as if a resolver pointed there. */
function fetchWithHost(port: number): typeof globalThis.fetch {
  return (input, init) =>
    new Promise((resolve, reject) => {
      const url = new URL(String(input));
      const headers = { ...Object.fromEntries(new Headers(init?.headers)), host: url.host };
      const sent = httpRequest({ port, host: '127.0.0.1', path: url.pathname, method: init?.method, headers });
      sent.on('error', reject);
      sent.on('response', (received) => {
        const chunks: Buffer[] = [];
        received.on('data', (chunk: Buffer) => chunks.push(chunk));
        received.on('end', () =>
          resolve(
            new Response(Buffer.concat(chunks), {
              status: received.statusCode,
              headers: received.headersDistinct as never,
            }),
          ),
        );
      });
      sent.end(init?.body as Uint8Array | undefined);
    });
}

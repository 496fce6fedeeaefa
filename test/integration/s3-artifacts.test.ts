import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { freePorts } from '../../scripts/local-services/free-port.ts';
import { obtainVersitygw } from '../../scripts/local-services/obtain-versitygw.ts';
import type { OwnedProgram } from '../../scripts/local-services/owned-program.ts';
import { startOwnedProgram } from '../../scripts/local-services/owned-program.ts';
import { untilReady } from '../../scripts/local-services/readiness.ts';
import { findOnPath } from '../../scripts/local-services/run-to-end.ts';
import type { ArtifactReference, ArtifactStore } from '../../src/contracts/stores.ts';
import type { S3ArtifactStoreOptions } from '../../src/store/artifacts/s3-artifact-store.ts';
import { createS3ArtifactStore } from '../../src/store/artifacts/s3-artifact-store.ts';
import { artifactStoreSuite } from '../contracts/artifact-store-suite.ts';
import { refusedWith } from '../contracts/refused-with.ts';

const bucket = 'artifacts';
const region = 'eu-central-1';
const credentials = { accessKeyId: 'root-of-test', secretAccessKey: randomUUID() };

const program = await obtainVersitygw().catch((error: unknown) => {
  if (findOnPath('go') !== undefined) throw error;
  return null;
});

if (program === null) {
  test('S3 on a real server', { skip: 'optional: neither versitygw nor Go, which builds it, is on PATH' }, () => {});
} else {
  await testsOn(program);
}

async function testsOn(program: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-s3-'));
  mkdirSync(join(folder, 'data', bucket), { recursive: true });
  mkdirSync(join(folder, 'metadata'));
  const [port] = await freePorts([undefined]);
  let server = await startServer(program, folder, port!);
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  const storeWith = (changes: Partial<S3ArtifactStoreOptions> = {}): ArtifactStore =>
    createS3ArtifactStore({
      endpoint: `http://127.0.0.1:${port}`,
      bucket,
      region,
      credentials,
      tries: 2,
      backoffMs: 10,
      ...changes,
    });

  artifactStoreSuite('S3 on versitygw', async () => {
    const prefix = `suite/${randomUUID()}`;
    return {
      store: storeWith({ prefix }),
      damage: async (reference, bytes) => writeFileSync(fileOf(folder, prefix, reference), bytes),
      dispose: async () => {},
    };
  });

  test('an object is a file under prefix/sha256/ab/cdef…', async () => {
    const bytes = randomBytes(2_000_000);
    const reference = await storeWith({ prefix: 'team/a' }).put(bytes);
    assert.deepEqual(readFileSync(fileOf(folder, 'team/a', reference)), bytes);
  });

  test('the real server refuses wrong keys, a wrong region and an unknown bucket as CONFIG_INVALID', async () => {
    const wrong: Partial<S3ArtifactStoreOptions>[] = [
      { credentials: { ...credentials, secretAccessKey: 'another' } },
      { credentials: { ...credentials, accessKeyId: 'nobody' } },
      { region: 'us-west-2' },
      { bucket: 'no-such-bucket' },
    ];
    for (const change of wrong) {
      await refusedWith('CONFIG_INVALID', storeWith(change).put(Buffer.from('x')));
      await refusedWith('CONFIG_INVALID', storeWith(change).get({ sha256: 'ab'.repeat(32), bytes: 1 }));
    }
    assert.ok(!readdirSync(join(folder, 'data', bucket)).includes('sha256'));
  });

  test('while the server is away the store is STORE_UNAVAILABLE, afterwards it works', async () => {
    const store = storeWith({ prefix: 'away' });
    const reference = await store.put(Buffer.from('before'));
    await server.kill();
    await refusedWith('STORE_UNAVAILABLE', store.get(reference));
    await refusedWith('STORE_UNAVAILABLE', store.put(Buffer.from('meanwhile')));
    server = await startServer(program, folder, port!);
    assert.equal(Buffer.from(await store.get(reference)).toString(), 'before');
    await store.put(Buffer.from('meanwhile'));
  });
}

function fileOf(folder: string, prefix: string, { sha256 }: ArtifactReference): string {
  return join(folder, 'data', bucket, prefix, 'sha256', sha256.slice(0, 2), sha256.slice(2));
}

async function startServer(program: string, folder: string, port: number): Promise<OwnedProgram> {
  const server = await startOwnedProgram({
    name: 'versitygw',
    command: program,
    args: [
      ...['--port', `127.0.0.1:${port}`, '--region', region, '--health', '/health', '--quiet'],
      ...['posix', '--sidecar', join(folder, 'metadata'), join(folder, 'data')],
    ],
    environment: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    logFile: join(folder, 'versitygw.log'),
    recordsFolder: join(folder, 'records'),
  });
  const answers = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  await untilReady('versitygw', server, answers, 30_000);
  return server;
}

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import { createMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { MongoClient } from 'mongodb';
import { someDecision, someDeployment } from '../contracts/control-fixtures.ts';
import { openWorkflowServer } from '../workflows/workflow-server.ts';
import { assertNoSecrets, searchSecrets } from './planted-secrets.ts';

const secret = { name: 'token', value: 'geheim/+Schlüssel-4711' };
const other = { name: 'other', value: 'another-one-entirely' };

test('a secret is found in every encoding that is still readable, and nothing else is', async () => {
  const bytes = Buffer.from(secret.value);
  const texts = {
    plain: `Authorization: Bearer ${secret.value}`,
    nested: { list: [{ deep: new Map([['key', secret.value]]) }] },
    name: { [secret.value]: 1 },
    base64: [0, 1, 2].map((before) => Buffer.concat([Buffer.alloc(before, 120), bytes]).toString('base64')),
    basic: Buffer.from(`user:${secret.value}`).toString('base64url'),
    hexadecimal: bytes.toString('hex').toUpperCase(),
    percent: encodeURIComponent(secret.value),
    json: JSON.stringify({ token: secret.value }),
    bytes: gzipSync(secret.value),
    error: new CoxswainError('INTERNAL', 'x', { cause: new Error(`no ${secret.value}`) }),
    innocent: 'geheim, another Schlüssel 4711',
  };
  const { found } = await searchSecrets([secret, other], { texts });
  const expected = Object.keys(texts)
    .filter((name) => name !== 'innocent')
    .map((name) => `${name}: token`);
  assert.deepEqual([...found].sort(), expected.sort());
  for (const [index, text] of texts.base64.entries()) {
    assert.equal((await searchSecrets([secret], { texts: { text } })).found.length, 1, `offset ${index}`);
  }
});

test('a secret is found in documents, also packed ones, and in files and pages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-secrets-'));
  const services = await testServices();
  const database = uniqueName('secrets');
  const store = createMongoStore({ url: services.mongoUrl, database });
  const server = createServer((_, response) => response.end(`requests{token="${secret.value}"} 1`)).listen(0);
  await once(server, 'listening');
  try {
    await store.migrate();
    await store.control.openDeployment(someDeployment('d'));
    await store.control.writeDecision({ ...someDecision('d', 0), problems: [`401 for ${secret.value}`] });
    mkdirSync(join(folder, 'logs'));
    writeFileSync(join(folder, 'logs', 'worker.log'), `starting\n${secret.value}\n`);
    const page = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics` };
    const mongo = { url: services.mongoUrl, database };
    const places = { mongo, files: [folder], pages: [page] };
    const { found, documents, files, pages } = await searchSecrets([secret], places);
    assert.deepEqual([found.length, files, pages], [3, 1, 1], found.join('\n'));
    assert.ok(documents > 3);
    assert.ok(found.some((place) => place.startsWith('controlDecisions_')));
    await assert.rejects(assertNoSecrets([secret], places), /planted secrets were found/);
    assert.equal((await assertNoSecrets([other], places)).found.length, 0);
  } finally {
    server.close();
    const client = new MongoClient(services.mongoUrl);
    await client.db(database).dropDatabase();
    await client.close();
    await store.close();
    await services.stop();
    rmSync(folder, { recursive: true });
  }
});

test('a secret is found in the input and the memo of a workflow', async () => {
  const server = await openWorkflowServer();
  try {
    const start = (workflowId: string, input: string, memo: string) =>
      server.client.workflow.start('nobodysWorkflow', {
        workflowId,
        taskQueue: 'nobody',
        args: [{ deep: [input] }],
        memo: { note: memo },
      });
    await start('innocent', 'x', 'x');
    await start('by-input', secret.value, 'x');
    await start('by-memo', 'x', secret.value);
    let found: readonly string[] = [];
    // The list of workflows lags.
    for (let tries = 0; tries < 50 && !['by-input', 'by-memo'].every((id) => found.join().includes(id)); tries++) {
      ({ found } = await searchSecrets([secret, other], { temporal: server.client }));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(
      found.includes('history of by-input: token') && found.includes('history of by-memo: token'),
      found.join(),
    );
    assert.ok(!found.join().includes('innocent'));
  } finally {
    await server.close();
  }
});

test('a place that is empty, and a secret that is too short, are no success', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-secrets-'));
  await assert.rejects(assertNoSecrets([secret], { files: [folder] }), /no file to search/);
  await assert.rejects(assertNoSecrets([{ name: 'short', value: 'abc' }], {}), /too short/);
  rmSync(folder, { recursive: true });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { MongoClient } from 'mongodb';
import { cleanUpLeftovers } from '../../scripts/local-services/leftovers.ts';
import { startServices } from '../../scripts/local-services/start-services.ts';
import { startPrivateMongo, startPrivateTemporal, uniqueName } from '../../scripts/local-services/test-services.ts';
import { startedAt } from '../../scripts/process-identity.mjs';

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-services-'));
  folders.push(folder);
  return folder;
}

function records(dataFolder: string) {
  const folder = join(dataFolder, 'records');
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; waited < 200 && startedAt(pid) !== undefined; waited++) await sleep(50);
  assert.equal(startedAt(pid), undefined, `process ${pid} still runs`);
}

test('data of both servers survive an orderly stop and a new start on other ports', async (context) => {
  const dataFolder = newFolder();
  const first = await startServices({ dataFolder, environment: {} });
  context.after(() => first.stop());
  const workflowId = uniqueName('survivor');
  const connection = await Connection.connect({ address: first.temporalAddress });
  await new Client({ connection }).workflow.start('anyWorkflow', { taskQueue: 'nobody', workflowId });
  await connection.close();
  const client = new MongoClient(first.mongoUrl);
  await client.db('kept').collection('things').insertOne({ name: 'survivor' });
  await client.close();
  const pids = records(dataFolder).map((record) => record.program.pid as number);
  assert.equal(pids.length, 2);
  await first.stop();
  await Promise.all(pids.map(untilGone));
  assert.deepEqual(records(dataFolder), []);

  const second = await startServices({ dataFolder, environment: {} });
  context.after(() => second.stop());
  const reconnection = await Connection.connect({ address: second.temporalAddress });
  const description = await new Client({ connection: reconnection }).workflow.getHandle(workflowId).describe();
  assert.equal(description.status.name, 'RUNNING');
  await reconnection.close();
  const again = new MongoClient(second.mongoUrl);
  assert.equal(await again.db('kept').collection('things').countDocuments({ name: 'survivor' }), 1);
  await again.close();
});

test('servers that the environment names are used and not stopped', async (context) => {
  const temporal = await startPrivateTemporal();
  context.after(() => temporal.stop());
  const mongo = await startPrivateMongo();
  context.after(() => mongo.stop());
  const dataFolder = newFolder();
  const services = await startServices({
    dataFolder,
    environment: { TEMPORAL_ADDRESS: temporal.temporalAddress, MONGODB_URL: mongo.mongoUrl },
  });
  assert.equal(services.temporalAddress, temporal.temporalAddress);
  assert.equal(services.temporalUiUrl, undefined);
  assert.equal(services.mongoUrl, mongo.mongoUrl);
  assert.equal(existsSync(join(dataFolder, 'records')), false);
  await services.stop();
  const client = new MongoClient(mongo.mongoUrl);
  assert.equal((await client.db('admin').command({ ping: 1 })).ok, 1);
  await client.close();
  await (await Connection.connect({ address: temporal.temporalAddress })).close();
});

test('a wrong MONGODB_URL is an error that names the variable', async () => {
  await assert.rejects(
    startServices({
      dataFolder: newFolder(),
      environment: { TEMPORAL_ADDRESS: '127.0.0.1:1', MONGODB_URL: 'mongodb://127.0.0.1:1' },
    }),
    /MONGODB_URL is set, but the server there does not answer/,
  );
});

test('the Web UI answers at its address', async (context) => {
  const temporal = await startPrivateTemporal();
  context.after(() => temporal.stop());
  const page = await fetch(temporal.temporalUiUrl);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<html/i);
});

test('a private server comes back on its port with its data after a crash', async (context) => {
  const mongo = await startPrivateMongo();
  context.after(() => mongo.stop());
  const client = new MongoClient(mongo.mongoUrl, { serverSelectionTimeoutMS: 5_000 });
  await client.db('kept').collection('things').insertOne({ name: 'survivor' });
  await mongo.kill();
  await mongo.restart();
  assert.equal(await client.db('kept').collection('things').countDocuments({ name: 'survivor' }), 1);
  await client.close();
});

const startsServices = `
  import { startServices } from '${join(import.meta.dirname, '../../scripts/local-services/start-services.ts')}';
  await startServices({ dataFolder: process.argv[1], environment: {} });
  console.log('up');
  setInterval(() => undefined, 1000);
`;

/** A process of its own that started both servers; what it owns is in its data folder's records. */
async function startInOtherProcess(dataFolder: string) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', startsServices, dataFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

test('kill -9 of the process that started them ends both servers and their keepers', async () => {
  const dataFolder = newFolder();
  const child = await startInOtherProcess(dataFolder);
  const all = records(dataFolder).flatMap((record) => [record.program.pid, record.keeper.pid] as number[]);
  assert.equal(all.length, 4);
  child.kill('SIGKILL');
  await Promise.all(all.map(untilGone));
});

test('when the keepers are killed as well, the next start ends what they left, and nothing else', async (context) => {
  const dataFolder = newFolder();
  const bystander = await startPrivateMongo();
  context.after(() => bystander.stop());
  const child = await startInOtherProcess(dataFolder);
  const left = records(dataFolder);
  // The keepers first: a living one would end its server as soon as the starter is gone.
  for (const record of left) process.kill(record.keeper.pid, 'SIGKILL');
  child.kill('SIGKILL');
  await Promise.all([child.pid ?? 0, ...left.map((record) => record.keeper.pid as number)].map(untilGone));
  await cleanUpLeftovers(join(dataFolder, 'records'));
  for (const record of left) assert.equal(startedAt(record.program.pid), undefined, `${record.name} still runs`);
  assert.deepEqual(records(dataFolder), []);
  const client = new MongoClient(bystander.mongoUrl);
  assert.equal((await client.db('admin').command({ ping: 1 })).ok, 1);
  await client.close();
});

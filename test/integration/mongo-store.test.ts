import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import type { Db } from 'mongodb';
import { BSON, MongoClient } from 'mongodb';
import { sharedServersVariables, startPrivateMongo, uniqueName } from '../../scripts/local-services/test-services.ts';
import type { Store } from '../../src/contracts/stores.ts';
import type { DeploymentDocument, RunDocument, WorkloadClaimDocument } from '../../src/store/mongo/collections.ts';
import { collectionIndexes } from '../../src/store/mongo/collections.ts';
import { createMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { someDecision, someDeployment, someSummary } from '../contracts/control-fixtures.ts';
import {
  moment,
  newRun,
  newVersion,
  point,
  reference,
  someRecording,
  someReport,
} from '../contracts/store-fixtures.ts';
import { refusedWith } from '../contracts/refused-with.ts';
import { storeSuite } from '../contracts/store-suite.ts';
import { documentedCollections } from '../unit/store/documented-collections.ts';

const own = process.env[sharedServersVariables.mongoUrl] ? null : await startPrivateMongo();
const url = own?.mongoUrl ?? process.env[sharedServersVariables.mongoUrl]!;
after(() => own?.stop());

/** A database of one test's own. */
async function inDatabase(body: (store: Store, db: Db, database: string) => Promise<void>): Promise<void> {
  const database = uniqueName('store');
  const store = createMongoStore({ url, database });
  const client = new MongoClient(url);
  try {
    await body(store, client.db(database), database);
  } finally {
    await client.db(database).dropDatabase();
    await client.close();
    await store.close();
  }
}

storeSuite('MongoDB', async () => {
  const database = uniqueName('store');
  const store = createMongoStore({ url, database });
  await store.migrate();
  const dispose = async (): Promise<void> => {
    const client = new MongoClient(url);
    await client.db(database).dropDatabase();
    await client.close();
    await store.close();
  };
  return { store, dispose };
});

test('several processes that migrate a new database at once leave every index, and one record of each migration', () =>
  inDatabase(async (store, db, database) => {
    const others = [1, 2, 3].map(() => createMongoStore({ url, database }));
    const migrated = await Promise.allSettled([store, ...others].map((each) => each.migrate()));
    await Promise.all(others.map((each) => each.close()));
    for (const result of migrated)
      assert.equal(result.status, 'fulfilled', String(result.status === 'rejected' && result.reason));
    for (const [name, wanted] of Object.entries(collectionIndexes)) {
      const indexes = await db.collection(name).listIndexes().toArray();
      const found = indexes
        .filter((index) => index['name'] !== '_id_')
        .map(({ name, key, unique }) => ({ name, key, unique }));
      const expected = wanted.map(({ name, key, unique }) => ({ name, key, unique }));
      const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
      assert.deepEqual(found.sort(byName), expected.sort(byName), name);
    }
    assert.equal(await db.collection('migrations').countDocuments(), 2);
  }));

test('the documents have the fields that docs/store.md lists, no more and no fewer', () =>
  inDatabase(async (store, db) => {
    await store.migrate();
    await exerciseAll(store);
    const found = new Map<string, Set<string>>();
    for (const { name } of await db.listCollections().toArray()) {
      const documented = name.replace(/^(metricPoints|controlDecisions)_[0-9a-f]{2}$/, '$1_*');
      const fields = found.get(documented) ?? found.set(documented, new Set()).get(documented)!;
      for (const document of await db.collection(name).find().toArray()) {
        for (const field of Object.keys(document)) fields.add(field);
      }
    }
    for (const { name, fields } of await documentedCollections()) {
      assert.deepEqual([...(found.get(name) ?? [])].sort(), [...fields].sort(), name);
      found.delete(name);
    }
    assert.deepEqual([...found.keys()], [], 'collections that docs/store.md does not describe');
  }));

test('a run whose end was written by a process that died at once is over everywhere', () =>
  inDatabase(async (store, db) => {
    const { runs } = store;
    await store.migrate();
    for (const id of ['r1', 'r2']) await runs.createRun(newRun(id));
    await runs.finishRun('r1', ending('r1'));
    const behind = { status: 'running' as const, finishedAt: null };
    await db.collection<{ _id: string }>('runs').updateOne({ _id: 'r1' }, { $set: behind });
    await runs.recordStep('r1', {
      status: 'running',
      step: 'evaluate',
      stepStatus: 'running',
      summary: '',
      at: moment(9),
    });
    const run = await runs.getRun('r1');
    assert.equal(run?.status, 'cancelled');
    assert.equal(run?.steps[3]?.status, 'pending');
    const ids = async (status: 'running' | 'cancelled', limit?: number): Promise<string[]> =>
      (await runs.listRuns({ status, limit })).map(({ runId }) => runId);
    assert.deepEqual(await ids('running'), ['r2']);
    assert.deepEqual(await ids('cancelled'), ['r1']);
    assert.deepEqual(
      (await runs.listRuns({})).map(({ status }) => status),
      ['running', 'cancelled'],
    );
    await runs.finishRun('r1', ending('r1'));
    assert.equal((await db.collection<RunDocument>('runs').findOne({ _id: 'r1' }))?.status, 'cancelled');
  }));

test('a page of going runs is filled when some of them turn out to be over', () =>
  inDatabase(async (store, db) => {
    await store.migrate();
    for (const [index, id] of ['a', 'b', 'c', 'd', 'e'].entries()) await store.runs.createRun(newRun(id, index));
    for (const id of ['e', 'c']) await store.runs.finishRun(id, ending(id));
    await db.collection('runs').updateMany({}, { $set: { status: 'running', finishedAt: null } });
    const page = await store.runs.listRuns({ status: 'running', limit: 2 });
    assert.deepEqual(
      page.map(({ runId }) => runId),
      ['d', 'b'],
    );
  }));

test('an alias move by a process that died at once counts everywhere, and the next one follows it', () =>
  inDatabase(async (store, db) => {
    const { models } = store;
    await store.migrate();
    for (const run of ['r1', 'r2']) await models.registerVersion(newVersion('m', run));
    const move = { model: 'm', alias: 'champion', from: null, to: 1, runId: 'r1', at: moment(1) };
    await db.collection<{ _id: string }>('aliasMoves').insertOne({ ...move, _id: '["m","champion",1]' });
    assert.equal((await models.getVersion('m', 'champion'))?.version, 1);
    assert.deepEqual(await models.aliasHistory('m'), [move]);
    assert.deepEqual((await models.listModels())[0]?.aliases, { champion: 1 });
    await models.moveAlias({ model: 'm', alias: 'champion', expected: 1, to: 2, runId: 'r2', at: moment(2) });
    assert.deepEqual(
      (await models.aliasHistory('m')).map(({ from, to }) => [from, to]),
      [
        [null, 1],
        [1, 2],
      ],
    );
  }));

test('a superseded ledger revision keeps its number and loses its content', () =>
  inDatabase(async (store, db) => {
    const ledgers = store.trackingLedgers;
    let revision: number | null = null;
    for (let sent = 0; sent < 5; sent++) revision = await ledgers.writeLedger('k', revision, { sent });
    const stored = await db.collection<{ _id: string }>('trackingLedgers').find().sort({ _id: 1 }).toArray();
    assert.deepEqual(
      stored.map((entry) => 'document' in entry),
      [false, false, false, true, true],
    );
  }));

test('a key whose revisions were removed starts anew, also for who remembers them', () =>
  inDatabase(async (store, db) => {
    const at = { runId: 'r1', series: 's', step: 5, artifact: reference('1'), fence: 1 };
    await store.checkpoints.saveCheckpoint(at);
    await store.checkpoints.saveCheckpoint({ ...at, step: 6 });
    await db.collection('checkpoints').deleteMany({ runId: 'r1' });
    assert.equal(await store.checkpoints.latestCheckpoint('r1', 's'), null);
    await store.checkpoints.saveCheckpoint(at);
    assert.deepEqual(await store.checkpoints.latestCheckpoint('r1', 's'), at);
  }));

test('a deployment whose process died while it claimed workloads has none of them', { timeout: 30_000 }, () =>
  inDatabase(async ({ control }, db) => {
    const opening = { name: 'dead', phase: 'opening', opening: 1, record: null, openedAt: null, closedAt: null };
    const claim = { workload: 'shop/a', deployment: 'dead', opening: 1 };
    await db.collection<{ _id: string }>('deployments').insertOne({ ...opening, _id: '["dead",1]' });
    await db.collection<{ _id: string }>('workloadClaims').insertOne({ ...claim, _id: '["shop/a",1]' });
    assert.equal(await control.getDeployment('dead'), null);
    await Promise.all([
      control.openDeployment(someDeployment('one', ['a'])),
      control.openDeployment(someDeployment('two', ['b'])),
    ]);
    const held = await refusedWith('WORKLOAD_CLAIMED', control.openDeployment(someDeployment('dead', ['a', 'c'])));
    assert.match(held.message, /one steers shop\/a/);
    await control.openDeployment(someDeployment('dead', ['c']));
  }),
);

test('the attempt after a killed opening of the same deployment opens it', { timeout: 30_000 }, () =>
  inDatabase(async ({ control }, db) => {
    await control.openDeployment(someDeployment('d', ['a']));
    await control.closeDeployment('d', { status: 'stopped', failure: null, at: moment(9) });
    const deployments = db.collection<DeploymentDocument>('deployments');
    const last = await deployments.findOne({ _id: '["d",3]' });
    await deployments.insertOne({ ...last!, phase: 'opening', opening: 4, _id: '["d",4]' });
    assert.equal((await control.getDeployment('d'))?.status, 'stopped');
    await control.openDeployment(someDeployment('d', ['a'], 50));
    assert.deepEqual((await control.getDeployment('d'))?.openedAt, moment(50));
    await refusedWith('WORKLOAD_CLAIMED', control.openDeployment(someDeployment('e', ['a'])));
  }),
);

test('an opening that somebody closed in the middle begins again and holds what it claims', { timeout: 30_000 }, () =>
  inDatabase(async ({ control }, db) => {
    const others = db.collection<DeploymentDocument>('deployments');
    const closing: Omit<DeploymentDocument, '_id'> = {
      name: 'd',
      phase: 'closed',
      opening: 1,
      record: null,
      openedAt: null,
      closedAt: null,
    };
    // Takes the place of `running` before the opening gets there.
    await others.insertOne({ ...closing, _id: '["d",2]' });
    await control.openDeployment(someDeployment('d', ['a']));
    assert.equal((await control.getDeployment('d'))?.status, 'running');
    assert.equal((await others.findOne({ _id: '["d",4]' }))?.phase, 'running');
    const claim = await db.collection<WorkloadClaimDocument>('workloadClaims').findOne({ _id: '["shop/a",2]' });
    assert.equal(claim?.opening, 3);
  }),
);

test('a block of steps that nothing was written into does not hide the last decision', () =>
  inDatabase(async ({ control }, db) => {
    await control.writeDecision(someDecision('d', 300));
    const blocks = db.collection<{ _id: string }>('controlBlocks');
    await blocks.insertOne({ deployment: 'd', block: 9, _id: '["d",2]' } as never);
    assert.equal((await control.latestDecision('d'))?.step, 300);
    assert.deepEqual(await control.readDecisions({ deployment: 'd' }), [someDecision('d', 300)]);
  }));

test('a step of 11 services takes less than 5 KB, as docs/store.md says', () =>
  inDatabase(async ({ control }, db) => {
    await control.writeDecision(someDecision('d', 40_000));
    await control.completeDecision('d', 40_000, {
      result: someDecision('d', 1).proposals.map(({ workload, replicas }) => ({
        workload,
        outcome: 'already',
        replicas,
        detail: '',
      })),
      summary: someSummary('d', 40_000),
    });
    const names = (await db.listCollections().toArray()).map(({ name }) => name);
    const collection = db.collection(names.find((name) => name.startsWith('controlDecisions_'))!);
    const sizes = (await collection.find().toArray()).map((document) => BSON.calculateObjectSize(document));
    assert.equal(sizes.length, 2);
    const bytes = sizes[0]! + sizes[1]!;

    assert.ok(bytes > 2_000 && bytes < 5_000, `${bytes} bytes`);
  }));

test('expired nonces are dropped, others are not', () =>
  inDatabase(async (_, db, database) => {
    let now = moment(0);
    const store = createMongoStore({ url, database, now: () => now });
    await store.nonces.useNonce('short', moment(30));
    await store.nonces.useNonce('long', moment(300));
    now = moment(100);
    await store.nonces.useNonce('another', moment(400));
    const left = await db.collection<{ _id: string }>('nonces').find().toArray();
    await store.close();
    assert.deepEqual(left.map(({ _id }) => _id).sort(), ['another', 'long']);
  }));

test(
  'while the server is away operations are refused, afterwards they work on the same client',
  { timeout: 60_000 },
  async () => {
    const server = await startPrivateMongo();
    const store = createMongoStore({ url: server.mongoUrl, database: 'away', serverSelectionTimeoutMs: 500 });
    try {
      await store.migrate();
      await store.runs.createRun(newRun('r1'));
      await store.metrics.appendPoints([point('r1', 's', 1)]);
      await server.kill();
      await refusedWith('STORE_UNAVAILABLE', store.runs.getRun('r1'));
      await refusedWith('STORE_UNAVAILABLE', store.metrics.appendPoints([point('r1', 's', 2)]));
      const error = await refusedWith('STORE_UNAVAILABLE', store.ping());
      assert.ok(error.retryable && error.message.includes(new URL(server.mongoUrl).host), error.message);
      await server.restart();
      await store.ping();
      await store.metrics.appendPoints([point('r1', 's', 1), point('r1', 's', 2)]);
      assert.equal((await store.runs.getRun('r1'))?.status, 'running');
      assert.deepEqual(
        (await store.metrics.readPoints({ runId: 'r1' })).map(({ step }) => step),
        [1, 2],
      );
    } finally {
      await store.close();
      await server.stop();
    }
  },
);

test('a server that stops answering is given up on', { timeout: 30_000 }, async () => {
  const proxy = await startFreezableProxy(Number(new URL(url).port));
  const database = uniqueName('store');
  const store = createMongoStore({ url: proxy.url, database, serverSelectionTimeoutMs: 400, socketTimeoutMs: 400 });
  try {
    await store.ping();
    proxy.freeze();
    await refusedWith('STORE_UNAVAILABLE', store.runs.createRun(newRun('r1')));
    await refusedWith('STORE_UNAVAILABLE', store.runs.getRun('r1'));
  } finally {
    await store.close();
    proxy.close();
  }
});

test('a closed store refuses and does not connect again', async () => {
  const store = createMongoStore({ url, database: 'closed' });
  await store.ping();
  await store.close();
  await refusedWith('STORE_UNAVAILABLE', store.ping());
});

test('no message repeats the password of the address', { timeout: 30_000 }, async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  const address = `mongodb://somebody:geheim@127.0.0.1:${port}`;
  const store = createMongoStore({ url: address, database: 'closed', serverSelectionTimeoutMs: 200 });
  const error = await refusedWith('STORE_UNAVAILABLE', store.ping());
  await store.close();
  assert.ok(error.message.includes(`127.0.0.1:${port}`) && !error.message.includes('geheim'), error.message);
  for (const unreadable of ['mongodb://somebody:geheim@', 'http://somebody:geheim@host', '']) {
    assert.throws(
      () => createMongoStore({ url: unreadable, database: 'x' }),
      (thrown: Error) => 'code' in thrown && thrown.code === 'CONFIG_INVALID' && !thrown.message.includes('geheim'),
    );
  }
});

async function exerciseAll(store: Store): Promise<void> {
  const { runs, metrics, checkpoints, recordings, models, trackingLedgers, nonces, control } = store;
  await runs.createRun(newRun('r1'));
  await runs.finishRun('r1', ending('r1'));
  await metrics.appendPoints([point('r1', 's', 1)]);
  await checkpoints.saveCheckpoint({ runId: 'r1', series: 's', step: 1, artifact: reference('1'), fence: 1 });
  await recordings.saveRecording(someRecording);
  await models.registerVersion(newVersion('m', 'r1'));
  await models.moveAlias({ model: 'm', alias: 'champion', expected: null, to: 1, runId: 'r1', at: moment(1) });
  await trackingLedgers.writeLedger('k', null, {});
  await nonces.useNonce('n', moment(60));
  await control.openDeployment(someDeployment('d'));
  await control.writeDecision(someDecision('d', 0));
  await control.completeDecision('d', 0, { result: [], summary: someSummary('d', 0) });
  const opened = { deployment: 'd', step: 0, at: moment(0), kind: 'opened', alert: false, message: '' } as const;
  await control.addEvent(opened);
}

function ending(runId: string) {
  const report = someReport(runId, 'cancelled');
  return { status: 'cancelled', step: 'train', failure: null, report, at: moment(5) } as const;
}

/** Passes everything on to the server until it is frozen; then connections stay open and say nothing. */
async function startFreezableProxy(port: number) {
  const sockets = new Set<Socket>();
  let frozen = false;
  const proxy = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (frozen) return;
    const server = connect(port, '127.0.0.1');
    sockets.add(server.on('error', () => undefined));
    socket.pipe(server).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `mongodb://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    close: () => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

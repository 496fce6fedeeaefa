import assert from 'node:assert/strict';
import { refusedWith } from './refused-with.ts';
import { moment, newRun, someRecording } from './store-fixtures.ts';
import type { It } from './store-suite.ts';

/** What the stores of recordings, ledgers and nonces must do, and migrating. */
export function smallStoreTests(it: It): void {
  it('a recording is catalogued once', async ({ recordings }) => {
    await recordings.saveRecording(someRecording);
    await recordings.saveRecording({ ...someRecording, source: 'another name', createdAt: moment(50) });
    assert.deepEqual(await recordings.getRecording(someRecording.artifact.sha256), someRecording);
    assert.equal(await recordings.getRecording('0'.repeat(64)), null);
  });

  it('a ledger is written only by who has read its latest revision', async ({ trackingLedgers }) => {
    assert.equal(await trackingLedgers.readLedger('k'), null);
    const document = { 'a.b': [1, null, { $c: 'x' }, [[]]], sent: 3 };
    const first = await trackingLedgers.writeLedger('k', null, document);
    assert.deepEqual(await trackingLedgers.readLedger('k'), { revision: first, document });
    await refusedWith('REGISTRY_CONFLICT', trackingLedgers.writeLedger('k', null, {}));
    const second = await trackingLedgers.writeLedger('k', first, { sent: 4 });
    assert.notEqual(second, first);
    await refusedWith('REGISTRY_CONFLICT', trackingLedgers.writeLedger('k', first, { sent: 5 }));
    await refusedWith('REGISTRY_CONFLICT', trackingLedgers.writeLedger('other', 1, {}));
    assert.deepEqual(await trackingLedgers.readLedger('k'), { revision: second, document: { sent: 4 } });
  });

  it('a nonce works once, also when it is used from many callers at once', async ({ nonces }) => {
    const expiresAt = new Date(Date.now() + 600_000);
    const answers = await Promise.all(Array.from({ length: 6 }, () => nonces.useNonce('n1', expiresAt)));
    assert.equal(answers.filter(Boolean).length, 1);
    assert.equal(await nonces.useNonce('n1', expiresAt), false);
    assert.equal(await nonces.useNonce('n2', expiresAt), true);
  });

  it('a ledger is found again after many revisions', async ({ trackingLedgers }) => {
    let revision: number | null = null;
    for (let sent = 0; sent < 21; sent++) revision = await trackingLedgers.writeLedger('k', revision, { sent });
    assert.deepEqual(await trackingLedgers.readLedger('k'), { revision, document: { sent: 20 } });
  });

  it('of many that write a ledger from the same revision one wins', async ({ trackingLedgers }) => {
    const first = await trackingLedgers.writeLedger('k', null, { writer: 'first' });
    const writers = [0, 1, 2, 3, 4, 5];
    const results = await Promise.allSettled(
      writers.map((writer) => trackingLedgers.writeLedger('k', first, { writer })),
    );
    const won = writers.filter((writer) => results[writer]?.status === 'fulfilled');
    assert.equal(won.length, 1);
    assert.deepEqual((await trackingLedgers.readLedger('k'))?.document, { writer: won[0] });
  });

  it('migrating again, also at the same time, keeps what is there', async (store) => {
    await store.runs.createRun(newRun('r1'));
    await Promise.all([store.migrate(), store.migrate(), store.migrate()]);
    assert.equal((await store.runs.getRun('r1'))?.runId, 'r1');
    await store.ping();
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/contracts/errors.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type { Store } from '../../src/contracts/stores.ts';
import { fenceOf } from '../../src/contracts/stores.ts';
import { moment, newRun, newVersion, point, reference, someRecording, someReport, someSpec } from './store-fixtures.ts';

/** An empty, migrated store for one test, and how to dispose of it. */
export interface OpenedStore {
  readonly store: Store;
  dispose(): Promise<void>;
}

/** Asserts that the promise is refused with `code`. */
export async function refusedWith(code: ErrorCode, promise: Promise<unknown>): Promise<CoxswainError> {
  const error = await promise.then(
    () => assert.fail(`expected ${code}, but it was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CoxswainError, `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** What every {@link Store} must do, whatever keeps its data. */
export function storeSuite(adapter: string, open: () => Promise<OpenedStore>): void {
  const it = (title: string, body: (store: Store) => Promise<void>): void => {
    test(`${adapter}: ${title}`, async () => {
      const { store, dispose } = await open();
      try {
        await body(store);
      } finally {
        await dispose();
      }
    });
  };
  runTests(it);
  metricTests(it);
  checkpointTests(it);
  registryTests(it);
  smallStoreTests(it);
}

type It = (title: string, body: (store: Store) => Promise<void>) => void;

function runTests(it: It): void {
  it('a created run is read back whole, every step pending', async ({ runs }) => {
    await runs.createRun(newRun('r1', 3));
    const run = await runs.getRun('r1');
    assert.deepEqual(run?.spec, someSpec);
    assert.equal(run?.pipeline, 'online-boutique');
    assert.equal(run?.status, 'running');
    assert.equal(run?.step, 'validate');
    assert.deepEqual(run?.createdAt, moment(3));
    assert.equal(run?.finishedAt, null);
    assert.equal(run?.report, null);
    assert.deepEqual(
      run?.steps.map(({ name, status, startedAt }) => [name, status, startedAt]),
      ['validate', 'collect', 'train', 'evaluate', 'register'].map((name) => [name, 'pending', null]),
    );
    assert.equal(await runs.getRun('r2'), null);
  });

  it('creating a run again changes nothing, another spec is refused', async ({ runs }) => {
    await runs.createRun(newRun('r1', 3));
    await runs.recordStep('r1', { ...running('collect'), at: moment(4) });
    await runs.createRun(newRun('r1', 9));
    const run = await runs.getRun('r1');
    assert.deepEqual(run?.createdAt, moment(3));
    assert.equal(run?.step, 'collect');
    await refusedWith('RUN_CONFLICT', runs.createRun(newRun('r1', 9, 'b'.repeat(64))));
    assert.equal((await runs.getRun('r1'))?.specSha256, 'a'.repeat(64));
  });

  it('creating the same run from many callers at once leaves one', async ({ runs }) => {
    await Promise.all(Array.from({ length: 8 }, (_, index) => runs.createRun(newRun('r1', index))));
    assert.equal((await runs.listRuns({})).length, 1);
  });

  it('steps keep their first start, their end and the latest summary', async ({ runs }) => {
    await runs.createRun(newRun('r1'));
    await runs.recordStep('r1', { ...running('collect'), summary: 'reading', at: moment(1) });
    await runs.recordStep('r1', { ...running('collect'), summary: 'half way', at: moment(2) });
    await runs.recordStep('r1', {
      ...running('collect'),
      stepStatus: 'completed',
      summary: '11520 bins',
      at: moment(3),
    });
    await runs.recordStep('r1', {
      ...running('collect'),
      stepStatus: 'completed',
      summary: '11520 bins',
      at: moment(4),
    });
    const run = await runs.getRun('r1');
    assert.deepEqual(run?.steps[1], {
      name: 'collect',
      status: 'completed',
      summary: '11520 bins',
      startedAt: moment(1),
      finishedAt: moment(3),
    });
    assert.deepEqual(run?.updatedAt, moment(4));
  });

  it('a step that is over does not start again when an old note arrives late', async ({ runs }) => {
    await runs.createRun(newRun('r1'));
    await runs.recordStep('r1', { ...running('collect'), stepStatus: 'completed', at: moment(3) });
    await runs.recordStep('r1', { ...running('train'), at: moment(4) });
    await runs.recordStep('r1', { ...running('collect'), summary: 'late', at: moment(1) });
    const run = await runs.getRun('r1');
    assert.equal(run?.step, 'train');
    assert.equal(run?.steps[1]?.status, 'completed');
    assert.equal(run?.steps[1]?.summary, '');
  });

  it('pausing and resuming show in the status', async ({ runs }) => {
    await runs.createRun(newRun('r1'));
    await runs.recordStep('r1', { ...running('train'), status: 'paused', at: moment(1) });
    assert.equal((await runs.getRun('r1'))?.status, 'paused');
    await runs.recordStep('r1', { ...running('train'), at: moment(2) });
    assert.equal((await runs.getRun('r1'))?.status, 'running');
  });

  it('a note on an unknown run is refused, and so is ending a run with recordStep', async ({ runs }) => {
    await refusedWith('RUN_NOT_FOUND', runs.recordStep('nobody', { ...running('collect'), at: moment(1) }));
    await runs.createRun(newRun('r1'));
    await refusedWith('INTERNAL', runs.recordStep('r1', { ...running('train'), status: 'failed', at: moment(1) }));
    assert.equal((await runs.getRun('r1'))?.status, 'running');
  });

  it('a finished run keeps its first end and takes no more notes', async ({ runs }) => {
    await runs.createRun(newRun('r1'));
    await runs.recordStep('r1', { ...running('train'), at: moment(1) });
    await runs.finishRun('r1', end('r1', 'cancelled', 'train', 2));
    await runs.finishRun('r1', end('r1', 'cancelled', 'train', 3));
    await runs.finishRun('r1', end('r1', 'completed', 'register', 4));
    await runs.recordStep('r1', { ...running('evaluate'), at: moment(5) });
    await runs.createRun(newRun('r1', 6));
    const run = await runs.getRun('r1');
    assert.equal(run?.status, 'cancelled');
    assert.equal(run?.step, 'train');
    assert.deepEqual(run?.finishedAt, moment(2));
    assert.deepEqual(run?.report, someReport('r1', 'cancelled'));
    assert.deepEqual(run?.steps[2], {
      name: 'train',
      status: 'cancelled',
      summary: '',
      startedAt: moment(1),
      finishedAt: moment(2),
    });
    assert.equal(run?.steps[3]?.status, 'pending');
  });

  it('finishing leaves a completed step as it was', async ({ runs }) => {
    await runs.createRun(newRun('r1'));
    await runs.recordStep('r1', { ...running('register'), stepStatus: 'completed', summary: 'v1', at: moment(1) });
    await runs.finishRun('r1', end('r1', 'completed', 'register', 2));
    const step = (await runs.getRun('r1'))?.steps[4];
    assert.equal(step?.summary, 'v1');
    assert.deepEqual(step?.finishedAt, moment(1));
  });

  it('how the mirror ended is added to the report of a finished run, and only there', async ({ runs }) => {
    const tracking = (sentPoints: number) => ({
      mode: 'online' as const,
      sentPoints,
      unsentPoints: 0,
      url: null,
      warnings: ['a.b'],
    });
    await runs.createRun(newRun('r1', 1));
    await runs.recordTracking('r1', tracking(1));
    await runs.finishRun('r1', end('r1', 'completed', 'register', 2));
    assert.equal((await runs.getRun('r1'))?.report?.tracking, someReport('r1', 'completed').tracking);
    await runs.recordTracking('r1', tracking(2));
    await runs.recordTracking('r1', tracking(3));
    assert.deepEqual((await runs.getRun('r1'))?.report, { ...someReport('r1', 'completed'), tracking: tracking(3) });
  });

  it('a run whose spec was refused is created by its end, without a spec', async ({ runs }) => {
    const failure = { code: 'SPEC_INVALID', message: 'train.seeds: empty', step: 'validate' } as const;
    await runs.finishRun('r1', { ...end('r1', 'failed', 'validate', 2), failure });
    await runs.finishRun('r1', { ...end('r1', 'failed', 'validate', 3), failure });
    const run = await runs.getRun('r1');
    assert.equal(run?.spec, null);
    assert.equal(run?.status, 'failed');
    assert.deepEqual(run?.failure, failure);
    assert.deepEqual(run?.createdAt, moment(2));
    assert.deepEqual(run?.finishedAt, moment(2));
    assert.equal(run?.steps[0]?.status, 'failed');
    assert.equal(run?.steps[1]?.status, 'pending');
    await refusedWith('RUN_CONFLICT', runs.createRun(newRun('r1', 5)));
  });

  it('finishing with a status of a going run is refused', async ({ runs }) => {
    await runs.createRun(newRun('r1'));
    await refusedWith('INTERNAL', runs.finishRun('r1', end('r1', 'paused', 'train', 2)));
  });

  it('lists newest first, by status and pipeline, page by page', async ({ runs }) => {
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) await runs.createRun(newRun(id, Math.min(index, 2)));
    await runs.finishRun('a', end('a', 'completed', 'register', 9));
    const ids = async (query: Parameters<typeof runs.listRuns>[0]): Promise<string[]> =>
      (await runs.listRuns(query)).map(({ runId }) => runId);
    assert.deepEqual(await ids({}), ['d', 'c', 'b', 'a']);
    assert.deepEqual(await ids({ limit: 2 }), ['d', 'c']);
    assert.deepEqual(await ids({ limit: 2, before: 'c' }), ['b', 'a']);
    assert.deepEqual(await ids({ before: 'd' }), ['c', 'b', 'a']);
    assert.deepEqual(await ids({ status: 'completed' }), ['a']);
    assert.deepEqual(await ids({ status: 'running', before: 'c' }), ['b']);
    assert.deepEqual(await ids({ pipeline: 'another' }), []);
    await refusedWith('RUN_NOT_FOUND', runs.listRuns({ before: 'z' }));
    for (const limit of [0, 201, 1.5, NaN]) await refusedWith('REQUEST_INVALID', runs.listRuns({ limit }));
  });
}

function metricTests(it: It): void {
  it('points come back whole, by series, then step', async ({ metrics }) => {
    await metrics.appendPoints([point('r1', 'train/seed-2', 10), point('r1', 'train/seed-1', 20)]);
    await metrics.appendPoints([point('r1', 'train/seed-1', 3), point('r2', 'train/seed-1', 1)]);
    const points = await metrics.readPoints({ runId: 'r1' });
    assert.deepEqual(points, [
      point('r1', 'train/seed-1', 3),
      point('r1', 'train/seed-1', 20),
      point('r1', 'train/seed-2', 10),
    ]);
    assert.deepEqual(await metrics.listSeries('r1'), ['train/seed-1', 'train/seed-2']);
    assert.deepEqual(await metrics.listSeries('r3'), []);
  });

  it('a point that is there stays as it was first written', async ({ metrics }) => {
    await metrics.appendPoints([point('r1', 's', 1, 0.5)]);
    await metrics.appendPoints([point('r1', 's', 1, 9), point('r1', 's', 2, 0.25), point('r1', 's', 2, 7)]);
    const points = await metrics.readPoints({ runId: 'r1' });
    assert.deepEqual(
      points.map(({ step, values }) => [step, values['loss']]),
      [
        [1, 0.5],
        [2, 0.25],
      ],
    );
  });

  it('values that are not finite come back as they were', async ({ metrics }) => {
    const values = { loss: NaN, ratio: Infinity, logProbability: -Infinity, kl: 5e-324 };
    await metrics.appendPoints([{ ...point('r1', 's', 1), values }]);
    assert.deepEqual((await metrics.readPoints({ runId: 'r1' }))[0]?.values, values);
  });

  it('runs and series whose names begin alike are kept apart', async ({ metrics }) => {
    const names = ['a', 'a b', 'a!', 'a%20b', 'a/b', 'ä', 'a\u0000'];
    for (const name of names) await metrics.appendPoints([point(name, 's', 1), point('r', name, 1)]);
    for (const name of names) {
      assert.deepEqual(await metrics.readPoints({ runId: name }), [point(name, 's', 1)], name);
      assert.deepEqual(await metrics.readPoints({ runId: 'r', series: name }), [point('r', name, 1)], name);
    }
    assert.deepEqual([...(await metrics.listSeries('r'))].sort(), names.toSorted());
  });

  it('two writers of overlapping batches leave no gap and no duplicate', async ({ metrics }) => {
    const batch = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => point('r1', 's', from + index));
    await Promise.all([
      metrics.appendPoints(batch(0, 300)),
      metrics.appendPoints(batch(100, 400)),
      metrics.appendPoints(batch(0, 400).reverse()),
    ]);
    const points = await metrics.readPoints({ runId: 'r1' });
    assert.deepEqual(
      points.map(({ step }) => step),
      Array.from({ length: 400 }, (_, step) => step),
    );
  });

  it('thousands of points are appended at once and again', async ({ metrics }) => {
    const points = Array.from({ length: 3_000 }, (_, step) => point('r1', 's', step));
    await metrics.appendPoints(points);
    await metrics.appendPoints(points);
    const read = await metrics.readPoints({ runId: 'r1', limit: 10_000 });
    assert.equal(read.length, 3_000);
    assert.deepEqual(read.at(-1), points.at(-1));
  });

  it('reads one series after a step, up to the limit', async ({ metrics }) => {
    await metrics.appendPoints([1, 2, 3, 4, 5].flatMap((step) => [point('r1', 'a', step), point('r1', 'b', step)]));
    const read = await metrics.readPoints({ runId: 'r1', series: 'b', afterStep: 2, limit: 2 });
    assert.deepEqual(read, [point('r1', 'b', 3), point('r1', 'b', 4)]);
    const all = await metrics.readPoints({ runId: 'r1', afterStep: 4 });
    assert.deepEqual(all, [point('r1', 'a', 5), point('r1', 'b', 5)]);
    await refusedWith('REQUEST_INVALID', metrics.readPoints({ runId: 'r1', limit: 10_001 }));
  });

  it('appending nothing is allowed', async ({ metrics }) => {
    await metrics.appendPoints([]);
    assert.deepEqual(await metrics.readPoints({ runId: 'r1' }), []);
  });
}

function checkpointTests(it: It): void {
  const at = (step: number, fence: number, series = 'train/seed-1') => ({
    runId: 'r1',
    series,
    step,
    artifact: reference('5'),
    fence,
  });

  it('a series without a checkpoint is taken over with nothing to go on from', async ({ checkpoints }) => {
    assert.equal(await checkpoints.takeOver('r1', 's', fenceOf(0, 1)), null);
    assert.equal(await checkpoints.latestCheckpoint('r1', 's'), null);
  });

  it('the newest checkpoint is handed to the next writer', async ({ checkpoints }) => {
    await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 1));
    await checkpoints.saveCheckpoint(at(100, fenceOf(0, 1)));
    await checkpoints.saveCheckpoint(at(200, fenceOf(0, 1)));
    assert.deepEqual(await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 2)), at(200, fenceOf(0, 1)));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(200, fenceOf(0, 1)));
    assert.equal(await checkpoints.latestCheckpoint('r1', 'train/seed-2'), null);
  });

  it('a lower fence is refused once a higher one has taken over', async ({ checkpoints }) => {
    await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 1));
    await checkpoints.saveCheckpoint(at(100, fenceOf(0, 1)));
    await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(1, 1));
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(200, fenceOf(0, 1))));
    await refusedWith('STALE_ATTEMPT', checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 9)));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(100, fenceOf(0, 1)));
  });

  it('the same fence may take over and save again', async ({ checkpoints }) => {
    await checkpoints.takeOver('r1', 'train/seed-1', 5);
    await checkpoints.saveCheckpoint(at(100, 5));
    assert.deepEqual(await checkpoints.takeOver('r1', 'train/seed-1', 5), at(100, 5));
    await checkpoints.saveCheckpoint(at(100, 5));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(100, 5));
  });

  it('a lower step is refused, whatever its fence', async ({ checkpoints }) => {
    await checkpoints.saveCheckpoint(at(100, 5));
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(99, 6)));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(100, 5));
  });

  it('saving with a higher fence takes the series over', async ({ checkpoints }) => {
    await checkpoints.saveCheckpoint(at(100, 5));
    await checkpoints.saveCheckpoint(at(200, 7));
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(300, 6)));
  });

  it('of many writers that take over at once the highest fence holds the series', async ({ checkpoints }) => {
    const fences = [3, 9, 1, 7, 5, 8, 2, 6, 4];
    const results = await Promise.allSettled(fences.map((fence) => checkpoints.takeOver('r1', 'train/seed-1', fence)));
    assert.equal(results[1]?.status, 'fulfilled');
    for (const result of results) {
      if (result.status === 'rejected') assert.equal((result.reason as CoxswainError).code, 'STALE_ATTEMPT');
    }
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(1, 8)));
    await checkpoints.saveCheckpoint(at(1, 9));
  });
}

function registryTests(it: It): void {
  it('versions count from 1, one a run, newest first', async ({ models }) => {
    const first = await models.registerVersion(newVersion('m', 'r1'));
    const again = await models.registerVersion({ ...newVersion('m', 'r1'), at: moment(99) });
    const second = await models.registerVersion(newVersion('m', 'r2'));
    const other = await models.registerVersion(newVersion('n', 'r1'));
    assert.deepEqual([first.version, again.version, second.version, other.version], [1, 1, 2, 1]);
    assert.deepEqual(again, first);
    const { at, ...given } = newVersion('m', 'r1');
    assert.deepEqual(first, { ...given, version: 1, createdAt: at });
    assert.deepEqual(
      (await models.listVersions('m')).map(({ version }) => version),
      [2, 1],
    );
    assert.deepEqual(await models.getVersion('m', 1), first);
    assert.equal(await models.getVersion('m', 3), null);
    assert.equal(await models.getVersion('m', 'champion'), null);
  });

  it('callers that race get distinct versions without a gap, one a run', async ({ models }) => {
    const runs = ['r1', 'r2', 'r3', 'r4', 'r1', 'r2', 'r3', 'r4'];
    const versions = await Promise.all(runs.map((run) => models.registerVersion(newVersion('m', run))));
    assert.deepEqual([...new Set(versions.map(({ version }) => version))].sort(), [1, 2, 3, 4]);
    assert.deepEqual(
      versions.slice(0, 4).map(({ version }) => version),
      versions.slice(4).map(({ version }) => version),
    );
  });

  it('an alias moves by compare-and-set and its history only grows', async ({ models }) => {
    for (const run of ['r1', 'r2', 'r3']) await models.registerVersion(newVersion('m', run));
    const move = { model: 'm', alias: 'champion', runId: 'r1', at: moment(1) };
    await models.moveAlias({ ...move, expected: null, to: 1 });
    await models.moveAlias({ ...move, expected: null, to: 1 });
    await refusedWith('REGISTRY_CONFLICT', models.moveAlias({ ...move, expected: null, to: 2 }));
    await refusedWith('REGISTRY_CONFLICT', models.moveAlias({ ...move, expected: 3, to: 2 }));
    await models.moveAlias({ ...move, expected: 1, to: 3, runId: 'r3', at: moment(2) });
    await models.moveAlias({ ...move, alias: 'challenger', expected: null, to: 2, runId: 'r2', at: moment(3) });
    assert.equal((await models.getVersion('m', 'champion'))?.version, 3);
    assert.deepEqual(await models.aliasHistory('m'), [
      { model: 'm', alias: 'champion', from: null, to: 1, runId: 'r1', at: moment(1) },
      { model: 'm', alias: 'champion', from: 1, to: 3, runId: 'r3', at: moment(2) },
      { model: 'm', alias: 'challenger', from: null, to: 2, runId: 'r2', at: moment(3) },
    ]);
    assert.deepEqual(await models.listModels(), [
      { model: 'm', latestVersion: 3, aliases: { challenger: 2, champion: 3 } },
    ]);
  });

  it('an alias moves only to a version that exists', async ({ models }) => {
    const move = { model: 'm', alias: 'champion', expected: null, to: 1, runId: 'r1', at: moment(1) };
    await refusedWith('MODEL_NOT_FOUND', models.moveAlias(move));
    assert.deepEqual(await models.aliasHistory('m'), []);
  });

  it('of many that move an alias from the same place one wins', async ({ models }) => {
    for (let run = 1; run <= 6; run++) await models.registerVersion(newVersion('m', `r${run}`));
    const targets = [1, 2, 3, 4, 5, 6];
    const results = await Promise.allSettled(
      targets.map((to) =>
        models.moveAlias({ model: 'm', alias: 'champion', expected: null, to, runId: `r${to}`, at: moment(to) }),
      ),
    );
    const won = targets.filter((_, index) => results[index]?.status === 'fulfilled');
    assert.equal(won.length, 1);
    assert.equal((await models.getVersion('m', 'champion'))?.version, won[0]);
    assert.equal((await models.aliasHistory('m')).length, 1);
  });

  it('models are listed by name with their latest version', async ({ models }) => {
    for (const [model, run] of [
      ['b', 'r1'],
      ['a', 'r1'],
      ['a', 'r2'],
    ] as const) {
      await models.registerVersion(newVersion(model, run));
    }
    assert.deepEqual(await models.listModels(), [
      { model: 'a', latestVersion: 2, aliases: {} },
      { model: 'b', latestVersion: 1, aliases: {} },
    ]);
  });
}

function smallStoreTests(it: It): void {
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

function running(step: 'collect' | 'train' | 'evaluate' | 'register') {
  return { status: 'running', step, stepStatus: 'running', summary: '' } as const;
}

function end(
  runId: string,
  status: 'completed' | 'cancelled' | 'failed' | 'paused',
  step: 'validate' | 'train' | 'register',
  seconds: number,
) {
  return { status, step, failure: null, report: someReport(runId, status), at: moment(seconds) };
}

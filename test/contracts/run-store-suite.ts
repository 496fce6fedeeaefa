import assert from 'node:assert/strict';
import { refusedWith } from './refused-with.ts';
import { moment, newRun, someReport, someSpec } from './store-fixtures.ts';
import type { It } from './store-suite.ts';

/** What every RunStore must do. */
export function runTests(it: It): void {
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

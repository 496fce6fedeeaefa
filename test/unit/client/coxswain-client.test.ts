import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOn } from '../../../src/client/coxswain-client.ts';
import { reportOf } from '../../../src/client/run.ts';
import { parseRunSpec, specSha256 } from '../../../src/spec/run-spec.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';
import { sampleProgress, sampleReport } from '../cli/sample-run.ts';
import { FakeControlEngine } from './fake-control-engine.ts';
import { FakeRunEngine } from './fake-run-engine.ts';

const rawSpec = { version: 1, name: 'shop' };
const spec = parseRunSpec(rawSpec);
const hash = specSha256(spec);

function setUp() {
  const engine = new FakeRunEngine();
  const store = createMemoryStore();
  return { engine, store, client: clientOn(engine, new FakeControlEngine(), store) };
}

async function storeRun({ store }: ReturnType<typeof setUp>, runId: string): Promise<void> {
  await store.runs.createRun({ runId, spec, specSha256: hash, at: new Date() });
}

test('a run is started with the normalised spec under an id made of name and time', async () => {
  const { engine, client } = setUp();
  const started = await client.startRun({ spec: rawSpec });
  assert.match(started.runId, /^shop-\d{8}-\d{6}-[0-9a-f]{4}$/);
  assert.equal(started.created, true);
  assert.equal(started.specSha256, hash);
  assert.deepEqual(engine.workflows.get(started.runId)?.input, spec);
});

test('the same id and spec is the same run, whoever asks first', async () => {
  const { engine, client } = setUp();
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => client.startRun({ spec: rawSpec, runId: 'one' })));
  assert.equal(outcomes.filter(({ created }) => created).length, 1);
  assert.equal(engine.workflows.size, 1);
});

test('the same id and spec after the end of the run is still the same run', async () => {
  const world = setUp();
  await world.client.startRun({ spec: rawSpec, runId: 'one' });
  await storeRun(world, 'one');
  world.engine.end('one', 'completed');
  assert.equal((await world.client.startRun({ spec: rawSpec, runId: 'one' })).created, false);
});

test('a run whose workflow Temporal has forgotten is not started again', async () => {
  const world = setUp();
  await storeRun(world, 'old');
  assert.equal((await world.client.startRun({ spec: rawSpec, runId: 'old' })).created, false);
  assert.equal(world.engine.workflows.size, 0);
});

test('the same id with another spec is a conflict, by the memo, by the store and by the input of a bare start', async () => {
  const world = setUp();
  await world.client.startRun({ spec: rawSpec, runId: 'by-memo' });
  await storeRun(world, 'by-store');
  world.engine.startBare('by-input', rawSpec);
  for (const runId of ['by-memo', 'by-store', 'by-input']) {
    const other = { ...rawSpec, description: 'another' };
    await assert.rejects(world.client.startRun({ spec: other, runId }), { code: 'RUN_CONFLICT' }, runId);
    assert.equal((await world.client.startRun({ spec: rawSpec, runId })).created, false, runId);
  }
});

test('an id that belongs to another kind of workflow is a conflict and no run', async () => {
  const { engine, client } = setUp();
  engine.startBare('taken', rawSpec, 'somethingElse');
  await assert.rejects(client.startRun({ spec: rawSpec, runId: 'taken' }), { code: 'RUN_CONFLICT' });
  await assert.rejects(client.getRun('taken'), { code: 'RUN_NOT_FOUND' });
});

test('a bad spec and a bad id start nothing', async () => {
  const { engine, client } = setUp();
  await assert.rejects(client.startRun({ spec: { version: 1, nam: 'x' } }), { code: 'SPEC_INVALID' });
  for (const runId of ['', 'a/b', '-a', 'x'.repeat(129), 'a b']) {
    await assert.rejects(client.startRun({ spec: rawSpec, runId }), { code: 'REQUEST_INVALID' }, runId);
  }
  assert.equal(engine.workflows.size, 0);
});

test('a run that no worker has begun is known from Temporal, with its spec', async () => {
  const { engine, client } = setUp();
  engine.startBare('waiting', rawSpec);
  const run = await client.getRun('waiting');
  assert.equal(run.status, 'running');
  assert.equal(run.specSha256, hash);
  assert.equal(run.pipeline, 'shop');
  assert.deepEqual(
    (await client.listRuns()).runs.map(({ runId }) => runId),
    ['waiting'],
  );
  assert.deepEqual((await client.listRuns({ status: 'failed' })).runs, []);
});

test('a run that was terminated in Temporal is failed, with the reason and the step it stopped in', async () => {
  const world = setUp();
  await world.client.startRun({ spec: rawSpec, runId: 'one' });
  await storeRun(world, 'one');
  const at = new Date();
  await world.store.runs.recordStep('one', {
    status: 'running',
    step: 'train',
    stepStatus: 'running',
    summary: '',
    at,
  });
  world.engine.end('one', 'terminated', 'cleaning up');
  const run = await world.client.getRun('one');
  assert.equal(run.status, 'failed');
  assert.equal(run.failure?.code, 'RUN_TERMINATED');
  assert.equal(run.failure?.step, 'train');
  assert.match(run.failure?.message ?? '', /terminated in Temporal \(cleaning up\)/);
  assert.equal(run.steps.find(({ name }) => name === 'train')?.status, 'failed');
  assert.equal((await world.client.listRuns()).runs[0].status, 'failed');
  assert.equal(reportOf(run).failure?.code, 'RUN_TERMINATED');
});

test('a stored run whose workflow is gone from Temporal is failed', async () => {
  const world = setUp();
  await storeRun(world, 'lost');
  assert.match((await world.client.getRun('lost')).failure?.message ?? '', /no workflow of this run any more/);
});

test('the record of an end outranks what Temporal says, without asking it', async () => {
  const world = setUp();
  await storeRun(world, 'one');
  const report = { ...sampleReport, runId: 'one' };
  await world.store.runs.finishRun('one', {
    status: 'completed',
    step: 'register',
    failure: null,
    report,
    at: new Date(),
  });
  world.engine.down = true;
  assert.equal((await world.client.getRun('one')).status, 'completed');
});

test('a run that records its end while Temporal is asked is not called failed', async () => {
  const world = setUp();
  await world.client.startRun({ spec: rawSpec, runId: 'one' });
  await storeRun(world, 'one');
  const describe = world.engine.describe.bind(world.engine);
  world.engine.describe = async (runId) => {
    const report = { ...sampleReport, runId };
    await world.store.runs.finishRun(runId, {
      status: 'completed',
      step: 'register',
      failure: null,
      report,
      at: new Date(),
    });
    world.engine.end(runId, 'completed');
    return describe(runId);
  };
  assert.equal((await world.client.getRun('one')).status, 'completed');
});

test('pause, resume and cancel reach a running run', async () => {
  const { engine, client } = setUp();
  await client.startRun({ spec: rawSpec, runId: 'one' });
  await client.pause('one');
  await client.resume('one');
  await client.cancel('one');
  assert.deepEqual(engine.workflows.get('one')?.received, ['pause', 'resume', 'cancel']);
});

test('a finished run cannot be steered; cancelling a cancelled one changes nothing', async () => {
  const world = setUp();
  for (const [runId, status] of [
    ['done', 'completed'],
    ['stopped', 'cancelled'],
  ] as const) {
    await storeRun(world, runId);
    const report = { ...sampleReport, runId, status };
    await world.store.runs.finishRun(runId, { status, step: 'train', failure: null, report, at: new Date() });
  }
  await assert.rejects(world.client.pause('done'), { code: 'RUN_FINISHED' });
  await assert.rejects(world.client.cancel('done'), { code: 'RUN_FINISHED', message: /completed/ });
  await assert.rejects(world.client.resume('stopped'), { code: 'RUN_FINISHED' });
  await world.client.cancel('stopped');
});

test('an unknown run is RUN_NOT_FOUND everywhere', async () => {
  const { client } = setUp();
  for (const call of [
    () => client.getRun('no'),
    () => client.progress('no'),
    () => client.metrics({ runId: 'no' }),
    () => client.pause('no'),
    () => client.cancel('no'),
    () => client.waitForRun('no'),
  ]) {
    await assert.rejects(call(), { code: 'RUN_NOT_FOUND' });
  }
});

test('the progress is the answer of the workflow, else what the store knows', async () => {
  const world = setUp();
  await world.client.startRun({ spec: rawSpec, runId: 'one' });
  await storeRun(world, 'one');
  assert.equal((await world.client.progress('one')).step, 'validate');
  world.engine.answer('one', sampleProgress);
  assert.deepEqual(await world.client.progress('one'), sampleProgress);
});

test('metric points say when the limit cut them off', async () => {
  const world = setUp();
  await world.client.startRun({ spec: rawSpec, runId: 'one' });
  const point = (step: number) => ({
    runId: 'one',
    series: 'train/seed-1',
    step,
    at: new Date(),
    values: { loss: step },
  });
  await world.store.metrics.appendPoints([1, 2, 3].map(point));
  const page = await world.client.metrics({ runId: 'one', limit: 2 });
  assert.deepEqual(page.series, ['train/seed-1']);
  assert.deepEqual([page.points.map(({ step }) => step), page.truncated], [[1, 2], true]);
  const rest = await world.client.metrics({ runId: 'one', afterStep: 2 });
  assert.deepEqual([rest.points.map(({ step }) => step), rest.truncated], [[3], false]);
});

test('a model comes with its versions, newest first; unknown ones are MODEL_NOT_FOUND', async () => {
  const { store, client } = setUp();
  const artifact = { sha256: 'a'.repeat(64), bytes: 3 };
  const lineage = {
    recordingSha256: 'b',
    gitSha: null,
    specSha256: hash,
    seed: 1,
    step: 1,
    weightsSha256: 'c',
    versions: {},
  };
  for (const runId of ['r1', 'r2']) {
    const version = { model: 'scaler', policy: artifact, metadata: artifact, lineage: { ...lineage, runId } };
    await store.models.registerVersion({ ...version, gate: { passed: true, reasons: [] }, at: new Date() });
  }
  await store.models.moveAlias({
    model: 'scaler',
    alias: 'champion',
    expected: null,
    to: 2,
    runId: 'r2',
    at: new Date(),
  });
  const model = await client.models.get('scaler');
  assert.deepEqual([model.versions.map(({ version }) => version), model.aliases], [[2, 1], { champion: 2 }]);
  assert.equal((await client.models.version('scaler', 'champion')).lineage.runId, 'r2');
  await assert.rejects(client.models.get('none'), { code: 'MODEL_NOT_FOUND' });
  await assert.rejects(client.models.version('scaler', 9), { code: 'MODEL_NOT_FOUND' });
});

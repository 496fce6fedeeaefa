import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { pauseSignal, resumeSignal } from '../../src/contracts/messages.ts';
import type { MetricPoint } from '../../src/contracts/stores.ts';
import { startPrivateMongo, startPrivateTemporal } from '../../scripts/local-services/test-services.ts';
import { startPipelineProcesses, until } from './pipeline-processes.ts';
import { isAlive } from './process-table.ts';
import type { PipelineProcesses, StartedRun } from './pipeline-processes.ts';
import { smallSpec, weightsOf } from './small-pipeline.ts';

/** Steps of one seed at which a test strikes: after the first checkpoints, well before the end. */
const strikeAtStep = 6_000;

let processes: PipelineProcesses;
let undisturbed: Awaited<ReturnType<typeof finishedRun>>;

before(async () => {
  processes = await startPipelineProcesses();
  await processes.start('orchestrator');
  await processes.start('trainer');
  undisturbed = await finishedRun(await processes.startRun(smallSpec));
});
after(() => processes.stop());

/** Weights and curves of a run: what no disturbance may change. */
async function finishedRun(run: StartedRun, { store } = processes) {
  const report = await run.result();
  const points = await store.metrics.readPoints({ runId: run.runId, limit: 10_000 });
  return { report, weights: weightsOf(report), curves: points.map(reproducible) };
}

function reproducible({ series, step, values: { stepsPerSecond: _clock, ...values } }: MetricPoint) {
  return { series, step, values };
}

/** Resolves when checkpoints are behind the training and much is before it. */
async function trainingIsUnderWay(run: StartedRun): Promise<void> {
  await run.untilPoints((points) =>
    points.some(({ series, step }) => series.startsWith('train/') && step >= strikeAtStep),
  );
  assert.equal((await run.record())?.step, 'train');
}

async function endsAsUndisturbed(run: StartedRun, where = processes): Promise<void> {
  const { report, weights, curves } = await finishedRun(run, where);
  assert.equal(report.status, 'completed');
  assert.deepEqual(weights, undisturbed.weights, 'weights, bit for bit');
  assert.deepEqual(curves, undisturbed.curves, 'every metric point once, with its value');
  assert.deepEqual(report.results, undisturbed.report.results, 'the verdict');
}

test('the same spec and seeds give the same weights, curves and verdict', async () => {
  await endsAsUndisturbed(await processes.startRun(smallSpec));
});

test('after kill -9 of the training worker another goes on, to the same weights', async () => {
  const run = await processes.startRun(smallSpec);
  await trainingIsUnderWay(run);
  const children = processes.numericChildren();
  assert.ok(children.length > 0, 'a numeric child works');
  await processes.kill('trainer');
  await processes.start('trainer');
  await until(async () => !children.some(isAlive));
  await endsAsUndisturbed(run);
});

test('after kill -9 of a numeric child the activity is repeated from its checkpoint', async () => {
  const run = await processes.startRun(smallSpec);
  await trainingIsUnderWay(run);
  const children = processes.numericChildren();
  assert.ok(children.length > 0, 'a numeric child works');
  for (const pid of children) process.kill(pid, 'SIGKILL');
  await endsAsUndisturbed(run);
});

test('after kill -9 of the orchestrator another goes on with the run', async () => {
  const run = await processes.startRun(smallSpec);
  await trainingIsUnderWay(run);
  await processes.kill('orchestrator');
  await processes.start('orchestrator');
  await endsAsUndisturbed(run);
});

test('a training worker that is told to end leaves its seeds to another', async () => {
  const run = await processes.startRun(smallSpec);
  await trainingIsUnderWay(run);
  const children = processes.numericChildren();
  assert.equal(await processes.end('trainer'), 0);
  assert.deepEqual(children.filter(isAlive), []);
  await processes.start('trainer');
  await endsAsUndisturbed(run);
});

test('a pause stops the work at a checkpoint, and the resumed run ends the same', async () => {
  const run = await processes.startRun(smallSpec);
  await trainingIsUnderWay(run);
  await run.handle.signal(pauseSignal);
  await until(async () => (await run.record())?.status === 'paused' && processes.numericChildren().length === 0);
  await run.handle.signal(resumeSignal);
  await endsAsUndisturbed(run);
});

/** Trains in no time and evaluates for long, so that a cancellation finds it evaluating. */
const longEvaluation = {
  ...smallSpec,
  train: { ...smallSpec.train, totalSteps: 4_096 },
  evaluate: { validationEpisodes: 20, heldOutEpisodes: 200, bootstrapResamples: 100_000 },
};

for (const step of ['collect', 'train', 'evaluate']) {
  test(`a run cancelled in ${step} is cancelled within 10 seconds and leaves no process`, async () => {
    const run = await processes.startRun(step === 'evaluate' ? longEvaluation : smallSpec);
    await run.untilStep(step);
    if (step !== 'collect') await until(async () => processes.numericChildren().length > 0);
    const askedMs = performance.now();
    await run.handle.cancel();
    await assert.rejects(run.result(), WorkflowFailedError);
    const seconds = (performance.now() - askedMs) / 1000;
    assert.ok(seconds < 10, `it took ${seconds.toFixed(1)} s`);
    assert.deepEqual(processes.numericChildren(), []);
    const record = await run.record();
    assert.equal(record?.status, 'cancelled');
    const stopped = record?.steps.filter(({ status }) => status === 'cancelled').map(({ name }) => name);
    assert.deepEqual(stopped, [record?.step], 'the step at which it stopped is named');
    if (step !== 'collect') assert.equal(record?.step, step);
  });
}

test('Temporal and MongoDB may each be away for 30 seconds during a run', async (t) => {
  const temporal = await startPrivateTemporal();
  t.after(() => temporal.stop());
  const mongo = await startPrivateMongo();
  t.after(() => mongo.stop());
  const own = await startPipelineProcesses({ ...temporal, ...mongo });
  t.after(() => own.stop());
  await own.start('orchestrator');
  await own.start('trainer');
  const run = await own.startRun(smallSpec);
  await trainingIsUnderWay(run);
  await mongo.kill();
  await sleep(30_000);
  await mongo.restart();
  await temporal.kill();
  await sleep(30_000);
  await temporal.restart();
  await endsAsUndisturbed(run, own);
});

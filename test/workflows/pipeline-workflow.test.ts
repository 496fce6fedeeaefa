import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { collectProgressSignal, pauseSignal, resumeSignal, seedProgressSignal } from '../../src/contracts/messages.ts';
import { searchAttributes } from '../../src/contracts/search-attributes.ts';
import type { RunProgress } from '../../src/contracts/runs.ts';
import {
  createWorkflowFixture,
  fakeActivities,
  fittedTwin,
  inTwin,
  spec,
  trainedSeed,
  untilCancelled,
} from './pipeline-fixture.ts';
import type { AllActivities, WorkflowFixture } from './pipeline-fixture.ts';

let fixture: WorkflowFixture;
before(async () => {
  fixture = await createWorkflowFixture();
});
after(() => fixture.stop());

test('a run takes its steps in order, records each, and ends with a report', async () => {
  const calls: string[] = [];
  const run = await fixture.start(fakeActivities(calls));
  const report = await run.result();
  assert.equal(report.runId, run.runId);
  assert.equal(report.status, 'completed');
  assert.deepEqual(report.model, { name: 'fixture', version: 1, alias: 'champion' });
  assert.deepEqual(
    report.training.map(({ seed }) => seed),
    [1, 2, 3],
  );
  assert.equal(report.evaluation?.chosenSeed, 3);
  assert.deepEqual(
    calls.filter((call) => /^(record|finish)/.test(call)),
    [
      ...['validate', 'collect', 'train', 'evaluate', 'register'].flatMap((step) => [
        `record ${step} running (running)`,
        `record ${step} completed (running)`,
      ]),
      'finish completed at register',
    ],
  );
  const progress = await run.progress();
  assert.equal(progress.fraction, 1);
  assert.equal(progress.status, 'completed');
});

test('a live cluster is recorded on the control queue, and tells how far it is', async () => {
  const calls: string[] = [];
  const live = { ...spec, collect: { source: { kind: 'cluster' } } } as unknown as typeof spec;
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const queues: string[] = [];
  const base = fakeActivities([]);
  const run = await fixture.start(
    fakeActivities(calls, {
      validateRun: async () => ({ spec: live, specSha256: 'f'.repeat(64), trackingEnabled: false }),
      recordCluster: async (input) => {
        const { taskQueue } = Context.current().info;
        queues.push(taskQueue);
        await fixture.client.workflow.getHandle(input.runId).signal(collectProgressSignal, '20 of 60 bins recorded');
        await whileBeating(released);
        return base.recordCluster(input);
      },
    }),
  );
  const summaryOf = (progress: RunProgress) => progress.steps.find(({ name }) => name === 'collect')!.summary;
  await run.until((progress) => summaryOf(progress) === '20 of 60 bins recorded');
  release();
  const report = await run.result();
  assert.deepEqual(queues, ['control']);
  assert.equal(report.recording?.cluster?.sha256, 'c'.padEnd(64, '0'));
  assert.ok(!calls.includes('collectRecording'));
  // News that come late change nothing.
  assert.match(summaryOf(await run.progress()), /of traffic/);
});

async function whileBeating(work: Promise<void>): Promise<void> {
  const timer = setInterval(() => Context.current().heartbeat(), 100);
  await work.finally(() => clearInterval(timer));
}

const validated = async () => ({ spec: inTwin, specSha256: 'f'.repeat(64), trackingEnabled: false });

test('a run in a twin fits one to its recording, and trains and judges in it', async () => {
  const calls: string[] = [];
  const twins: unknown[] = [];
  const base = fakeActivities([]);
  const run = await fixture.start(
    fakeActivities(calls, {
      validateRun: validated,
      trainSeed: (input) => (twins.push(input.twin), base.trainSeed(input)),
      evaluatePolicies: (input) => (twins.push(input.twin), base.evaluatePolicies(input)),
    }),
  );
  const report = await run.result();
  assert.deepEqual(report.twin, fittedTwin);
  assert.deepEqual(
    twins,
    [1, 2, 3, 4].map(() => fittedTwin.artifact),
  );
  assert.ok(calls.indexOf('recordCluster') < calls.indexOf('fitTwin'));
  const { steps, fraction } = await run.progress();
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['validate', 'collect', 'fit', 'train', 'evaluate', 'register'],
  );
  assert.equal(fraction, 1);
  assert.equal(steps[2].summary, '2 services, largest error 0.08 (CPU of db); of the p95 0.03');
});

test('a twin that is too far from its recording ends the run before anything is trained', async () => {
  const calls: string[] = [];
  const refused = async () => {
    throw ApplicationFailure.nonRetryable('The twin is too far from the recording: db (CPU 0.41)', 'TWIN_UNFIT');
  };
  const run = await fixture.start(fakeActivities(calls, { validateRun: validated, fitTwin: refused }));
  await assert.rejects(run.result(), WorkflowFailedError);
  assert.ok(calls.includes('finish failed at fit'));
  assert.ok(!calls.some((call) => call.startsWith('trainSeed')));
});

test('a run is found by its search attributes', async () => {
  const run = await fixture.start(fakeActivities([]));
  await run.result();
  const { typedSearchAttributes } = await run.handle.describe();
  const expected = {
    kind: 'pipeline',
    model: 'fixture',
    environment: 'online-boutique',
    gitSha: 'abc1234',
    stage: 'completed',
    bestScore: 7,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(
      typedSearchAttributes.get(searchAttributes[name as keyof typeof searchAttributes] as never),
      value,
      name,
    );
  }
});

test('a failed step ends the run with the code of its error, and the store hears of it', async () => {
  const calls: string[] = [];
  const trainSeed = async ({ seed }: { seed: number }) => {
    if (seed === 2) throw ApplicationFailure.nonRetryable('the loss is NaN at step 100', 'TRAINING_DIVERGED');
    return untilCancelled();
  };
  const run = await fixture.start(fakeActivities(calls, { trainSeed }));
  const error = await run.result().then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure);
  assert.equal(error.cause.type, 'TRAINING_DIVERGED');
  assert.match(error.cause.message, /^train: the loss is NaN at step 100/);
  assert.equal(calls.at(-1), 'finish failed at train');
  assert.ok(calls.includes('record train failed (running)'));
  assert.ok(!calls.includes('evaluatePolicies'));
});

test('cancelling stops the step that runs and leaves the run cancelled there', async () => {
  const calls: string[] = [];
  const run = await fixture.start(fakeActivities(calls, { evaluatePolicies: untilCancelled }));
  await run.until(({ step }) => step === 'evaluate');
  await run.handle.cancel();
  const error = await run.result().then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure);
  assert.equal(calls.at(-1), 'finish cancelled at evaluate');
  assert.equal((await run.handle.describe()).status.name, 'CANCELLED');
});

test('cancelling reaches the training child', async () => {
  const calls: string[] = [];
  const run = await fixture.start(fakeActivities(calls, { trainSeed: untilCancelled }));
  await waitFor(() => calls.includes('trainSeed 3'));
  await run.handle.cancel();
  await assert.rejects(run.result(), WorkflowFailedError);
  assert.equal(calls.at(-1), 'finish cancelled at train');
  assert.equal((await fixture.client.workflow.getHandle(`${run.runId}/train`).describe()).status.name, 'CANCELLED');
});

test('a paused training stops its seeds, and the resume starts them with the next generation', async () => {
  const generations: number[] = [];
  const trainSeed = async ({ seed, generation }: { seed: number; generation: number }) => {
    generations.push(generation);
    return generation === 0 && seed !== 1 ? untilCancelled() : trainedSeed(seed);
  };
  const run = await fixture.start(fakeActivities([], { trainSeed }));
  await run.until(({ step }) => step === 'train');
  await waitFor(() => generations.length === 3);
  await run.handle.signal(pauseSignal);
  await run.until(({ status }) => status === 'paused');
  await run.handle.signal(resumeSignal);
  const report = await run.result();
  assert.deepEqual(generations.toSorted(), [0, 0, 0, 1, 1]);
  assert.deepEqual(
    report.training.map(({ seed }) => seed),
    [1, 2, 3],
  );
});

test('a paused run starts no further step, and its store record says paused', async () => {
  const calls: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const base = fakeActivities([]);
  const collectRecording: typeof base.collectRecording = async (input) => held.then(() => base.collectRecording(input));
  const run = await fixture.start(fakeActivities(calls, { collectRecording }));
  await run.until(({ step }) => step === 'collect');
  await run.handle.signal(pauseSignal);
  release();
  await run.until(({ steps }) => steps[1].status === 'completed');
  assert.ok(!calls.includes('placeTraining'));
  await waitFor(() => calls.includes('record collect running (paused)'));
  await run.handle.signal(resumeSignal);
  assert.equal((await run.result()).status, 'completed');
});

test('a run that is paused can be cancelled', async () => {
  const calls: string[] = [];
  const run = await fixture.start(fakeActivities(calls, { trainSeed: untilCancelled }));
  await waitFor(() => calls.includes('trainSeed 3'));
  await run.handle.signal(pauseSignal);
  await run.until(({ status }) => status === 'paused');
  await run.handle.cancel();
  await assert.rejects(run.result(), WorkflowFailedError);
  assert.equal(calls.at(-1), 'finish cancelled at train');
});

test('a run cancelled between two steps names the step that it did not begin', async () => {
  const calls: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const base = fakeActivities([]);
  const evaluatePolicies: typeof base.evaluatePolicies = async (input) => held.then(() => base.evaluatePolicies(input));
  const run = await fixture.start(fakeActivities(calls, { evaluatePolicies }));
  await waitFor(() => calls.includes('evaluatePolicies'));
  await run.handle.cancel();
  release();
  await assert.rejects(run.result(), WorkflowFailedError);
  assert.ok(!calls.includes('registerModel'));
  assert.deepEqual(calls.slice(-2), ['record register cancelled (running)', 'finish cancelled at register']);
});

test('progress follows the news of the seeds and never goes back', async () => {
  const run = await fixture.start(fakeActivities([], { trainSeed: untilCancelled }));
  await run.until(({ step, training }) => step === 'train' && training.length === 3);
  const tell = (step: number) =>
    run.handle.signal(seedProgressSignal, { seed: 1, step, totalSteps: 1000, metrics: { episodeReturn: step } });
  await tell(500);
  await tell(100);
  const { training, metrics, fraction } = await run.until((progress) => progress.training[0].step > 0);
  assert.equal(training[0].step, 500);
  assert.equal(metrics.episodeReturn, 500);
  assert.ok(fraction > 0.1 && fraction < 0.5, `fraction ${fraction}`);
  await run.handle.cancel();
  await assert.rejects(run.result());
});

test('the mirror runs beside the steps and its result is added to the stored report', async () => {
  const calls: string[] = [];
  const base = fakeActivities([]);
  const validateRun: typeof base.validateRun = async (input) => ({
    ...(await base.validateRun(input)),
    trackingEnabled: true,
  });
  const run = await fixture.start(fakeActivities(calls, { validateRun }));
  const report = await run.result();
  assert.equal(report.tracking?.mode, 'online');
  assert.deepEqual(calls.slice(-2), ['finish completed at register', 'recordTracking']);
});

test('a mirror that fails leaves the run completed with a warning', async () => {
  const base = fakeActivities([]);
  const validateRun: typeof base.validateRun = async (input) => ({
    ...(await base.validateRun(input)),
    trackingEnabled: true,
  });
  const mirrorTracking = async () => {
    throw ApplicationFailure.nonRetryable('no', 'SPEC_INVALID');
  };
  const run = await fixture.start(fakeActivities([], { validateRun, mirrorTracking }));
  const report = await run.result();
  assert.equal(report.status, 'completed');
  assert.match(report.tracking?.warnings[0] ?? '', /mirror to W&B stopped/);
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Plays a worker that was killed: it neither heartbeats nor answers; only the end of the fixture's worker ends it. */
const gone = (): Promise<never> => Context.current().cancelled;

for (const [how, stop] of [
  ['is gone', gone],
  [
    'shuts down',
    () => untilCancelled().catch(() => Promise.reject(ApplicationFailure.retryable('bye', 'WORKER_SHUTDOWN'))),
  ],
] as const) {
  test(`a run can be paused and resumed while its training worker ${how}`, async () => {
    const calls: string[] = [];
    const trainSeed: AllActivities['trainSeed'] = ({ seed, generation }) =>
      generation === 0 ? stop() : Promise.resolve(trainedSeed(seed));
    const run = await fixture.start(fakeActivities(calls, { trainSeed }));
    await waitFor(() => calls.includes('trainSeed 3'));
    await run.handle.signal(pauseSignal);
    await run.until(({ status }) => status === 'paused');
    await run.handle.signal(resumeSignal);
    assert.equal((await run.result()).status, 'completed');
  });
}

test('a run whose training worker is gone can be cancelled, and is cancelled', async () => {
  const calls: string[] = [];
  const run = await fixture.start(fakeActivities(calls, { trainSeed: gone }));
  await waitFor(() => calls.includes('trainSeed 3'));
  await run.handle.cancel();
  await assert.rejects(run.result(), WorkflowFailedError);
  assert.equal((await run.handle.describe()).status.name, 'CANCELLED');
  assert.equal(calls.at(-1), 'finish cancelled at train');
});

test('a step that cannot be recorded does not hold the run up', async () => {
  const calls: string[] = [];
  const recordStep = async (): Promise<never> => {
    throw ApplicationFailure.nonRetryable('the database refused the credentials', 'CONFIG_INVALID');
  };
  const run = await fixture.start(fakeActivities(calls, { recordStep }));
  assert.equal((await run.result()).status, 'completed');
  assert.equal(calls.at(-1), 'finish completed at register');
});

test('a completed run stays completed when it is cancelled or paused while its mirror catches up', async () => {
  const calls: string[] = [];
  const base = fakeActivities([]);
  const validateRun: typeof base.validateRun = async (input) => ({
    ...(await base.validateRun(input)),
    trackingEnabled: true,
  });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const mirrorTracking: typeof base.mirrorTracking = async (input) => held.then(() => base.mirrorTracking(input));
  const run = await fixture.start(fakeActivities(calls, { validateRun, mirrorTracking }));
  await waitFor(() => calls.includes('finish completed at register'));
  await run.handle.signal(pauseSignal);
  await run.handle.cancel();
  release();
  assert.equal((await run.result()).status, 'completed');
  assert.deepEqual(calls.slice(-2), ['finish completed at register', 'recordTracking']);
  assert.equal((await run.progress()).status, 'completed');
});

test('the evaluation is told of each policy what it needs, and nothing else', async () => {
  const told: unknown[] = [];
  const base = fakeActivities([]);
  const evaluatePolicies: typeof base.evaluatePolicies = async (input) => {
    told.push(...input.trained);
    return base.evaluatePolicies(input);
  };
  await (await fixture.start(fakeActivities([], { evaluatePolicies }))).result();
  assert.deepEqual(
    told.map((policy) => Object.keys(policy as object)),
    Array.from({ length: 3 }, () => ['seed', 'bestScore', 'policy']),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createOrchestrationActivities } from '../../activities/orchestration.ts';
import type { OrchestrationPorts } from '../../activities/ports.ts';
import type { RegisterInput } from '../../src/contracts/activities.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { spec, trainedSeed } from '../workflows/pipeline-fixture.ts';

function createBench(overrides: Partial<OrchestrationPorts> = {}) {
  const ports: OrchestrationPorts = {
    store: createMemoryStore(),
    artifacts: createMemoryArtifactStore(),
    readSpec: () => ({ spec, specSha256: 'a'.repeat(64) }),
    tracks: () => true,
    collect: () => Promise.reject(new Error('not here')),
    episodeSteps: () => 4,
    isPolled: async () => false,
    ...overrides,
  };
  const activities = createOrchestrationActivities(ports);
  const mock = new MockActivityEnvironment();
  const call = <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> => mock.run(activity, input);
  return { ports, activities, call };
}

const range = (from: number, to: number) => ({ from, to });
const recordFields = {
  source: 'generator',
  bins: 12,
  binSeconds: 15,
  parts: { train: range(0, 4), validate: range(4, 8), heldOut: range(8, 12) },
  repairs: { interpolatedBins: 0, summedDuplicates: 0 },
  meanRequestsPerSecond: 1,
  peakRequestsPerSecond: 2,
};

test('a validated run is in the store before anything else happens', async () => {
  const { ports, activities, call } = createBench();
  const result = await call(activities.validateRun, { runId: 'r1', spec: {} });
  assert.equal(result.trackingEnabled, true);
  assert.equal((await ports.store.runs.getRun('r1'))?.status, 'running');
});

test('a refused spec is a failure that is not tried again and names its code', async () => {
  const readSpec = () => {
    throw new CoxswainError('SPEC_INVALID', 'train.seeds: found []', { details: [{ path: 'train.seeds' }] });
  };
  const { ports, activities, call } = createBench({ readSpec });
  await assert.rejects(call(activities.validateRun, { runId: 'r1', spec: {} }), (error: unknown) => {
    assert.ok(error instanceof ApplicationFailure);
    assert.deepEqual(
      [error.type, error.nonRetryable, error.details],
      ['SPEC_INVALID', true, [[{ path: 'train.seeds' }]]],
    );
    return true;
  });
  assert.equal(await ports.store.runs.getRun('r1'), null);
});

test('a recording is stored by its content, so collecting twice gives one', async () => {
  const collect = async () => ({ bytes: Uint8Array.of(1, 2), record: recordFields });
  const { ports, activities, call } = createBench({ collect });
  const first = await call(activities.collectRecording, { runId: 'r1', spec });
  const second = await call(activities.collectRecording, { runId: 'r2', spec });
  assert.equal(first.artifact.sha256, second.artifact.sha256);
  assert.deepEqual(await ports.artifacts.get(first.artifact), Uint8Array.of(1, 2));
  assert.equal((await ports.store.recordings.getRecording(first.artifact.sha256))?.source, 'generator');
});

test('a recording must hold an episode in each part', async () => {
  const asked: number[] = [];
  const collect: OrchestrationPorts['collect'] = async (_spec, { minimumBins }) => {
    asked.push(minimumBins);
    return { bytes: Uint8Array.of(1), record: recordFields };
  };
  const { activities, call } = createBench({ collect });
  await call(activities.collectRecording, { runId: 'r1', spec });
  assert.deepEqual(asked, [4]);
});

for (const [device, polled, expected] of [
  ['cpu', true, 'train-cpu'],
  ['auto', false, 'train-cpu'],
  ['auto', true, 'train-gpu'],
  ['gpu', true, 'train-gpu'],
] as const) {
  test(`device ${device} with${polled ? '' : 'out'} a GPU worker trains on ${expected}`, async () => {
    const { activities, call } = createBench({ isPolled: async (queue) => polled && queue === 'train-gpu-presence' });
    const placement = await call(activities.placeTraining, { device });
    assert.equal(placement.taskQueue, expected);
    assert.match(placement.reason, /GPU|CPU/);
  });
}

test('device gpu without a GPU worker is refused with what to do', async () => {
  const { activities, call } = createBench();
  await assert.rejects(call(activities.placeTraining, { device: 'gpu' }), {
    type: 'DEVICE_UNAVAILABLE',
    message: /--device cuda/,
  });
});

async function registration(
  bench: ReturnType<typeof createBench>,
  runId: string,
  passed: boolean,
): Promise<RegisterInput> {
  const metadata = await bench.ports.artifacts.put(new TextEncoder().encode('{"versions":{"coxswain":"1"}}'));
  const recording = { artifact: { sha256: 'r', bytes: 1 } } as RegisterInput['recording'];
  const calibration = { hpaTargetPercent: 40, fixedReplicas: [] };
  const judged = { gate: { passed, reasons: ['why'] }, chosenSeed: 1, calibration };
  const evaluation = judged as unknown as RegisterInput['evaluation'];
  return {
    runId,
    spec,
    specSha256: 's',
    recording,
    trained: { ...trainedSeed(1), policyMetadata: metadata },
    evaluation,
  };
}

test('a passed gate moves the alias to the new version; a failed one registers and leaves it', async () => {
  const bench = createBench();
  const { ports, activities, call } = bench;
  assert.deepEqual(await call(activities.registerModel, await registration(bench, 'r1', true)), {
    name: 'fixture',
    version: 1,
    alias: 'champion',
  });
  assert.deepEqual(await call(activities.registerModel, await registration(bench, 'r2', false)), {
    name: 'fixture',
    version: 2,
    alias: null,
  });
  assert.equal((await ports.store.models.getVersion('fixture', 'champion'))?.version, 1);
  const second = await ports.store.models.getVersion('fixture', 2);
  assert.deepEqual(second?.lineage.versions, { coxswain: '1' });
  assert.deepEqual(second?.gate, { passed: false, reasons: ['why'] });
  assert.deepEqual(second?.trainedFor, { environment: spec.environment, twin: null, hpaTargetPercent: 40 });
});

test('registering again gives the same version and does not take the alias back from a later run', async () => {
  const bench = createBench();
  const { ports, activities, call } = bench;
  const first = await registration(bench, 'r1', true);
  await call(activities.registerModel, first);
  await call(activities.registerModel, await registration(bench, 'r2', true));
  assert.equal((await call(activities.registerModel, first)).version, 1);
  assert.equal((await ports.store.models.getVersion('fixture', 'champion'))?.version, 2);
  assert.equal((await ports.store.models.aliasHistory('fixture')).length, 2);
});

test('a step of a run that is not in the store yet is no failure; the end of a refused run is stored', async () => {
  const { ports, activities, call } = createBench();
  const at = { runId: 'r1', step: 'validate' } as const;
  await call(activities.recordStep, { ...at, status: 'running', stepStatus: 'running', summary: '' });
  const failure = { code: 'SPEC_INVALID', message: 'train.seeds: found []', step: 'validate' } as const;
  const report = { runId: 'r1', status: 'failed', failure } as unknown as Parameters<
    typeof activities.finishRun
  >[0]['report'];
  await call(activities.finishRun, { ...at, status: 'failed', failure, report });
  const run = await ports.store.runs.getRun('r1');
  assert.deepEqual([run?.status, run?.step, run?.failure?.code], ['failed', 'validate', 'SPEC_INVALID']);
});

test('a finished run does not run again under its id', async () => {
  const { ports, activities, call } = createBench();
  await call(activities.validateRun, { runId: 'r1', spec: {} });
  const report = { runId: 'r1', status: 'completed' } as unknown as Parameters<
    typeof activities.finishRun
  >[0]['report'];
  await ports.store.runs.finishRun('r1', {
    status: 'completed',
    step: 'register',
    failure: null,
    report,
    at: new Date(),
  });
  await assert.rejects(call(activities.validateRun, { runId: 'r1', spec: {} }), {
    type: 'RUN_FINISHED',
    nonRetryable: true,
  });
});

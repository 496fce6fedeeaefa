import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createEvaluationActivities } from '../../activities/evaluation.ts';
import type { EvaluateInput } from '../../src/contracts/activities.ts';
import type { EvaluateJob, NumericProcesses } from '../../src/contracts/numeric.ts';
import type { CollectedRecording, EvaluationResult, FittedTwin, TwinServiceErrors } from '../../src/contracts/runs.ts';
import { createMemoryArtifactStore } from '../fakes/memory-store.ts';
import { spec } from '../workflows/pipeline-fixture.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const outcome = {
  results: [],
  gate: { passed: true, reasons: [] },
  chosenSeed: 2,
  calibration: { hpaTargetPercent: 60, fixedReplicas: [] },
};

const absent = () => Promise.reject(new Error('not here'));

async function evaluate(run: NumericProcesses['evaluate'], mock = new MockActivityEnvironment()) {
  const artifacts = createMemoryArtifactStore();
  const policy = async (seed: number) => ({
    seed,
    bestScore: seed,
    policy: await artifacts.put(bytes(`policy ${seed}`)),
  });
  const recording = { artifact: await artifacts.put(bytes('recording')), parts: {} } as EvaluateInput['recording'];
  const input = { runId: 'r1', spec, recording, trained: [await policy(1), await policy(2)] };
  const numeric = { train: absent, evaluate: run, fit: absent };
  const { evaluatePolicies } = createEvaluationActivities({ artifacts, numeric });
  return { artifacts, result: (await mock.run(evaluatePolicies, input)) as EvaluationResult };
}

test('the job has the bytes of recording and policies; the details become an artifact', async () => {
  const jobs: EvaluateJob[] = [];
  const { artifacts, result } = await evaluate(async (job) => {
    jobs.push(job);
    return { ...outcome, details: '{"episodes":[]}' };
  });
  assert.deepEqual(Buffer.from(jobs[0].recording).toString(), 'recording');
  assert.deepEqual(
    jobs[0].policies.map(({ seed, onnx }) => [seed, Buffer.from(onnx).toString()]),
    [
      [1, 'policy 1'],
      [2, 'policy 2'],
    ],
  );
  assert.equal(result.chosenSeed, 2);
  assert.ok(!('details' in result));
  assert.equal(Buffer.from(await artifacts.get(result.artifact)).toString(), '{"episodes":[]}');
});

test('a cancelled evaluation ends as cancelled', async () => {
  const mock = new MockActivityEnvironment();
  const cancelled = evaluate(async (_job, signal) => {
    mock.cancel();
    throw signal.reason;
  }, mock);
  await assert.rejects(cancelled, CancelledFailure);
});

test('a fitted twin becomes an artifact, with errors of three digits', async () => {
  const { artifacts, result, jobs } = await fit([error('web', 0.012345), error('db', 0.1, null)]);
  assert.deepEqual(jobs, [{ recording: 'series', maxError: 0.3 }]);
  assert.equal(Buffer.from(await artifacts.get(result.artifact)).toString(), '{"twin":1}');
  assert.deepEqual(result.services, [error('web', 0.012), error('db', 0.1, null)]);
  assert.deepEqual([result.serviceCount, result.p95Error, result.maxError, result.notes], [2, 0.123, 0.3, ['a note']]);
});

test('of very many services those with the largest errors are told, in the order of the twin', async () => {
  const { result } = await fit(
    Array.from({ length: 300 }, (_, s) => error(`service-with-a-long-name-${s}`, (s % 100) / 100)),
    Array.from({ length: 50 }, (_, index) => `note ${index}`),
  );
  assert.equal(result.serviceCount, 300);
  assert.equal(result.services.length, 100);
  assert.ok(Math.min(...result.services.map(({ cpuError }) => cpuError!)) >= 0.66);
  const places = result.services.map(({ service }) => Number(service.split('-').at(-1)));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.equal(result.notes.length, 20);
  assert.equal(result.notes[19], 'And 31 more.');
  assert.ok(JSON.stringify(result).length < 20_000);
});

test('a recording without a cluster has nothing to fit to', async () => {
  await assert.rejects(fit([], [], null), (failure: Error & { type?: string }) => failure.type === 'TWIN_UNFIT');
});

test('a job judges in the twin that the run was fitted', async () => {
  const artifacts = createMemoryArtifactStore();
  const twin = await artifacts.put(bytes('twin'));
  const recording = { artifact: await artifacts.put(bytes('recording')), parts: {} } as EvaluateInput['recording'];
  const jobs: EvaluateJob[] = [];
  const evaluateHere: NumericProcesses['evaluate'] = async (job) => {
    jobs.push(job);
    return { ...outcome, details: '{}' };
  };
  const { evaluatePolicies } = createEvaluationActivities({
    artifacts,
    numeric: { train: absent, evaluate: evaluateHere, fit: absent },
  });
  const input = { runId: 'r1', spec, recording, trained: [] };
  await new MockActivityEnvironment().run(evaluatePolicies, { ...input, twin });
  await new MockActivityEnvironment().run(evaluatePolicies, input);
  assert.deepEqual(
    jobs.map((job) => job.twin && Buffer.from(job.twin).toString()),
    ['twin', null],
  );
});

function error(service: string, cpuError: number, callsError: number | null = 0): TwinServiceErrors {
  return { service, cpuError, callsError, latencyError: 0.01 };
}

async function fit(services: TwinServiceErrors[], notes = ['a note'], cluster: string | null = 'series') {
  const artifacts = createMemoryArtifactStore();
  const jobs: { recording: string; maxError: number }[] = [];
  const numeric: NumericProcesses = {
    train: absent,
    evaluate: absent,
    fit: async ({ recording, maxError }) => {
      jobs.push({ recording: Buffer.from(recording).toString(), maxError });
      return { twin: '{"twin":1}', services, p95Error: 0.12345, notes };
    },
  };
  const { fitTwin } = createEvaluationActivities({ artifacts, numeric });
  const recording = { cluster: cluster && (await artifacts.put(bytes(cluster))) } as unknown as CollectedRecording;
  const input = { runId: 'r1', spec: { ...spec, fit: { maxError: 0.3 } }, recording };
  return { artifacts, jobs, result: (await new MockActivityEnvironment().run(fitTwin, input)) as FittedTwin };
}

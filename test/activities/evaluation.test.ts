import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createEvaluationActivities } from '../../activities/evaluation.ts';
import type { EvaluateInput } from '../../src/contracts/activities.ts';
import type { EvaluateJob, NumericProcesses } from '../../src/contracts/numeric.ts';
import type { EvaluationResult } from '../../src/contracts/runs.ts';
import { createMemoryArtifactStore } from '../fakes/memory-store.ts';
import { spec } from '../workflows/pipeline-fixture.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const outcome = {
  results: [],
  gate: { passed: true, reasons: [] },
  chosenSeed: 2,
  calibration: { hpaTargetPercent: 60, fixedReplicas: [] },
};

async function evaluate(run: NumericProcesses['evaluate'], mock = new MockActivityEnvironment()) {
  const artifacts = createMemoryArtifactStore();
  const policy = async (seed: number) => ({
    seed,
    bestScore: seed,
    policy: await artifacts.put(bytes(`policy ${seed}`)),
  });
  const recording = { artifact: await artifacts.put(bytes('recording')), parts: {} } as EvaluateInput['recording'];
  const input = { runId: 'r1', spec, recording, trained: [await policy(1), await policy(2)] };
  const numeric = { train: () => Promise.reject(new Error('not here')), evaluate: run };
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

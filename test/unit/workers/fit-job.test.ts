import assert from 'node:assert/strict';
import { test } from 'node:test';

import { childEnvironment } from '../../../config/child-environment.ts';
import type { EvaluateJob, TrainCompleted, TrainJob } from '../../../src/contracts/numeric.ts';
import { encodeClusterRecording } from '../../../src/recordings/cluster-recording-format.ts';
import { collect } from '../../../src/recordings/collect.ts';
import { algorithms } from '../../../src/rl/algorithms/index.ts';
import type { Application, ServiceParameters } from '../../../src/rl/environments/online-boutique/application.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import { createNumericProcesses } from '../../../workers/numeric/child-processes.ts';
import { runEvaluateJob } from '../../../workers/numeric/evaluate-job.ts';
import { runTrainJob } from '../../../workers/numeric/train-job.ts';
import { smallSpec } from '../../integration/small-pipeline.ts';
import { recordApplication, swing } from '../rl/twin/record-application.ts';

const never = new AbortController().signal;
const numeric = createNumericProcesses({ environment: childEnvironment() });

function service(name: string, serviceSeconds: number): ServiceParameters {
  return {
    ...{ name, serversPerPod: 2, serviceSeconds, serviceScv: 1, networkSeconds: 0.001, startupSeconds: 20 },
    ...{ terminationSeconds: 5, cpuRequestMillicores: 200, cpuIdleMillicores: 4, cpuBusyMillicores: 98 },
    ...{ minReplicas: 1, maxReplicas: 20 },
  };
}

const application: Application = {
  services: [service('web', 0.03), service('cart', 0.02), service('db', 0.005)],
  requests: [
    {
      name: 'buy',
      weight: 1,
      call: { service: 'web', calls: [{ service: 'cart', share: 0.5, calls: [{ service: 'db', times: 2 }] }] },
    },
  ],
};
const recorded = recordApplication(application, { bins: 800, requestsPerSecond: swing(60) });
const recording = encodeClusterRecording(recorded);

/** What the numeric process makes of the recording. */
const fitted = await numeric.fit({ recording, maxError: 0.2 }, never);
const twin = new TextEncoder().encode(fitted.twin);

test('a twin is fitted in a process of its own, the same each time', async () => {
  assert.deepEqual(
    fitted.services.map(({ service: name }) => name),
    ['web', 'cart', 'db'],
  );
  assert.ok(fitted.p95Error! < 0.1, `${fitted.p95Error}`);
  assert.deepEqual(await numeric.fit({ recording, maxError: 0.2 }, never), fitted);
});

test('a twin that is too far from the recording is refused across the process, with all errors', async () => {
  await assert.rejects(numeric.fit({ recording, maxError: 0.001 }, never), (error: Error & { details?: unknown[] }) => {
    assert.match(error.message, /fit\.maxError 0\.001/);
    assert.equal((error as { code?: string }).code, 'TWIN_UNFIT');
    assert.equal(error.details?.length, 3);
    return true;
  });
});

test('bytes that are no recording are refused', async () => {
  const cut = recording.subarray(0, 200);
  await assert.rejects(numeric.fit({ recording: cut, maxError: 0.2 }, never), { code: 'ARTIFACT_CORRUPT' });
});

for (const [name, agent] of [
  ['twin', smallSpec.agent],
  [
    'twin-graph',
    {
      algorithm: 'graph-ppo',
      hyperparameters: { rolloutSteps: 64, minibatchSize: 32, epochs: 1, width: 8, attentionWidth: 4, memoryWidth: 4 },
    },
  ],
] as const) {
  test(`a policy is trained and judged in ${name}`, async () => {
    const spec = parseRunSpec({
      ...smallSpec,
      environment: { name, parameters: { episodeSteps: 20 } },
      agent,
      train: { seeds: [1], totalSteps: 512, environments: 8, evaluateEverySteps: 512, checkpointEverySteps: 512 },
    });
    const { bytes, record } = await collect(spec.collect, { dataFolders: {}, minimumBins: 40 });
    const parts = { recording: bytes, parts: record.parts, twin };
    const job: TrainJob = { spec, ...parts, seed: 1, device: 'cpu', checkpoint: null };
    const hooks = { signal: never, onPoint: () => {}, onCheckpoint: async () => {} };
    const outcome = (await runTrainJob(job, algorithms, hooks)) as TrainCompleted;
    assert.equal(outcome.steps, 512);
    assert.ok(Number.isFinite(outcome.bestScore));
    const policies = [{ seed: 1, onnx: outcome.policy, bestScore: outcome.bestScore }];
    const evaluation = await runEvaluateJob({ spec, ...parts, policies } satisfies EvaluateJob, never);
    // A count for each of the three services, or for each slot.
    assert.equal(evaluation.calibration.fixedReplicas.length, name === 'twin' ? 3 : 11);
    await assert.rejects(runTrainJob({ ...job, twin: null }, algorithms, hooks), {
      code: 'ENVIRONMENT_INVALID',
      message: /needs a twin/,
    });
  });
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { obtainTemporal } from '../../scripts/local-services/obtain-temporal.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import type { RunReport } from '../../src/contracts/runs.ts';
import { createFolderArtifactStore } from '../../src/store/artifacts/folder-artifact-store.ts';
import { startPipelineProcesses, until } from './pipeline-processes.ts';
import type { PipelineProcesses } from './pipeline-processes.ts';
import { assertNoSecrets } from './planted-secrets.ts';
import { smallSpec } from './small-pipeline.ts';

const wandbKey = 'planted-0123456789abcdef';
let processes: PipelineProcesses;
before(async () => {
  processes = await startPipelineProcesses(undefined, { WANDB_API_KEY: wandbKey, WANDB_MODE: 'disabled' });
  await processes.start('orchestrator');
  await processes.start('trainer');
});
after(() => processes.stop());

const tinySpec = { ...smallSpec, train: { ...smallSpec.train, totalSteps: 2_048, evaluateEverySteps: 1_024 } };

/** Ends of the run as Temporal and the store tell it. */
async function failureOf(spec: unknown): Promise<{ type: string; message: string; step: string | undefined }> {
  const run = await processes.startRun(spec);
  const error: unknown = await run.result().then(
    () => assert.fail('the run should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
  const record = await run.record();
  assert.equal(record?.status, 'failed');
  assert.equal(record?.failure?.code, error.cause.type);
  return { type: error.cause.type ?? '', message: error.cause.message, step: record?.step };
}

test('a run ends with the measures of three controllers, a verdict and a registered version', async () => {
  const run = await processes.startRun(tinySpec);
  const report = await run.result();
  assert.deepEqual(
    report.results.map(({ controller }) => controller),
    ['policy', 'hpa-calibrated', 'fixed'],
  );
  for (const { p95LatencySeconds, sloViolationRate, podSeconds, actionsPerMinute } of report.results) {
    for (const { mean, low, high } of [p95LatencySeconds, sloViolationRate, podSeconds, actionsPerMinute]) {
      assert.ok(low <= mean && mean <= high && Number.isFinite(low) && Number.isFinite(high));
    }
    assert.ok(p95LatencySeconds.mean > 0 && podSeconds.mean > 0);
    assert.ok(sloViolationRate.low >= 0 && sloViolationRate.high <= 1);
  }
  assert.ok((report.gate?.reasons.length ?? 0) >= 2);
  assert.match(report.placement?.reason ?? '', /CPU/);
  const version = await processes.store.models.getVersion('small', report.model!.version);
  assert.equal(version?.lineage.runId, run.runId);
  assert.equal(version?.lineage.recordingSha256, report.recording?.artifact.sha256);
  assert.deepEqual(version?.gate, report.gate);
  assert.ok(version?.lineage.versions.onnxruntime ?? version?.lineage.versions['onnxruntime-node']);
});

test('the registered policy is an ONNX file that acts', async () => {
  const report = await (await processes.startRun(tinySpec)).result();
  const version = await processes.store.models.getVersion('small', report.model!.version);
  const artifacts = await createFolderArtifactStore(processes.environment.COXSWAIN_ARTIFACTS);
  const { loadPolicy } = await import('../../src/rl/policy.ts');
  const policy = await loadPolicy(await artifacts.get(version!.policy));
  const observation = new Float32Array(policy.observationSize);
  const actions = await policy.act(observation, new Uint8Array(policy.actionMaskSize).fill(1));
  assert.equal(actions.length, 11);
  assert.ok(actions.every((action) => action >= 0 && action < 15));
  await policy.dispose();
});

test('the recording is the same artifact for the same spec', async () => {
  const first = await (await processes.startRun(tinySpec)).result();
  const second = await (await processes.startRun(tinySpec)).result();
  assert.equal(first.recording?.artifact.sha256, second.recording?.artifact.sha256);
});

test("Temporal's own tool starts a run, and its result is the report", async () => {
  const temporal = await obtainTemporal();
  const runId = uniqueName('cli');
  const file = join(processes.environment.COXSWAIN_ARTIFACTS, '..', 'run.json');
  writeFileSync(file, JSON.stringify(tinySpec));
  const connection = [
    '--address',
    processes.environment.TEMPORAL_ADDRESS,
    '--namespace',
    processes.environment.TEMPORAL_NAMESPACE,
  ];
  const start = ['workflow', 'start', '--type', 'pipelineWorkflow', '--task-queue', 'orchestration'];
  const run = promisify(execFile);
  const path = typeof temporal === 'string' ? temporal : (temporal as { path: string }).path;
  await run(path, [...start, ...connection, '--workflow-id', runId, '--input-file', file]);
  const report = (await processes.client.workflow.getHandle(runId).result()) as RunReport;
  assert.equal(report.status, 'completed');
  assert.equal((await processes.store.runs.getRun(runId))?.report?.model?.name, 'small');
});

test('an unknown field is refused with its path and the nearest name', async () => {
  const failure = await failureOf({ ...tinySpec, train: { ...tinySpec.train, totalStep: 5 } });
  assert.equal(failure.type, 'SPEC_INVALID');
  assert.match(failure.message, /train.*totalStep.*totalSteps/s);
  assert.equal(failure.step, 'validate');
});

test('an unknown hyperparameter is refused before anything is collected', async () => {
  const failure = await failureOf({ ...tinySpec, agent: { algorithm: 'ppo', hyperparameters: { learningRat: 1 } } });
  assert.equal(failure.type, 'SPEC_INVALID');
  assert.match(failure.message, /learningRat.*learningRate/s);
});

test('a folder that the worker does not offer is refused, whoever started the run', async () => {
  const source = {
    kind: 'file',
    folder: 'elsewhere',
    path: 'x.csv',
    layout: { kind: 'long', timeColumn: 'a', countColumn: 'b' },
  };
  const failure = await failureOf({ ...tinySpec, collect: { source } });
  assert.equal(failure.type, 'NOT_ALLOWED');
  assert.match(failure.message, /elsewhere/);
});

test('an unreadable trace names the file and the line, and leaves no recording', async () => {
  const rows = ['time,count', '2024-01-01 00:00:00,5', '2024-01-01 00:01:00,-7'];
  writeFileSync(join(processes.environment.COXSWAIN_ARTIFACTS, '..', 'bad.csv'), rows.join('\n'));
  const layout = { kind: 'long', timeColumn: 'time', countColumn: 'count' };
  const source = { kind: 'file', folder: 'traces', path: 'bad.csv', layout, fileBinSeconds: 60 };
  const failure = await failureOf({ ...tinySpec, collect: { source } });
  assert.equal(failure.type, 'TRACE_UNREADABLE');
  assert.match(failure.message, /bad\.csv.*line 3/s);
  assert.equal(failure.step, 'collect');
});

test('a training that diverges ends the run with TRAINING_DIVERGED and leaves no version', async () => {
  const before = (await processes.store.models.listVersions('diverging')).length;
  // No gradient reaches a masked choice, and 0 / (0 + 0) is not a number.
  const hyperparameters = { ...tinySpec.agent.hyperparameters, adamEpsilon: 1e-60 };
  const failure = await failureOf({
    ...tinySpec,
    agent: { algorithm: 'ppo', hyperparameters },
    register: { model: 'diverging', alias: 'champion' },
  });
  assert.equal(failure.type, 'TRAINING_DIVERGED');
  assert.equal(failure.step, 'train');
  assert.equal((await processes.store.models.listVersions('diverging')).length, before);
});

test('device gpu without a GPU worker fails with what to do', async () => {
  const failure = await failureOf({ ...tinySpec, device: 'gpu' });
  assert.equal(failure.type, 'DEVICE_UNAVAILABLE');
  assert.match(failure.message, /--device cuda/);
});

test('nothing of a failed or finished run goes on', async () => {
  await until(async () => processes.numericChildren().length === 0);
});

test('a secret of the workers is in no document, history, log, artifact or report', async () => {
  const { environment, client } = processes;
  const { MONGODB_URL: url, COXSWAIN_DATABASE: database, COXSWAIN_ARTIFACTS: artifacts } = environment;
  const run = await processes.startRun(tinySpec);
  const report = await run.result();
  const searched = await assertNoSecrets([{ name: 'WANDB_API_KEY', value: wandbKey }], {
    mongo: { url, database },
    temporal: client,
    // The logs of the programs lie beside the artifacts.
    files: [dirname(artifacts)],
    texts: { report, record: await run.record() },
  });
  assert.ok(searched.documents > 10 && searched.historyEvents > 50 && searched.files > 5, JSON.stringify(searched));
});

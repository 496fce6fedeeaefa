import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { ArtifactStore } from '../../../src/contracts/stores.ts';
import { readModelUpload } from '../../../src/tracking/model-upload.ts';
import { pipelineRun, trackedRunsOf } from '../../../src/tracking/tracked-run-names.ts';
import type { ModelUpload } from '../../../src/tracking/tracker.ts';
import { createTrackedScenario } from '../../fakes/wandb-scenario.ts';

async function upload(
  options: { status?: 'completed' | 'failed'; artifacts?: ArtifactStore; name?: typeof pipelineRun } = {},
): Promise<{ model: ModelUpload | null; warnings: string[] }> {
  const { store, artifacts, runId, finish } = await createTrackedScenario();
  await finish(options.status);
  const run = await store.runs.getRun(runId);
  assert.ok(run);
  const warnings: string[] = [];
  const ports = { store, artifacts: options.artifacts ?? artifacts };
  const model = await readModelUpload(ports, run, options.name ?? pipelineRun, (warning) => warnings.push(warning));
  return { model, warnings };
}

function brokenStore(code: 'ARTIFACT_CORRUPT' | 'STORE_UNAVAILABLE'): ArtifactStore {
  const fail = (): Promise<never> => Promise.reject(new CoxswainError(code, 'Bytes differ.'));
  return { put: fail, get: fail, has: fail };
}

test('the upload has policy, metadata, aliases and where the version comes from', async () => {
  const { model } = await upload();
  assert.ok(model);
  assert.equal(model.name, 'boutique-policy');
  assert.deepEqual(model.aliases, ['version-1', 'champion']);
  assert.deepEqual(
    model.files.map(({ name, bytes }) => [name, bytes.length]),
    [
      ['policy.onnx', 2100],
      ['policy.json', 26],
    ],
  );
  const { runId, seed, weightsSha256 } = model.metadata.lineage as Record<string, unknown>;
  assert.deepEqual([runId, seed, weightsSha256], ['boutique-1', 1, 'b'.repeat(64)]);
  assert.deepEqual(model.metadata.gate, { passed: true, reasons: ['Fewer violations.'] });
});

test("no alias of W&B's own form v1 is asked for", async () => {
  const { model } = await upload();
  assert.equal(
    model?.aliases.some((alias) => /^v\d+$/.test(alias)),
    false,
  );
});

test('a run without a model, and a seed, upload none', async () => {
  assert.equal((await upload({ status: 'failed' })).model, null);
  assert.equal((await upload({ name: trackedRunsOf(['train/seed-1'])[0] })).model, null);
});

test('a damaged artifact is a warning, an absent store an error to try again after', async () => {
  const { model, warnings } = await upload({ artifacts: brokenStore('ARTIFACT_CORRUPT') });
  assert.equal(model, null);
  assert.deepEqual(warnings, ['The model is not in W&B: Bytes differ.']);
  await assert.rejects(upload({ artifacts: brokenStore('STORE_UNAVAILABLE') }), { code: 'STORE_UNAVAILABLE' });
});

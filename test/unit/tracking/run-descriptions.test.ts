import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRecord } from '../../../src/contracts/stores.ts';
import { describeRun, exitCodeOf, summarise } from '../../../src/tracking/run-descriptions.ts';
import { pipelineRun, trackedRunsOf } from '../../../src/tracking/tracked-run-names.ts';
import { createTrackedScenario } from '../../fakes/wandb-scenario.ts';

const target = { project: 'proj', entity: null, tags: ['nightly'] };
const [seedRun] = trackedRunsOf(['train/seed-2']);

async function finishedRun(status: 'completed' | 'failed' | 'cancelled', runId?: string): Promise<RunRecord> {
  const scenario = await createTrackedScenario(runId);
  await scenario.finish(status);
  const run = await scenario.store.runs.getRun(scenario.runId);
  assert.ok(run);
  return run;
}

test('a run is grouped by its pipeline and found by its id in tags and config', async () => {
  const description = describeRun(await finishedRun('completed'), seedRun, target);
  const { group, jobType, tags, commit, displayName, project, entity, config } = description;
  assert.deepEqual(
    { group, jobType, tags, commit, displayName, project, entity },
    {
      group: 'boutique',
      jobType: 'train',
      tags: ['nightly', 'boutique-1'],
      commit: 'abc1234',
      displayName: 'boutique-1 seed-2',
      project: 'proj',
      entity: null,
    },
  );
  assert.equal(config.runId, 'boutique-1');
  assert.equal(config.seed, 2);
  assert.deepEqual((config.train as { seeds: number[] }).seeds, [1, 2]);
  assert.equal('tracking' in config, false);
});

test("the pipeline's own run bears the run's id and no seed", async () => {
  const { displayName, jobType, config } = describeRun(await finishedRun('completed'), pipelineRun, target);
  assert.deepEqual([displayName, jobType, config.seed], ['boutique-1', 'evaluate', undefined]);
});

test("an id that is longer than W&B's tags is no tag", async () => {
  const { tags } = describeRun(await finishedRun('completed', 'r'.repeat(65)), pipelineRun, target);
  assert.deepEqual(tags, ['nightly']);
});

test("the pipeline's summary has verdict, model and each controller's measures with their intervals", async () => {
  const summary = summarise(await finishedRun('completed'), pipelineRun);
  const { status, seconds } = summary;
  assert.deepEqual([status, seconds], ['completed', 42]);
  assert.deepEqual([summary['gate/passed'], summary['gate/reasons']], [true, 'Fewer violations.']);
  assert.deepEqual(
    [summary['model/name'], summary['model/version'], summary['model/alias']],
    ['boutique-policy', 1, 'champion'],
  );
  const latency = 'heldOut/policy/p95LatencySeconds';
  assert.deepEqual([summary[latency], summary[`${latency}/low`], summary[`${latency}/high`]], [0.2, 0.1, 0.3]);
});

test('a failed run says what failed', async () => {
  const summary = summarise(await finishedRun('failed'), pipelineRun);
  assert.equal(summary['failure/code'], 'TRAINING_DIVERGED');
  assert.equal(summary['gate/passed'], undefined);
});

test("a seed's summary has its own training and whether its policy went forward", async () => {
  const run = await finishedRun('completed');
  const { bestScore, chosen } = summarise(run, seedRun);
  assert.deepEqual([bestScore, chosen], [-2, false]);
  assert.equal(summarise(run, trackedRunsOf(['train/seed-1'])[0]).chosen, true);
  assert.deepEqual(summarise(run, trackedRunsOf(['train/seed-3'])[0]), {});
});

test('the exit code tells completed, failed and cancelled apart', () => {
  assert.deepEqual(
    (['completed', 'failed', 'cancelled'] as const).map((status) => exitCodeOf({ status })),
    [0, 1, 255],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainCompleted, TrainJob, TrainPoint } from '../../../src/contracts/numeric.ts';
import { collect } from '../../../src/recordings/collect.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import { algorithms } from '../../../src/rl/algorithms/index.ts';
import { runTrainJob } from '../../../workers/numeric/train-job.ts';
import { smallSpec } from '../../integration/small-pipeline.ts';

const train = { seeds: [1], totalSteps: 2_048, environments: 8, evaluateEverySteps: 1_024, checkpointEverySteps: 512 };
const spec = parseRunSpec({ ...smallSpec, train });
const { bytes: recording, record } = await collect(spec.collect, { dataFolders: {}, minimumBins: 40 });
const job: TrainJob = { spec, recording, parts: record.parts, seed: 1, device: 'cpu', checkpoint: null };

async function run(checkpoint: Uint8Array | null) {
  const points: TrainPoint[] = [];
  const checkpoints: Uint8Array[] = [];
  const signal = new AbortController().signal;
  const outcome = await runTrainJob({ ...job, checkpoint }, algorithms, {
    signal,
    onPoint: (point) => void points.push(point),
    onCheckpoint: async ({ bytes }) => void checkpoints.push(bytes.slice()),
  });
  return { outcome: outcome as TrainCompleted, points, checkpoints };
}

const undisturbed = await run(null);

test('a job tells every update and every evaluation, and ends with its best policy', () => {
  const { outcome, points } = undisturbed;
  const stepsOf = (series: string): number[] =>
    points.filter((point) => point.series === series).map(({ step }) => step);
  assert.deepEqual(stepsOf('train'), [512, 1024, 1536, 2048]);
  assert.deepEqual(stepsOf('validate'), [1024, 2048]);
  assert.ok(points.every(({ values }) => Object.values(values).every(Number.isFinite)));
  const scores = points.filter(({ series }) => series === 'validate').map(({ values }) => values.score);
  assert.equal(outcome.bestScore, Math.min(...scores));
  assert.equal(JSON.parse(outcome.policyMetadata).environment, 'online-boutique');
});

test('a job that goes on from any of its checkpoints, also from its last one, ends the same', async () => {
  assert.ok(undisturbed.outcome.episodes > 0);
  for (const checkpoint of undisturbed.checkpoints) {
    assert.deepEqual((await run(checkpoint)).outcome, undisturbed.outcome);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainCompleted, TrainJob, TrainPoint } from '../../../src/contracts/numeric.ts';
import { collect } from '../../../src/recordings/collect.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';
import { algorithms } from '../../../src/rl/algorithms/index.ts';
import { runEvaluateJob } from '../../../workers/numeric/evaluate-job.ts';
import { runTrainJob } from '../../../workers/numeric/train-job.ts';
import { smallSpec } from '../../integration/small-pipeline.ts';

const train = { seeds: [1], totalSteps: 2_048, environments: 8, evaluateEverySteps: 1_024, checkpointEverySteps: 512 };
const spec = parseRunSpec({ ...smallSpec, train });
const { bytes: recording, record } = await collect(spec.collect, { dataFolders: {}, minimumBins: 40 });
const job: TrainJob = { spec, recording, parts: record.parts, twin: null, seed: 1, device: 'cpu', checkpoint: null };

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

test('a job of another algorithm in another environment is trained, judged with its memory, and exported', async () => {
  const environment = { name: 'service-graph', parameters: { episodeSteps: 20 } };
  const agent = {
    algorithm: 'graph-ppo',
    hyperparameters: { rolloutSteps: 64, minibatchSize: 32, epochs: 1, width: 8, attentionWidth: 4, memoryWidth: 4 },
  };
  const graphSpec = parseRunSpec({
    ...smallSpec,
    environment,
    agent,
    train: { ...train, totalSteps: 64, evaluateEverySteps: 64, checkpointEverySteps: 64 },
  });
  const points: TrainPoint[] = [];
  const outcome = (await runTrainJob({ ...job, spec: graphSpec }, algorithms, {
    signal: new AbortController().signal,
    onPoint: (point) => void points.push(point),
    onCheckpoint: async () => {},
  })) as TrainCompleted;
  const { algorithm, environment: trainedIn, memorySize } = JSON.parse(outcome.policyMetadata);
  assert.deepEqual([algorithm, trainedIn], ['graph-ppo', 'service-graph']);
  assert.ok(memorySize > 0);
  assert.deepEqual(
    points.map(({ series, step }) => [series, step]),
    [
      ['train', 64],
      ['validate', 64],
    ],
  );
  const evaluation = await runEvaluateJob(
    {
      spec: graphSpec,
      recording,
      parts: record.parts,
      twin: null,
      policies: [{ seed: 1, onnx: outcome.policy, bestScore: 1 }],
    },
    new AbortController().signal,
  );
  assert.deepEqual(
    evaluation.results.map(({ controller }) => controller),
    ['policy', 'hpa-calibrated', 'fixed'],
  );
  assert.equal(evaluation.calibration.fixedReplicas.length, 20);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { failureOf } from '../../activities/failures.ts';
import { createTrainingActivities } from '../../activities/training.ts';
import type { TrainSeedInput } from '../../src/contracts/activities.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type {
  NumericProcesses,
  TrainCompleted,
  TrainHooks,
  TrainJob,
  TrainOutcome,
} from '../../src/contracts/numeric.ts';
import { fenceOf } from '../../src/contracts/stores.ts';
import type { ArtifactReference, ArtifactStore, Store } from '../../src/contracts/stores.ts';
import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { spec } from '../workflows/pipeline-fixture.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | null): string | null => value && new TextDecoder().decode(value);

const completed: TrainCompleted = {
  status: 'completed',
  steps: 1000,
  episodes: 4,
  weightsSha256: 'w',
  bestStep: 900,
  bestScore: 3,
  policy: bytes('policy'),
  policyMetadata: '{"versions":{}}',
  warnings: [],
};

interface HeartbeatDetails {
  checkpoint: { step: number } | null;
  defects: number;
}

interface Bench {
  readonly store: Store;
  readonly artifacts: ArtifactStore;
  readonly jobs: TrainJob[];
  readonly events: string[];
  run(
    train: (job: TrainJob, hooks: TrainHooks, signal: AbortSignal) => Promise<TrainOutcome>,
    attempt?: Partial<Attempt>,
  ): Promise<unknown>;
}

interface Attempt {
  attempt: number;
  generation: number;
  heartbeatDetails: unknown;
  environment: MockActivityEnvironment;
  twin: ArtifactReference;
}

async function createBench(store = createMemoryStore()): Promise<Bench> {
  const artifacts = createMemoryArtifactStore();
  const recording = await artifacts.put(bytes('recording'));
  const jobs: TrainJob[] = [];
  const events: string[] = [];
  return {
    store,
    artifacts,
    jobs,
    events,
    run(train, { attempt = 1, generation = 0, heartbeatDetails, environment, twin } = {}) {
      const numeric: NumericProcesses = {
        train(job, hooks, signal) {
          jobs.push(job);
          return train(job, hooks, signal);
        },
        evaluate: () => Promise.reject(new Error('not here')),
        fit: () => Promise.reject(new Error('not here')),
      };
      const activities = createTrainingActivities({ store, artifacts, numeric, client: null });
      const mock = environment ?? new MockActivityEnvironment({ attempt, heartbeatDetails });
      mock.on('heartbeat', (details: HeartbeatDetails) =>
        events.push(`heartbeat ${details.checkpoint?.step ?? '-'} ${details.defects}`),
      );
      return mock.run(activities.trainSeed, { ...inputOf(recording, generation), twin });
    },
  };
}

function inputOf(artifact: ArtifactReference, generation: number): TrainSeedInput {
  const recording = { artifact, parts: {} } as TrainSeedInput['recording'];
  const placement = { taskQueue: 'train-cpu', device: 'cpu', reason: '' } as const;
  return { runId: 'run', spec, recording, placement, seed: 7, generation };
}

const point = (step: number) => ({ series: 'train', step, values: { loss: step } }) as const;
const key = ['run', 'train/seed-7'] as const;

test('a checkpoint is stored after its points and before it is heartbeated', async () => {
  const bench = await createBench();
  const order = bench.events;
  const { store, artifacts } = bench;
  const append = store.metrics.appendPoints.bind(store.metrics);
  store.metrics.appendPoints = (points) =>
    append(points).then(() => void order.push(`points to ${points.at(-1)!.step}`));
  const put = artifacts.put.bind(artifacts);
  artifacts.put = (value) => put(value).then((reference) => (order.push(`bytes ${text(value)}`), reference));
  const save = store.checkpoints.saveCheckpoint.bind(store.checkpoints);
  store.checkpoints.saveCheckpoint = (record) => save(record).then(() => void order.push(`record ${record.step}`));
  await bench.run(async (_job, hooks) => {
    hooks.onPoint(point(100));
    hooks.onPoint(point(200));
    await hooks.onCheckpoint({ step: 200, bytes: bytes('at 200') });
    return completed;
  });
  const first = order.indexOf('points to 200');
  assert.deepEqual(order.slice(first, first + 4), ['points to 200', 'bytes at 200', 'record 200', 'heartbeat 200 0']);
});

test('a job trains in the twin that the run was fitted, and in none when there is none', async () => {
  const bench = await createBench();
  const train = async (_job: TrainJob, hooks: TrainHooks): Promise<TrainOutcome> => {
    await hooks.onCheckpoint({ step: 1, bytes: bytes('end') });
    return completed;
  };
  await bench.run(train, { twin: await bench.artifacts.put(bytes('a twin')) });
  await bench.run(train, { generation: 1 });
  assert.deepEqual(
    bench.jobs.map(({ twin }) => twin && text(twin)),
    ['a twin', null],
  );
});

test('an attempt goes on from the newer of heartbeat and store', async () => {
  const bench = await createBench();
  const older = await bench.artifacts.put(bytes('older'));
  const newer = await bench.artifacts.put(bytes('newer'));
  await bench.store.checkpoints.saveCheckpoint({ runId: key[0], series: key[1], step: 300, artifact: older, fence: 1 });
  const checkpointed = async (_job: TrainJob, hooks: TrainHooks) => {
    await hooks.onCheckpoint({ step: 1000, bytes: bytes('last') });
    return completed;
  };
  await bench.run(checkpointed, {
    attempt: 2,
    heartbeatDetails: { checkpoint: { step: 400, artifact: newer }, defects: 0 },
  });
  assert.equal(text(bench.jobs[0].checkpoint), 'newer');
  await bench.run(checkpointed, {
    attempt: 3,
    heartbeatDetails: { checkpoint: { step: 400, artifact: newer }, defects: 0 },
  });
  assert.equal(text(bench.jobs[1].checkpoint), 'last');
});

test('a first attempt starts from the beginning', async () => {
  const bench = await createBench();
  await bench.run(async (_job, hooks) => {
    await hooks.onCheckpoint({ step: 1000, bytes: bytes('last') });
    return completed;
  });
  assert.equal(bench.jobs[0].checkpoint, null);
  assert.equal(bench.jobs[0].seed, 7);
});

test('the result names artifacts that are stored', async () => {
  const bench = await createBench();
  const result = (await bench.run(async (_job, hooks) => {
    await hooks.onCheckpoint({ step: 1000, bytes: bytes('last') });
    return completed;
  })) as { policy: ArtifactReference; checkpoint: ArtifactReference; policyMetadata: ArtifactReference };
  assert.equal(text(await bench.artifacts.get(result.policy)), 'policy');
  assert.equal(text(await bench.artifacts.get(result.checkpoint)), 'last');
  assert.equal(text(await bench.artifacts.get(result.policyMetadata)), '{"versions":{}}');
});

test('an attempt that was overtaken is refused and must not write', async () => {
  const bench = await createBench();
  const overtaken = bench.run(async (_job, hooks) => {
    await bench.store.checkpoints.takeOver(key[0], key[1], fenceOf(1, 1));
    await hooks.onCheckpoint({ step: 500, bytes: bytes('late') });
    return completed;
  });
  await assert.rejects(overtaken, (error: unknown) => {
    assert.ok(error instanceof ApplicationFailure);
    assert.equal(error.type, 'STALE_ATTEMPT');
    assert.equal(error.nonRetryable, true);
    return true;
  });
  assert.equal(await bench.store.checkpoints.latestCheckpoint(...key), null);
});

test('points that a resumed training repeats are stored once, as they were first written', async () => {
  const bench = await createBench();
  await bench
    .run(async (_job, hooks) => {
      hooks.onPoint(point(100));
      hooks.onPoint(point(200));
      await hooks.onCheckpoint({ step: 100, bytes: bytes('at 100') });
      throw new CoxswainError('CHILD_PROCESS_FAILED', 'killed');
    })
    .catch(() => {});
  await bench.run(
    async (_job, hooks) => {
      hooks.onPoint({ ...point(200), values: { loss: 999 } });
      hooks.onPoint(point(300));
      await hooks.onCheckpoint({ step: 300, bytes: bytes('at 300') });
      return completed;
    },
    { attempt: 2 },
  );
  const points = await bench.store.metrics.readPoints({ runId: 'run' });
  assert.deepEqual(
    points.map(({ step, values }) => [step, values.loss]),
    [
      [100, 100],
      [200, 200],
      [300, 300],
    ],
  );
});

test('a store that is away for a while costs time, not the attempt', async () => {
  const store = createMemoryStore();
  const save = store.checkpoints.saveCheckpoint.bind(store.checkpoints);
  let outages = 2;
  store.checkpoints.saveCheckpoint = async (record) => {
    if (outages-- > 0) throw new CoxswainError('STORE_UNAVAILABLE', 'away');
    return save(record);
  };
  const bench = await createBench(store);
  await bench.run(async (_job, hooks) => {
    await hooks.onCheckpoint({ step: 1000, bytes: bytes('last') });
    return completed;
  });
  assert.equal((await store.checkpoints.latestCheckpoint(...key))?.step, 1000);
});

test('a cancelled training ends as cancelled after its points are stored', async () => {
  const environment = new MockActivityEnvironment();
  const bench = await createBench();
  const run = bench.run(
    async (_job, hooks, signal) => {
      hooks.onPoint(point(100));
      environment.cancel();
      assert.ok(signal.aborted);
      return { status: 'cancelled' };
    },
    { environment },
  );
  await assert.rejects(run, CancelledFailure);
  assert.equal((await bench.store.metrics.readPoints({ runId: 'run' })).length, 1);
});

test('a process that keeps dying ends the run when it did so ten times without a checkpoint in between', async () => {
  const bench = await createBench();
  const die = async () => {
    throw new CoxswainError('CHILD_PROCESS_FAILED', 'killed');
  };
  const attempted = (defects: number, train: (job: TrainJob, hooks: TrainHooks) => Promise<never>) =>
    bench.run(train, { attempt: 500, heartbeatDetails: { checkpoint: null, defects } }).then(
      () => assert.fail('it should have failed'),
      (error: ApplicationFailure) => error.nonRetryable,
    );
  assert.equal(await attempted(8, die), false);
  assert.equal(bench.events.at(-1), 'heartbeat - 9');
  assert.equal(await attempted(9, die), true);
  const checkpointThenDie = async (_job: TrainJob, hooks: TrainHooks) => {
    await hooks.onCheckpoint({ step: 100, bytes: bytes('at 100') });
    return die();
  };
  assert.equal(await attempted(9, checkpointThenDie), false);
  assert.equal(bench.events.at(-1), 'heartbeat 100 1');
});

test('an outage is tried again without limit, what cannot be cured never', () => {
  assert.equal(failureOf(new CoxswainError('STORE_UNAVAILABLE', 'away'), 100_000).nonRetryable, false);
  assert.equal(failureOf(new CoxswainError('INTERNAL', 'a defect'), 60).nonRetryable, true);
  assert.equal(failureOf(new CoxswainError('TRAINING_DIVERGED', 'NaN'), 1).nonRetryable, true);
});

test('a cancellation is obeyed while the store is away', async () => {
  const store = createMemoryStore();
  store.checkpoints.takeOver = async () => {
    throw new CoxswainError('STORE_UNAVAILABLE', 'away');
  };
  const bench = await createBench(store);
  const environment = new MockActivityEnvironment();
  const run = bench.run(async () => completed, { environment });
  setTimeout(() => environment.cancel(), 50);
  await assert.rejects(run, CancelledFailure);
  assert.equal(bench.jobs.length, 0);
});

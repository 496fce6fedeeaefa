import type { RunReport, RunStatus, TrainedSeed } from '../../src/contracts/runs.ts';
import type { ArtifactStore, MetricPoint, Store } from '../../src/contracts/stores.ts';
import { parseRunSpec } from '../../src/spec/run-spec.ts';
import { createMemoryArtifactStore, createMemoryStore } from './memory-store.ts';

/** A run in stores, for mirroring. */
export interface TrackedScenario {
  readonly runId: string;
  readonly store: Store;
  readonly artifacts: ArtifactStore;
  /** Stores points of updates `from` … `to` (inclusive) of a seed: one `train` point each, a `validate` point each third. */
  train(seed: number, from: number, to: number): Promise<void>;
  /** Registers a model (of a completed run) and finishes the run. */
  finish(status?: RunStatus): Promise<void>;
}

/** Steps of an update. */
const stepsPerUpdate = 64;

/** A run of two seeds that has just started. The stores are in memory unless others are given. */
export async function createTrackedScenario(
  runId = 'boutique-1',
  { store, artifacts }: Pick<TrackedScenario, 'store' | 'artifacts'> = {
    store: createMemoryStore(),
    artifacts: createMemoryArtifactStore(),
  },
): Promise<TrackedScenario> {
  const spec = parseRunSpec({ version: 1, name: 'boutique', gitSha: 'abc1234', train: { seeds: [1, 2] } });
  await store.runs.createRun({ runId, spec, specSha256: 'f'.repeat(64), at: at(0) });
  return {
    runId,
    store,
    artifacts,
    async train(seed, from, to) {
      for (let update = from; update <= to; update++) await store.metrics.appendPoints(pointsOf(runId, seed, update));
    },
    async finish(status = 'completed') {
      const model = status === 'completed' ? await registerModel(runId, store, artifacts) : null;
      const failure =
        status === 'failed'
          ? ({ code: 'TRAINING_DIVERGED', message: 'A loss is not finite.', step: 'train' } as const)
          : null;
      const report = { ...reportOf(runId, status), model, failure };
      await store.runs.finishRun(runId, { status, step: 'register', failure, report, at: at(9_999) });
    },
  };
}

/** A moment of the run, seconds after its start. */
function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + seconds * 1000);
}

function pointsOf(runId: string, seed: number, update: number): MetricPoint[] {
  const step = update * stepsPerUpdate;
  const moment = at(update / 4);
  const train = { loss: 1 / update, episodeReturn: seed * update, approxKl: update === 2 ? NaN : 0.01 };
  const points = [{ runId, series: `train/seed-${seed}`, step, at: moment, values: train }];
  if (update % 3 !== 0) return points;
  return [
    ...points,
    { runId, series: `validate/seed-${seed}`, step, at: moment, values: { ...train, score: -update } },
  ];
}

async function registerModel(runId: string, store: Store, artifacts: ArtifactStore): Promise<RunReport['model']> {
  const policy = await artifacts.put(new TextEncoder().encode(`policy of ${runId}\n`.repeat(100)));
  const metadata = await artifacts.put(new TextEncoder().encode('{"versions":{"node":"24"}}'));
  const lineage = {
    runId,
    recordingSha256: 'a'.repeat(64),
    gitSha: 'abc1234',
    specSha256: 'f'.repeat(64),
    seed: 1,
    step: 128,
    weightsSha256: 'b'.repeat(64),
    versions: { node: '24' },
  };
  const gate = { passed: true, reasons: ['Fewer violations.'] };
  const version = { model: 'boutique-policy', policy, metadata, lineage, gate, at: at(9_000) };
  const registered = await store.models.registerVersion(version);
  return { name: 'boutique-policy', version: registered.version, alias: 'champion' };
}

function reportOf(runId: string, status: RunStatus): Omit<RunReport, 'model' | 'failure'> {
  const measure = { mean: 0.2, low: 0.1, high: 0.3 };
  const result = {
    p95LatencySeconds: measure,
    sloViolationRate: measure,
    podSeconds: measure,
    actionsPerMinute: measure,
  };
  const isComplete = status === 'completed';
  return {
    runId,
    status,
    seconds: 42,
    gate: isComplete ? { passed: true, reasons: ['Fewer violations.'] } : null,
    results: isComplete ? [{ controller: 'policy', ...result }] : [],
    recording: null,
    twin: null,
    deployment: null,
    placement: null,
    training: isComplete ? [trainedSeed(1), trainedSeed(2)] : [],
    evaluation: isComplete ? { chosenSeed: 1, hpaTargetPercent: 60, fixedReplicas: [2, 3] } : null,
    tracking: null,
  };
}

function trainedSeed(seed: number): TrainedSeed {
  const artifact = { sha256: 'c'.repeat(64), bytes: 1 };
  return {
    seed,
    steps: 640,
    episodes: 4,
    checkpoint: artifact,
    weightsSha256: 'd'.repeat(64),
    policy: artifact,
    policyMetadata: artifact,
    bestStep: 128,
    bestScore: -seed,
    seconds: 3,
    warnings: [],
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import type {
  CollectActivities,
  EvaluationActivities,
  OrchestrationActivities,
  TrackingActivities,
  TrainingActivities,
} from '../../src/contracts/activities.ts';
import { progressQuery } from '../../src/contracts/messages.ts';
import { workflowTypes } from '../../src/contracts/pipeline.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { CollectedRecording, FittedTwin, RunProgress, RunReport, TrainedSeed } from '../../src/contracts/runs.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { openWorkflowServer, stopWorkers } from './workflow-server.ts';
import type { RunningWorkers } from './workflow-server.ts';

export type AllActivities = OrchestrationActivities &
  CollectActivities &
  TrackingActivities &
  TrainingActivities &
  EvaluationActivities;

const artifact = (name: string) => ({ sha256: name.padEnd(64, '0'), bytes: 1 });

/** A spec with what the workflows read of it. */
export const spec = {
  version: 1,
  name: 'fixture',
  description: '',
  gitSha: 'abc1234',
  device: 'auto',
  environment: { name: 'online-boutique', parameters: {} },
  train: { seeds: [1, 2, 3], totalSteps: 1000, environments: 1, evaluateEverySteps: 100, checkpointEverySteps: 100 },
  register: { model: 'fixture', alias: 'champion' },
} as unknown as RunSpec;

/** A run in a twin of a live cluster. */
export const inTwin = {
  ...spec,
  collect: { source: { kind: 'cluster' } },
  environment: { name: 'twin', parameters: {} },
} as unknown as RunSpec;

export const trainedSeed = (seed: number): TrainedSeed => ({
  seed,
  steps: 1000,
  episodes: 10,
  checkpoint: artifact(`c${seed}`),
  weightsSha256: `w${seed}`,
  policy: artifact(`p${seed}`),
  policyMetadata: artifact(`m${seed}`),
  bestStep: 900,
  bestScore: 10 - seed,
  seconds: 1,
  warnings: [],
});

export const fittedTwin: FittedTwin = {
  artifact: artifact('t'),
  services: [
    { service: 'web', cpuError: 0.02, callsError: 0, latencyError: 0.05 },
    { service: 'db', cpuError: 0.08, callsError: null, latencyError: null },
  ],
  serviceCount: 2,
  p95Error: 0.031,
  maxError: 0.2,
  notes: ['The recording is a fixture.'],
};

const range = { from: 0, to: 10 };

const recording: CollectedRecording = {
  artifact: artifact('r'),
  bins: 30,
  binSeconds: 15,
  parts: { train: range, validate: range, heldOut: range },
  repairs: { interpolatedBins: 1, summedDuplicates: 2 },
  meanRequestsPerSecond: 5,
  peakRequestsPerSecond: 9,
  cluster: null,
};

/** Activities that succeed at once and note their calls. */
export function fakeActivities(calls: string[], overrides: Partial<AllActivities> = {}): AllActivities {
  const base: AllActivities = {
    validateRun: async () => ({ spec, specSha256: 'f'.repeat(64), trackingEnabled: false }),
    collectRecording: async () => recording,
    recordCluster: async () => ({ ...recording, cluster: artifact('c') }),
    fitTwin: async () => fittedTwin,
    placeTraining: async () => ({ taskQueue: taskQueues.trainCpu, device: 'cpu', reason: 'test' }),
    trainSeed: async ({ seed }) => trainedSeed(seed),
    evaluatePolicies: async () => ({
      results: [],
      gate: { passed: true, reasons: ['because'] },
      chosenSeed: 3,
      calibration: { hpaTargetPercent: 60, fixedReplicas: [1] },
      artifact: artifact('e'),
    }),
    registerModel: async () => ({ name: 'fixture', version: 1, alias: 'champion' }),
    awaitDeployment: async () => ({ opened: true }),
    recordStep: async () => {},
    finishRun: async () => {},
    recordTracking: async () => {},
    mirrorTracking: async () => ({ mode: 'online', sentPoints: 1, unsentPoints: 0, url: null, warnings: [] }),
    ...overrides,
  };
  const noted = Object.entries(base).map(([name, run]) => [
    name,
    note(calls, name, run as (input: unknown) => Promise<unknown>),
  ]);
  return Object.fromEntries(noted) as AllActivities;
}

function note(calls: string[], name: string, run: (input: unknown) => Promise<unknown>) {
  return (input: unknown): Promise<unknown> => {
    calls.push(describeCall(name, input));
    return run(input);
  };
}

function describeCall(name: string, input: unknown): string {
  const { step, stepStatus, status, seed } = input as Record<string, unknown>;
  if (name === 'recordStep') return `record ${String(step)} ${String(stepStatus)} (${String(status)})`;
  if (name === 'finishRun') return `finish ${String(status)} at ${String(step)}`;
  return seed === undefined ? name : `${name} ${String(seed)}`;
}

/** An activity body that works until it is cancelled. */
export async function untilCancelled(): Promise<never> {
  const { cancellationSignal, heartbeat } = Context.current();
  while (!cancellationSignal.aborted) {
    heartbeat();
    await sleep(50);
  }
  throw new CancelledFailure('stopped');
}

export interface WorkflowFixture {
  readonly client: Client;
  /** Serves the queues with the given activities, instead of those before; gives what starts a run on them. */
  serve(activities: AllActivities): Promise<() => Promise<RunUnderTest>>;
  /** Starts a run whose activities are the given ones; its workers stop with `stop`. */
  start(activities: AllActivities): Promise<RunUnderTest>;
  stop(): Promise<void>;
}

export interface RunUnderTest {
  readonly runId: string;
  readonly handle: WorkflowHandle;
  result(): Promise<RunReport>;
  progress(): Promise<RunProgress>;
  /** Resolves once the progress satisfies the condition. */
  until(condition: (progress: RunProgress) => boolean): Promise<RunProgress>;
}

/** A client and workers on the real test server, on the real queue names, in a namespace of their own. */
export async function createWorkflowFixture(): Promise<WorkflowFixture> {
  const server = await openWorkflowServer();
  const { client, native, namespace } = server;
  const running: RunningWorkers[] = [];

  const startWorkers = async (activities: AllActivities): Promise<void> => {
    await stopWorkers(running);
    const common = { connection: native, namespace, activities, shutdownGraceTime: '1s' } as const;
    const heartbeats = { maxHeartbeatThrottleInterval: '100ms', defaultHeartbeatThrottleInterval: '100ms' } as const;
    const queues = [taskQueues.trainCpu, taskQueues.evaluate, taskQueues.track, taskQueues.control];
    const workers = await Promise.all([
      Worker.create({ ...common, taskQueue: taskQueues.orchestration, workflowBundle: await workflowBundle() }),
      ...queues.map((taskQueue) => Worker.create({ ...common, ...heartbeats, taskQueue })),
    ]);
    running.push({ workers, ended: Promise.all(workers.map((worker) => worker.run())) });
  };

  const startRun = async (): Promise<RunUnderTest> => {
    const runId = uniqueName('run');
    const options = { taskQueue: taskQueues.orchestration, workflowId: runId, args: [{}] };
    return runUnderTest(runId, await client.workflow.start(workflowTypes.pipeline, options));
  };

  return {
    client,
    async serve(activities) {
      await startWorkers(activities);
      return startRun;
    },
    async start(activities) {
      await startWorkers(activities);
      return startRun();
    },
    async stop() {
      await stopWorkers(running);
      await server.close();
    },
  };
}

function runUnderTest(runId: string, handle: WorkflowHandle): RunUnderTest {
  const progress = (): Promise<RunProgress> => handle.query(progressQuery);
  return {
    runId,
    handle,
    result: () => handle.result() as Promise<RunReport>,
    progress,
    async until(condition) {
      for (;;) {
        const now = await progress();
        if (condition(now)) return now;
        await sleep(50);
      }
    },
  };
}

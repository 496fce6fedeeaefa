import { CancellationScope, setHandler, startChild, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import {
  collectProgressSignal,
  pauseSignal,
  progressQuery,
  resumeSignal,
  seedProgressSignal,
} from '../src/contracts/messages.ts';
import type { PipelineInput, TrainingInput, TrainingOutput } from '../src/contracts/pipeline.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import type { TrainedPolicy } from '../src/contracts/activities.ts';
import type { RunFailure, RunReport, RunStatus, StepName, TrainedSeed } from '../src/contracts/runs.ts';
import { searchAttributes } from '../src/contracts/search-attributes.ts';
import { plannedSteps } from '../src/domain/planned-steps.ts';
import { bestOf, summaries } from '../src/domain/step-summaries.ts';
import { collecting, evaluating, orchestration, recording as recordingLive } from './activity-stubs.ts';
import { describeFailure, endedByCancellation, failureToThrow } from './failures.ts';
import { deployModel } from './deploy-model.ts';
import { createPauseSwitch } from './pause-switch.ts';
import type { PauseSwitch } from './pause-switch.ts';
import { createRunLog } from './run-log.ts';
import type { RunLog } from './run-log.ts';
import { startTrackingMirror } from './tracking-mirror.ts';
import type { TrackingMirror } from './tracking-mirror.ts';
import { trainingWorkflow } from './training-workflow.ts';

/**
 * A run, from a RunSpec to a registered model: validate → collect → (fit, in a twin) → train → evaluate → register.
 *
 * The workflow's id is the run's id. Answers {@link progressQuery}; obeys {@link pauseSignal}, {@link resumeSignal} and
 * Temporal's own cancellation, which stops the work of any step within seconds and leaves the run `cancelled` in the
 * store. A failure ends it with an ApplicationFailure whose type is a code of the error table.
 */
export async function pipelineWorkflow(input: PipelineInput): Promise<RunReport> {
  const run = createRun();
  try {
    await runSteps(run, input);
    // From here on the run is completed: a cancellation that comes while the mirror is waited for changes nothing.
    return await CancellationScope.nonCancellable(() => finish(run, 'completed', null));
  } catch (error) {
    const failure = describeFailure(error, run.log.progress.step);
    const status = endedByCancellation(error) ? 'cancelled' : 'failed';
    await CancellationScope.nonCancellable(() => finish(run, status, status === 'failed' ? failure : null));
    throw failureToThrow(error, failure);
  }
}

interface Run {
  readonly runId: string;
  readonly log: RunLog;
  readonly pause: PauseSwitch;
  mirror: TrackingMirror | null;
}

function createRun(): Run {
  const runId = workflowInfo().workflowId;
  const log = createRunLog(runId);
  const pause = createPauseSwitch((paused) => log.setStatus(paused ? 'paused' : 'running'));
  setHandler(progressQuery, () => log.progress);
  setHandler(seedProgressSignal, (news) => log.addSeedProgress(news));
  setHandler(collectProgressSignal, (summary) => log.setCollectProgress(summary));
  upsertSearchAttributes([{ key: searchAttributes.kind, value: 'pipeline' }]);
  return { runId, log, pause, mirror: null };
}

async function runSteps(run: Run, input: PipelineInput): Promise<void> {
  const { runId, log, pause } = run;
  const { spec, specSha256, trackingEnabled } = await step(run, 'validate', summaries.validate, () =>
    orchestration.validateRun({ runId, spec: input }),
  );
  nameRun(spec);
  log.plan(spec);
  if (trackingEnabled) run.mirror = startTrackingMirror(runId);

  const recording = await step(run, 'collect', summaries.collect, () =>
    recordsCluster(spec) ? recordingLive.recordCluster({ runId, spec }) : collecting.collectRecording({ runId, spec }),
  );
  log.add({ recording });

  const fitted = plannedSteps(spec).includes('fit')
    ? await step(run, 'fit', summaries.fit, () => pause.run(() => evaluating.fitTwin({ runId, spec, recording })))
    : null;
  log.add({ twin: fitted });
  const twin = fitted?.artifact ?? null;

  const trained = await step(run, 'train', summaries.train, async () => {
    const placement = await orchestration.placeTraining({ device: spec.device });
    log.add({ placement });
    log.setTraining(
      spec.train.seeds.map((seed) => ({ seed, step: 0, totalSteps: spec.train.totalSteps, metrics: {} })),
    );
    return train(pause, { runId, spec, specSha256, recording, twin, placement });
  });
  log.add({ training: trained });
  upsertSearchAttributes([{ key: searchAttributes.bestScore, value: bestOf(trained).bestScore }]);

  const evaluation = await step(run, 'evaluate', summaries.evaluate, () =>
    pause.run(() => evaluating.evaluatePolicies({ runId, spec, recording, twin, trained: trained.map(policyOf) })),
  );
  const { results, gate, chosenSeed, calibration } = evaluation;
  log.add({ results, gate, evaluation: { chosenSeed, ...calibration } });

  const chosen = trained.find((seed) => seed.seed === chosenSeed)!;
  const model = await step(run, 'register', summaries.register, () =>
    orchestration.registerModel({ runId, spec, specSha256, recording, twin, trained: chosen, evaluation }),
  );
  log.add({ model });

  if (plannedSteps(spec).includes('deploy') && spec.deploy !== null) {
    const target = spec.deploy;
    const deployment = await step(run, 'deploy', summaries.deploy, () => deployModel(target, model, gate));
    log.add({ deployment });
  }
  // The online step takes its place here: a `step(...)` on the deployed model.
}

/** Runs one step of the plan: waits out a pause, keeps the log, and leaves the failed or cancelled step named in it. */
async function step<T>(run: Run, name: StepName, summarise: (result: T) => string, work: () => Promise<T>): Promise<T> {
  try {
    await run.pause.whenRunning();
    run.log.startStep(name);
    const result = await work();
    run.log.endStep(name, 'completed', summarise(result));
    return result;
  } catch (error) {
    run.log.endStep(name, endedByCancellation(error) ? 'cancelled' : 'failed', describeFailure(error, name).message);
    throw error;
  }
}

/** Of specs in older histories only what their workflows read is recorded, which was not the source. */
function recordsCluster({ collect }: Partial<RunSpec>): boolean {
  return collect?.source.kind === 'cluster';
}

/** Trains in a child workflow; a pause of the run is passed on to it. */
async function train(pause: PauseSwitch, input: TrainingInput): Promise<TrainingOutput> {
  const child = await startChild(trainingWorkflow, {
    workflowId: `${input.runId}/train`,
    args: [input],
    typedSearchAttributes: [
      { key: searchAttributes.kind, value: 'training' },
      { key: searchAttributes.model, value: input.spec.register.model },
      { key: searchAttributes.environment, value: input.spec.environment.name },
    ],
    staticSummary: `Train ${input.spec.train.seeds.length} seeds of ${input.spec.name}`,
  });
  const stopFollowing = pause.follow((paused) => child.signal(paused ? pauseSignal : resumeSignal));
  try {
    return await child.result();
  } finally {
    stopFollowing();
  }
}

function nameRun(spec: RunSpec): void {
  upsertSearchAttributes([
    { key: searchAttributes.model, value: spec.register.model },
    { key: searchAttributes.environment, value: spec.environment.name },
    ...(spec.gitSha === null ? [] : [{ key: searchAttributes.gitSha, value: spec.gitSha }]),
  ]);
}

/** Stores the end of the run first, and only then waits for the outside tracker, which must never hold a run up. */
async function finish(run: Run, status: RunStatus, failure: RunFailure | null): Promise<RunReport> {
  const { runId, log, mirror } = run;
  await log.recorded();
  const { step } = log.progress;
  const report = log.report(status, failure);
  await orchestration.finishRun({ runId, status, step, failure, report });
  if (mirror === null) return report;
  const tracking = await mirror.finish(status);
  await orchestration.recordTracking({ runId, tracking });
  return { ...report, tracking };
}

function policyOf({ seed, bestScore, policy }: TrainedSeed): TrainedPolicy {
  return { seed, bestScore, policy };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { OrchestrationActivities, RegisterInput } from '../src/contracts/activities.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import type { CollectedRecording, RegisteredModel, TrainingPlacement } from '../src/contracts/runs.ts';
import { taskQueues } from '../src/contracts/task-queues.ts';
import { withTranslatedErrors } from './failures.ts';
import { cancellationFailure, whileHeartbeating } from './heartbeat.ts';
import type { OrchestrationPorts } from './ports.ts';
import { versionsIn } from './policy-versions.ts';

/** Light activities of the orchestration queue; see the contract for what each promises. */
export function createOrchestrationActivities(ports: OrchestrationPorts): OrchestrationActivities {
  const { store } = ports;
  return withTranslatedErrors<OrchestrationActivities>({
    async validateRun({ runId, spec: input }) {
      const { spec, specSha256 } = ports.readSpec(input);
      await store.runs.createRun({ runId, spec, specSha256, at: new Date() });
      await refuseFinishedRun(ports, runId);
      return { spec, specSha256, trackingEnabled: ports.tracks(spec) };
    },
    collectRecording: ({ spec }) => whileHeartbeating(() => collectRecording(ports, spec)),
    placeTraining: ({ device }) => placeTraining(ports, device),
    registerModel: (input) => registerModel(ports, input),
    awaitDeployment: (wanted) => whileHeartbeating(() => awaitDeployment(ports, wanted)),
    recordStep: ({ runId, ...update }) =>
      store.runs.recordStep(runId, { ...update, at: new Date() }).catch(ignoreUnknownRun),
    finishRun: (end) => store.runs.finishRun(end.runId, { ...end, at: new Date() }),
    recordTracking: ({ runId, tracking }) => store.runs.recordTracking(runId, tracking),
  });
}

/** A finished run's record never changes: a workflow that is started again under its id must not run unrecorded. */
async function refuseFinishedRun({ store }: OrchestrationPorts, runId: string): Promise<void> {
  const run = await store.runs.getRun(runId);
  if (run === null || run.finishedAt === null) return;
  throw new CoxswainError(
    'RUN_FINISHED',
    `The run ${runId} is ${run.status} already. Start a new one under another id.`,
  );
}

/** Before its spec is validated a run is not in the store; `validateRun` or `finishRun` puts it there as it then is. */
function ignoreUnknownRun(error: unknown): void {
  if (!(error instanceof CoxswainError && error.code === 'RUN_NOT_FOUND')) throw error;
}

async function collectRecording(ports: OrchestrationPorts, spec: RunSpec): Promise<CollectedRecording> {
  const { cancellationSignal: signal } = Context.current();
  const { bytes, record } = await ports.collect(spec.collect, { minimumBins: ports.episodeSteps(spec), signal });
  const artifact = await ports.artifacts.put(bytes);
  await ports.store.recordings.saveRecording({ ...record, artifact, createdAt: new Date() });
  const { bins, binSeconds, parts, repairs, meanRequestsPerSecond, peakRequestsPerSecond } = record;
  return { artifact, bins, binSeconds, parts, repairs, meanRequestsPerSecond, peakRequestsPerSecond, cluster: null };
}

async function placeTraining(ports: OrchestrationPorts, device: RunSpec['device']): Promise<TrainingPlacement> {
  const cpu = { taskQueue: taskQueues.trainCpu, device: 'cpu' } as const;
  const gpu = { taskQueue: taskQueues.trainGpu, device: 'cuda' } as const;
  if (device === 'cpu') return { ...cpu, reason: 'The spec asks for a CPU.' };
  const hasGpuWorker = await ports.isPolled(taskQueues.gpuPresence);
  if (hasGpuWorker) return { ...gpu, reason: `A GPU worker polls ${taskQueues.trainGpu}.` };
  if (device === 'auto') return { ...cpu, reason: `No GPU worker polls ${taskQueues.trainGpu}, so the CPU trains.` };
  const message = `The spec asks for a GPU, but no worker polls ${taskQueues.trainGpu}. Start one with \`--device cuda\`, or ask for auto.`;
  throw new CoxswainError('DEVICE_UNAVAILABLE', message);
}

async function registerModel(ports: OrchestrationPorts, input: RegisterInput): Promise<RegisteredModel> {
  const { runId, spec, trained, evaluation } = input;
  const { model, alias } = spec.register;
  const { version } = await ports.store.models.registerVersion({
    model,
    policy: trained.policy,
    metadata: trained.policyMetadata,
    lineage: {
      runId,
      recordingSha256: input.recording.artifact.sha256,
      gitSha: spec.gitSha,
      specSha256: input.specSha256,
      seed: trained.seed,
      step: trained.bestStep,
      weightsSha256: trained.weightsSha256,
      versions: versionsIn(await ports.artifacts.get(trained.policyMetadata)),
    },
    gate: evaluation.gate,
    trainedFor: {
      environment: spec.environment,
      twin: input.twin ?? null,
      hpaTargetPercent: evaluation.calibration.hpaTargetPercent,
    },
    at: new Date(),
  });
  if (evaluation.gate.passed) await promote(ports, { runId, model, alias, version });
  return { name: model, version, alias: evaluation.gate.passed ? alias : null };
}

const deploymentPatienceMs = 60_000;
const deploymentPauseMs = 500;

async function awaitDeployment(
  { store }: OrchestrationPorts,
  { deployment, model, version }: Parameters<OrchestrationActivities['awaitDeployment']>[0],
): Promise<{ opened: boolean }> {
  const { cancellationSignal: signal } = Context.current();
  const deadlineMs = performance.now() + deploymentPatienceMs;
  for (;;) {
    const record = await store.control.getDeployment(deployment);
    const isOurs = record?.model.name === model && record.model.version === version;
    if (isOurs && record?.status === 'running') return { opened: true };
    if (performance.now() > deadlineMs) return { opened: false };
    await sleep(deploymentPauseMs, undefined, { signal }).catch(() => {
      throw cancellationFailure();
    });
  }
}

/** Moves the alias once for each run: a repeated attempt must not take it back from a run that came later. */
async function promote(
  ports: OrchestrationPorts,
  { runId, model, alias, version }: { runId: string; model: string; alias: string; version: number },
): Promise<void> {
  const { models } = ports.store;
  const history = await models.aliasHistory(model);
  if (history.some((move) => move.runId === runId && move.alias === alias)) return;
  const current = await models.getVersion(model, alias);
  await models.moveAlias({ model, alias, expected: current?.version ?? null, to: version, runId, at: new Date() });
}

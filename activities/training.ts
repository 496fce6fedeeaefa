import { Context } from '@temporalio/activity';
import type { TrainSeedInput, TrainingActivities } from '../src/contracts/activities.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import { seedProgressSignal } from '../src/contracts/messages.ts';
import type { TrainCompleted, TrainHooks, TrainPoint } from '../src/contracts/numeric.ts';
import type { SeedProgress, TrainedSeed } from '../src/contracts/runs.ts';
import { fenceOf } from '../src/contracts/stores.ts';
import type { ArtifactReference, CheckpointRecord } from '../src/contracts/stores.ts';
import { failureOf, isDefect, withTranslatedErrors } from './failures.ts';
import { cancellationFailure, startHeartbeat } from './heartbeat.ts';
import type { Heartbeat } from './heartbeat.ts';
import { createPointWriter } from './point-writer.ts';
import type { PointWriter } from './point-writer.ts';
import type { TrainingPorts } from './ports.ts';
import { untilStored } from './until-stored.ts';

/** A run hears of a seed's progress this many times, so that its history stays small. */
const progressSignalsPerSeed = 20;

/** A process that dies this often without a checkpoint in between ends the run. */
const maximumDefects = 10;

/** What an attempt leaves for the next one. */
interface HeartbeatDetails {
  /** The newest checkpoint; null before the first. */
  readonly checkpoint: DurableCheckpoint | null;
  /** Attempts since then that ended with a defect. Outages and lost workers do not count. */
  readonly defects: number;
}

interface DurableCheckpoint {
  readonly step: number;
  readonly artifact: ArtifactReference;
}

/** Activities of the training queues; see the contract for what each promises. */
export function createTrainingActivities(ports: TrainingPorts): TrainingActivities {
  return withTranslatedErrors<TrainingActivities>({
    async trainSeed(input) {
      const before = (Context.current().info.heartbeatDetails ?? nothingYet) as HeartbeatDetails;
      const heartbeat = startHeartbeat(before);
      const attempt = attemptOf(input, before, heartbeat);
      try {
        return await trainSeed(ports, attempt);
      } catch (error) {
        throw afterDefect(attempt, error);
      } finally {
        heartbeat.close();
      }
    },
  });
}

const nothingYet: HeartbeatDetails = { checkpoint: null, defects: 0 };

interface Attempt {
  readonly input: TrainSeedInput;
  readonly key: { readonly runId: string; readonly series: string };
  readonly fence: number;
  readonly signal: AbortSignal;
  readonly heartbeat: Heartbeat;
  details: HeartbeatDetails;
}

function attemptOf(input: TrainSeedInput, details: HeartbeatDetails, heartbeat: Heartbeat): Attempt {
  const { info, cancellationSignal: signal } = Context.current();
  const key = { runId: input.runId, series: `train/seed-${input.seed}` };
  return { input, key, fence: fenceOf(input.generation, info.attempt), signal, heartbeat, details };
}

async function trainSeed(ports: TrainingPorts, attempt: Attempt): Promise<TrainedSeed> {
  const { store, artifacts, numeric } = ports;
  const { input, key, fence, signal } = attempt;
  const startedMs = performance.now();
  const stored = await untilStored(() => store.checkpoints.takeOver(key.runId, key.series, fence), signal);
  const from = newer(attempt.details.checkpoint, stored);
  attempt.details = { ...attempt.details, checkpoint: from };
  const [recording, checkpoint, twin] = await untilStored(
    () =>
      Promise.all([
        artifacts.get(input.recording.artifact),
        from && artifacts.get(from.artifact),
        input.twin ? artifacts.get(input.twin) : null,
      ]),
    signal,
  );
  const points = createPointWriter(store.metrics, signal);
  const { spec, seed, placement } = input;
  const job = { spec, recording, parts: input.recording.parts, twin, seed, device: placement.device, checkpoint };
  const outcome = await numeric.train(job, hooksOf(ports, attempt, points), signal).finally(() => points.flush());
  if (outcome.status === 'cancelled') throw cancellationFailure();
  return trainedSeed(ports, attempt, outcome, (performance.now() - startedMs) / 1000);
}

/** The durability contract's "newer of heartbeat and store": either may lag behind the other after a kill. */
function newer(heartbeat: DurableCheckpoint | null, stored: CheckpointRecord | null): DurableCheckpoint | null {
  if (heartbeat === null || stored === null) return heartbeat ?? stored;
  return stored.step >= heartbeat.step ? stored : heartbeat;
}

/** Leaves the number of defects to the next attempt; after too many in a row there is none. */
function afterDefect(attempt: Attempt, error: unknown): unknown {
  if (!(error instanceof CoxswainError && isDefect(error))) return error;
  const defects = attempt.details.defects + 1;
  attempt.heartbeat.set({ ...attempt.details, defects });
  return failureOf(error, defects, maximumDefects);
}

/**
 * 1. Points up to a checkpoint are stored before the checkpoint, so a resumed run leaves no gap in a curve.
 * 2. The checkpoint's bytes are stored before its record, the record before the heartbeat.
 */
function hooksOf(ports: TrainingPorts, attempt: Attempt, points: PointWriter): TrainHooks {
  const { input, key, fence, heartbeat, signal } = attempt;
  const tell = progressTeller(ports, input);
  return {
    onPoint(point) {
      const at = new Date();
      points.add({ runId: key.runId, series: seriesOf(input.seed, point), step: point.step, at, values: point.values });
      tell(point);
    },
    async onCheckpoint({ step, bytes }) {
      await points.flush();
      const artifact = await untilStored(() => ports.artifacts.put(bytes), signal);
      await untilStored(() => ports.store.checkpoints.saveCheckpoint({ ...key, step, artifact, fence }), signal);
      attempt.details = { checkpoint: { step, artifact }, defects: 0 };
      heartbeat.set(attempt.details);
    },
  };
}

function seriesOf(seed: number, point: TrainPoint): string {
  return `${point.series}/seed-${seed}`;
}

/** Signals the run's workflow at each twentieth of the way. Only news for people: lost ones do no harm. */
function progressTeller(ports: TrainingPorts, { runId, seed, spec }: TrainSeedInput): (point: TrainPoint) => void {
  const { totalSteps } = spec.train;
  const log = Context.current().log;
  let told = -1;
  return ({ series, step, values }) => {
    const share = Math.floor((step / totalSteps) * progressSignalsPerSeed);
    if (ports.client === null || series !== 'train' || share <= told) return;
    told = share;
    const news: SeedProgress = { seed, step, totalSteps, metrics: values };
    ports.client.workflow
      .getHandle(runId)
      .signal(seedProgressSignal, news)
      .catch((error: unknown) => log.debug('The progress signal was lost', { error: String(error) }));
  };
}

async function trainedSeed(
  ports: TrainingPorts,
  attempt: Attempt,
  done: TrainCompleted,
  seconds: number,
): Promise<TrainedSeed> {
  const { signal, input, details } = attempt;
  const metadata = new TextEncoder().encode(done.policyMetadata);
  const [policy, policyMetadata] = await untilStored(
    () => Promise.all([ports.artifacts.put(done.policy), ports.artifacts.put(metadata)]),
    signal,
  );
  const { steps, episodes, weightsSha256, bestStep, bestScore, warnings } = done;
  const checkpoint = details.checkpoint!.artifact; // a training that completed has stored its last checkpoint
  return {
    seed: input.seed,
    steps,
    episodes,
    checkpoint,
    weightsSha256,
    policy,
    policyMetadata,
    bestStep,
    bestScore,
    seconds,
    warnings,
  };
}

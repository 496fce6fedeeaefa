import type { RunSpec } from './run-spec.ts';
import type {
  CollectedRecording,
  EvaluationResult,
  FittedTwin,
  RegisteredModel,
  RunFailure,
  RunReport,
  RunStatus,
  StepName,
  StepStatus,
  TrackingResult,
  TrainedSeed,
  TrainingPlacement,
} from './runs.ts';
import type { ArtifactReference } from './stores.ts';

/** Light activities of the orchestration queue. */
export interface OrchestrationActivities {
  /**
   * Checks the spec against the schema and this worker's configuration, fills in defaults and creates the run's record.
   * SPEC_INVALID, NOT_ALLOWED, RUN_CONFLICT. Idempotent by run id.
   */
  validateRun(input: {
    runId: string;
    spec: unknown;
  }): Promise<{ spec: RunSpec; specSha256: string; trackingEnabled: boolean }>;
  /**
   * Makes the recording from a file or the generator and stores it by content address. Idempotent by its content.
   * TRACE_UNREADABLE, RECORDING_TOO_SHORT.
   */
  collectRecording(input: { runId: string; spec: RunSpec }): Promise<CollectedRecording>;
  /** The queue to train on: looks who polls. DEVICE_UNAVAILABLE when `gpu` was asked for and no GPU worker polls. */
  placeTraining(input: { device: RunSpec['device'] }): Promise<TrainingPlacement>;
  /** Registers the chosen policy as the next version; moves the alias when the gate passed. Idempotent by run id. */
  registerModel(input: RegisterInput): Promise<RegisteredModel>;
  /**
   * Waits until the loop of a deployment has opened it with this version, for a minute at most: where no control worker
   * runs, that may be much later. Idempotent.
   */
  awaitDeployment(input: { deployment: string; model: string; version: number }): Promise<{ opened: boolean }>;
  /** Notes in the store where the run is. Idempotent by (run, step, status). */
  recordStep(input: {
    runId: string;
    status: RunStatus;
    step: StepName;
    stepStatus: StepStatus;
    summary: string;
  }): Promise<void>;
  /** Stores the end of the run and its report. Idempotent by run id; the first end stays. */
  finishRun(input: {
    runId: string;
    status: RunStatus;
    step: StepName;
    failure: RunFailure | null;
    report: RunReport;
  }): Promise<void>;
  /** Adds to a finished run's report how its mirror ended. Idempotent by run id. */
  recordTracking(input: { runId: string; tracking: TrackingResult }): Promise<void>;
}

/** Recordings of live clusters, on the control queue. */
export interface CollectActivities {
  /**
   * Records a cluster (`collect.source.kind: cluster`) and stores the arrivals, in the same format as from a file, and the
   * cluster's series. The time to record is fixed by the moment that the activity was first scheduled; each finished chunk
   * is stored, then heartbeated, and a later attempt goes on behind it. While Prometheus is away it waits. Not retryable:
   * NOT_ALLOWED, RECORDING_TOO_SHORT, RECORDING_INCOMPLETE, OBSERVATION_REFUSED, CLUSTER_REFUSED. Cancellation ends it at
   * once.
   */
  recordCluster(input: { runId: string; spec: RunSpec }): Promise<CollectedRecording>;
}

/** Activities of the track queue. */
export interface TrackingActivities {
  /**
   * Mirrors the run's metrics to the outside tracker until the run ends, then uploads the model. Heartbeats; goes on from
   * its ledger after a kill; never throws for the tracker's sake. Cancelled by the workflow when it takes too long.
   */
  mirrorTracking(input: { runId: string }): Promise<TrackingResult>;
}

/** Activities of the training queues. */
export interface TrainingActivities {
  /**
   * Trains one seed in a child process. Idempotent by (run, seed): goes on from the newest checkpoint. Heartbeats a
   * checkpoint only after it is stored. Not retryable: TRAINING_DIVERGED, ENVIRONMENT_INVALID, CHECKPOINT_INVALID,
   * DEVICE_UNAVAILABLE, STALE_ATTEMPT. Cancellation ends the child after its running update.
   */
  trainSeed(input: TrainSeedInput): Promise<TrainedSeed>;
}

export interface TrainSeedInput {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly recording: CollectedRecording;
  /** The fitted twin; null, or absent in runs begun before there were any, for environments of their own. */
  readonly twin?: ArtifactReference | null;
  readonly placement: TrainingPlacement;
  readonly seed: number;
  /** Rises with every resume after a pause; part of the fence. */
  readonly generation: number;
}

/** Activities of the evaluate queue. */
export interface EvaluationActivities {
  /**
   * Fits a twin to the cluster's recording in a child process and stores it by content address. Deterministic, so
   * repeating it gives the same twin. Not retryable: TWIN_UNFIT, ARTIFACT_CORRUPT.
   */
  fitTwin(input: FitInput): Promise<FittedTwin>;
  /**
   * Calibrates the baselines and chooses the seed on the validation part, then reads the held-out part once. In a child
   * process; deterministic, so repeating it gives the same result.
   */
  evaluatePolicies(input: EvaluateInput): Promise<EvaluationResult>;
}

export interface FitInput {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly recording: CollectedRecording;
}

export interface EvaluateInput {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly recording: CollectedRecording;
  /** The fitted twin; null, or absent in runs begun before there were any, for environments of their own. */
  readonly twin?: ArtifactReference | null;
  readonly trained: readonly TrainedPolicy[];
}

/** What the evaluation needs of a trained seed: payloads stay small, whatever their number. */
export type TrainedPolicy = Pick<TrainedSeed, 'seed' | 'bestScore' | 'policy'>;

export interface RegisterInput {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly specSha256: string;
  readonly recording: CollectedRecording;
  /** The fitted twin; null, or absent in runs begun before there were any, for environments of their own. */
  readonly twin?: ArtifactReference | null;
  readonly trained: TrainedSeed;
  readonly evaluation: EvaluationResult;
}

import type { ControlStore } from './control.ts';
import type { EnvironmentSpec, RunSpec } from './run-spec.ts';
import type { GateVerdict, RunFailure, RunReport, RunStatus, StepName, StepStatus, TrackingResult } from './runs.ts';

/** A content address: the SHA-256 of the bytes, and their number. */
export interface ArtifactReference {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Bytes by content address. Port; adapters: a local folder, S3.
 *
 * 1. `put` is atomic and idempotent: after it resolves the bytes are durable, before that nobody sees a part of them.
 * 2. `get` verifies the address: ARTIFACT_CORRUPT when the bytes differ, ARTIFACT_NOT_FOUND when there are none.
 * 3. A full disk is STORAGE_FULL, an unreachable store STORE_UNAVAILABLE, and both leave nothing half-written.
 */
export interface ArtifactStore {
  put(bytes: Uint8Array): Promise<ArtifactReference>;
  get(reference: ArtifactReference): Promise<Uint8Array>;
  has(reference: ArtifactReference): Promise<boolean>;
}

/**
 * Orders the writers of one thing: a higher fence wins, a lower one is refused with STALE_ATTEMPT. Made of the
 * activity's generation (rises with every pause and resume) and attempt (rises with every retry).
 */
export type Fence = number;

/** `generation · 1 000 000 + attempt`. */
export function fenceOf(generation: number, attempt: number): Fence {
  return generation * 1_000_000 + attempt;
}

/** A run as stored. */
export interface RunRecord {
  readonly runId: string;
  /** Empty when the spec was refused. */
  readonly pipeline: string;
  /** Null when the spec was refused. */
  readonly spec: RunSpec | null;
  /** SHA-256 of the normalised spec in canonical JSON; empty when the spec was refused. */
  readonly specSha256: string;
  readonly status: RunStatus;
  /** Where it is, or where it stopped. */
  readonly step: StepName;
  readonly steps: readonly StoredStep[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
  readonly failure: RunFailure | null;
  readonly report: RunReport | null;
}

export interface StoredStep {
  readonly name: StepName;
  readonly status: StepStatus;
  readonly summary: string;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface RunQuery {
  readonly status?: RunStatus;
  readonly pipeline?: string;
  /** Runs created before this one's id, for paging. */
  readonly before?: string;
  /** 1 … 200, default 50. */
  readonly limit?: number;
}

export interface RunStore {
  /** Idempotent by run id: the same id and spec hash again changes nothing; another spec hash is RUN_CONFLICT. */
  createRun(run: { runId: string; spec: RunSpec; specSha256: string; at: Date }): Promise<void>;
  /** The run, or null. */
  getRun(runId: string): Promise<RunRecord | null>;
  /** Newest first. */
  listRuns(query: RunQuery): Promise<readonly RunRecord[]>;
  /** Marks a step; the run's own status (running, paused) comes along. Not applied to a finished run. */
  recordStep(
    runId: string,
    update: { status: RunStatus; step: StepName; stepStatus: StepStatus; summary: string; at: Date },
  ): Promise<void>;
  /** Ends the run; idempotent, the first end stays. A run that never reached the store (its spec was refused) is created as failed, spec null. */
  finishRun(
    runId: string,
    end: { status: RunStatus; step: StepName; failure: RunFailure | null; report: RunReport; at: Date },
  ): Promise<void>;
  /** Adds to the report of a finished run how its mirror ended; idempotent, the last one stays. Ignored while the run goes on. */
  recordTracking(runId: string, tracking: TrackingResult): Promise<void>;
}

/** One point of a series: all values logged at one step. Keyed (runId, series, step). */
export interface MetricPoint {
  readonly runId: string;
  /** For example `train/seed-3`. */
  readonly series: string;
  readonly step: number;
  readonly at: Date;
  readonly values: Readonly<Record<string, number>>;
}

export interface MetricQuery {
  readonly runId: string;
  readonly series?: string;
  /** Points with a step above it. */
  readonly afterStep?: number;
  /** 1 … 10 000, default 1 000. */
  readonly limit?: number;
}

export interface MetricStore {
  /** Idempotent: a point that is there stays as it was first written. No gap, no duplicate. */
  appendPoints(points: readonly MetricPoint[]): Promise<void>;
  /** Ordered by series, then step. */
  readPoints(query: MetricQuery): Promise<readonly MetricPoint[]>;
  listSeries(runId: string): Promise<readonly string[]>;
}

export interface CheckpointRecord {
  readonly runId: string;
  readonly series: string;
  readonly step: number;
  readonly artifact: ArtifactReference;
  readonly fence: Fence;
}

export interface CheckpointStore {
  /** Takes over the series: from now on lower fences are refused. STALE_ATTEMPT when a higher one is there. */
  takeOver(runId: string, series: string, fence: Fence): Promise<CheckpointRecord | null>;
  /** Records a checkpoint whose bytes are stored. STALE_ATTEMPT for a lower fence; a lower step is refused likewise. */
  saveCheckpoint(record: CheckpointRecord): Promise<void>;
  latestCheckpoint(runId: string, series: string): Promise<CheckpointRecord | null>;
}

/** Half-open bin ranges [from, to) of the three parts, in time order. */
export interface RecordingParts {
  readonly train: BinRange;
  readonly validate: BinRange;
  readonly heldOut: BinRange;
}

export interface BinRange {
  readonly from: number;
  readonly to: number;
}

/** How often something had to be mended when the recording was made. */
export interface RecordingRepairs {
  /** File bins that were missing and were interpolated. */
  readonly interpolatedBins: number;
  /** Rows that repeated a bin and were added to it. */
  readonly summedDuplicates: number;
}

/** A recording's catalogue entry; its bytes are an artifact. */
export interface RecordingRecord {
  readonly artifact: ArtifactReference;
  /** For people: `generator`, or folder and path of the file. */
  readonly source: string;
  readonly bins: number;
  readonly binSeconds: number;
  readonly parts: RecordingParts;
  readonly repairs: RecordingRepairs;
  readonly meanRequestsPerSecond: number;
  readonly peakRequestsPerSecond: number;
  readonly createdAt: Date;
}

export interface RecordingStore {
  /** Idempotent by content address. */
  saveRecording(record: RecordingRecord): Promise<void>;
  getRecording(sha256: string): Promise<RecordingRecord | null>;
}

/** Where a model version comes from. */
export interface ModelLineage {
  readonly runId: string;
  readonly recordingSha256: string;
  readonly gitSha: string | null;
  readonly specSha256: string;
  readonly seed: number;
  readonly step: number;
  readonly weightsSha256: string;
  /** Package versions, Node version, CPU model and device of the training. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a policy can steer: what a deployment of it needs to know of its training. */
export interface TrainedFor {
  readonly environment: EnvironmentSpec;
  /** The fitted twin; null for an environment of its own. */
  readonly twin: ArtifactReference | null;
  /** CPU target of the HPA that the evaluation calibrated, percent. */
  readonly hpaTargetPercent: number;
}

export interface ModelVersion {
  readonly model: string;
  readonly version: number;
  /** Absent in versions that were registered before it was kept. */
  readonly trainedFor?: TrainedFor;
  /** The ONNX policy. */
  readonly policy: ArtifactReference;
  /** JSON: observation and action layout, normalisation. */
  readonly metadata: ArtifactReference;
  readonly lineage: ModelLineage;
  readonly gate: GateVerdict;
  readonly createdAt: Date;
}

/** One move of an alias; the history is append-only. */
export interface AliasMove {
  readonly model: string;
  readonly alias: string;
  readonly from: number | null;
  readonly to: number;
  readonly runId: string;
  readonly at: Date;
}

export interface ModelSummary {
  readonly model: string;
  readonly latestVersion: number;
  readonly aliases: Readonly<Record<string, number>>;
}

export interface ModelRegistry {
  /** The next version of `model`, by compare-and-set. Idempotent by (model, run): the same run gets its version again. */
  registerVersion(version: Omit<ModelVersion, 'version' | 'createdAt'> & { at: Date }): Promise<ModelVersion>;
  /** Moves an alias from `expected` (null = not there yet): REGISTRY_CONFLICT when it points elsewhere. Moving it to where it is changes nothing. */
  moveAlias(move: {
    model: string;
    alias: string;
    expected: number | null;
    to: number;
    runId: string;
    at: Date;
  }): Promise<void>;
  /** By number or alias; null when there is none. */
  getVersion(model: string, versionOrAlias: number | string): Promise<ModelVersion | null>;
  listVersions(model: string): Promise<readonly ModelVersion[]>;
  listModels(): Promise<readonly ModelSummary[]>;
  aliasHistory(model: string): Promise<readonly AliasMove[]>;
}

/**
 * What has reached an outside tracker, one ledger a tracked run. Lets a mirror go on exactly where another stopped.
 * `document` is the mirror's own JSON; writes are compare-and-set on `revision`.
 */
export interface TrackingLedgerStore {
  readLedger(key: string): Promise<{ revision: number; document: unknown } | null>;
  /** REGISTRY_CONFLICT when `expectedRevision` (null = new) is no longer current. Returns the new revision. */
  writeLedger(key: string, expectedRevision: number | null, document: unknown): Promise<number>;
}

/** Remembers webhook nonces so that a signed request works once. */
export interface NonceStore {
  /** True the first time; false when it was used. Entries may be dropped after `expiresAt`. */
  useNonce(nonce: string, expiresAt: Date): Promise<boolean>;
}

/** Everything that is kept in MongoDB. */
export interface Store {
  readonly runs: RunStore;
  readonly metrics: MetricStore;
  readonly checkpoints: CheckpointStore;
  readonly recordings: RecordingStore;
  readonly models: ModelRegistry;
  readonly trackingLedgers: TrackingLedgerStore;
  readonly nonces: NonceStore;
  readonly control: ControlStore;
  /** Creates collections and indexes; may run twice, also at the same time. */
  migrate(): Promise<void>;
  /** Resolves when the database answers; STORE_UNAVAILABLE otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

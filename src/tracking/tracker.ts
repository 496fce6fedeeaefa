import type { JsonValue } from '../contracts/run-spec.ts';

/**
 * What the mirror needs of an outside tracker (W&B). Port; adapters: `wandb-client.ts`, `null-tracker.ts`.
 *
 * 1. Every call ends within the adapter's own time limits, or as soon as `signal` is aborted (then it rejects with
 *    `signal.reason`).
 * 2. Every other failure is a {@link TrackerFailure}; its message never holds a credential.
 * 3. Every call may be repeated: a run is found again by its id, lines are replaced by equal ones at the same offset, a
 *    model with the same content is the same model.
 */
export interface Tracker {
  /** Creates the run, or finds it again and replaces its description. */
  startRun(run: RunDescription, signal: AbortSignal): Promise<StartedRun>;
  /** Stores the lines from `offset` on and replaces the summary. */
  appendHistory(run: StartedRun, batch: HistoryBatch, signal: AbortSignal): Promise<RunNews>;
  /** Replaces the summary. */
  updateSummary(run: StartedRun, summary: Summary, signal: AbortSignal): Promise<RunNews>;
  /** Says that the run is still alive. Wanted every 30 s, or the tracker shows the run as crashed. */
  sendHeartbeat(run: StartedRun, signal: AbortSignal): Promise<RunNews>;
  /** Stores a model version that `run` produced. Resolves when its files, version and aliases are all there. */
  uploadModel(run: StartedRun, model: ModelUpload, signal: AbortSignal): Promise<void>;
  /** Closes the run with its last summary. */
  finishRun(run: StartedRun, end: RunEnd, signal: AbortSignal): Promise<void>;
}

/** A run as the tracker shall show it. */
export interface RunDescription {
  /** Unique within the project; 1 … 64 letters, digits, `-` and `_`. */
  readonly id: string;
  readonly project: string;
  /** Owner of the project; null = the owner of the credentials. */
  readonly entity: string | null;
  readonly displayName: string;
  /** Runs of one group are shown together. */
  readonly group: string;
  /** What kind of work it is, for example `train`. */
  readonly jobType: string;
  readonly tags: readonly string[];
  /** A sentence for people. */
  readonly notes: string;
  /** Git commit, or null. */
  readonly commit: string | null;
  readonly config: Readonly<Record<string, JsonValue>>;
  readonly startedAt: Date;
}

/** A run that the tracker knows. */
export interface StartedRun {
  readonly id: string;
  readonly project: string;
  readonly entity: string;
  /** Where a person looks at it. */
  readonly url: string;
  /** History lines that the tracker says it has; may lag some seconds behind. 0 for a run that was not there. */
  readonly lines: number;
}

/** Latest values by key. */
export type Summary = Readonly<Record<string, JsonValue>>;

/** Lines of a run's history. */
export interface HistoryBatch {
  /** Index of the first line in the run's history. */
  readonly offset: number;
  /** JSON objects, one a line, without line ends. The line of an offset has the same bytes whenever it is sent. */
  readonly lines: readonly string[];
  readonly summary: Summary;
}

/** What the tracker's answer says beside success. */
export interface RunNews {
  /** True when somebody pressed Stop in the tracker. */
  readonly stopRequested: boolean;
}

export interface RunEnd {
  /** 0 = completed; anything else shows the run as failed. */
  readonly exitCode: number;
  readonly summary: Summary;
}

/** A model version as files. */
export interface ModelUpload {
  /** Name of the model's collection. */
  readonly name: string;
  readonly description: string;
  readonly aliases: readonly string[];
  readonly metadata: Readonly<Record<string, JsonValue>>;
  /** Names are unique. */
  readonly files: readonly ModelFile[];
}

export interface ModelFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Why a call failed, as far as it changes what to do next.
 *
 * - `unavailable`: down, slow, overloaded or broken off; the same call may work later. Whether it took effect is unknown.
 * - `refused`: the tracker understood and said no.
 * - `unauthorized`: the credentials are not accepted, so no other call will work either.
 */
export type TrackerFailureKind = 'unavailable' | 'refused' | 'unauthorized';

/** A failure of the outside tracker. It never leaves this room: the mirror makes a warning of it. */
export class TrackerFailure extends Error {
  readonly kind: TrackerFailureKind;

  constructor(kind: TrackerFailureKind, message: string) {
    super(message);
    this.name = 'TrackerFailure';
    this.kind = kind;
  }
}

import type { RunSpec } from './run-spec.ts';
import type { ControllerResult, GateVerdict, TwinServiceErrors } from './runs.ts';
import type { RecordingParts } from './stores.ts';

/**
 * Numeric work, which never runs in a worker's own process: `session.run` is synchronous, and a stalled event loop loses
 * heartbeats. A job is plain data and bytes: the child process sees no store, no address and no secret.
 */
export interface NumericProcesses {
  /**
   * Trains one seed in a child process.
   * @throws the child's CoxswainError; CHILD_PROCESS_FAILED when it died. After `signal` it resolves with status
   * `cancelled` once the child has stopped at an update boundary, or was killed because it did not.
   */
  train(job: TrainJob, hooks: TrainHooks, signal: AbortSignal): Promise<TrainOutcome>;
  /** Calibrates, chooses and evaluates in a child process. Throws as `train` does; rejects with `signal.reason` when aborted. */
  evaluate(job: EvaluateJob, signal: AbortSignal): Promise<EvaluateOutcome>;
  /** Fits a twin in a child process. Throws as `evaluate` does; TWIN_UNFIT when it is too far from the recording. */
  fit(job: FitJob, signal: AbortSignal): Promise<FitOutcome>;
}

export interface TrainJob {
  readonly spec: RunSpec;
  readonly recording: Uint8Array;
  readonly parts: RecordingParts;
  /** The twin fitted to the recording; null when the environment needs none. */
  readonly twin: Uint8Array | null;
  readonly seed: number;
  /** `cuda` = any free GPU of the worker. */
  readonly device: 'cpu' | 'cuda' | `cuda:${number}`;
  /** Where to go on; null = from the beginning. */
  readonly checkpoint: Uint8Array | null;
}

/** What a training tells while it goes on. */
export interface TrainHooks {
  /** Values of a step; steps rise, and repeat after a resume with the same values. Must not throw or block. */
  onPoint(point: TrainPoint): void;
  /** All state at a step. The child waits until it resolves: then the checkpoint is durable. */
  onCheckpoint(checkpoint: { readonly step: number; readonly bytes: Uint8Array }): Promise<void>;
}

export interface TrainPoint {
  /** `train` for each update, `validate` for each evaluation on the validation part. */
  readonly series: 'train' | 'validate';
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

export type TrainOutcome = { readonly status: 'cancelled' } | TrainCompleted;

export interface TrainCompleted {
  readonly status: 'completed';
  readonly steps: number;
  readonly episodes: number;
  readonly weightsSha256: string;
  readonly bestStep: number;
  /** Lower is better. */
  readonly bestScore: number;
  /** The best weights as an ONNX policy. */
  readonly policy: Uint8Array;
  /** The policy's metadata, JSON text. */
  readonly policyMetadata: string;
  readonly warnings: readonly string[];
}

export interface EvaluateJob {
  readonly spec: RunSpec;
  readonly recording: Uint8Array;
  readonly parts: RecordingParts;
  /** The twin fitted to the recording; null when the environment needs none. */
  readonly twin: Uint8Array | null;
  readonly policies: readonly { readonly seed: number; readonly onnx: Uint8Array; readonly bestScore: number }[];
}

export interface EvaluateOutcome {
  readonly results: readonly ControllerResult[];
  readonly gate: GateVerdict;
  readonly chosenSeed: number;
  readonly calibration: { readonly hpaTargetPercent: number; readonly fixedReplicas: readonly number[] };
  /** Every controller's, seed's and episode's measures, JSON text. */
  readonly details: string;
}

export interface FitJob {
  /** A cluster's series (src/recordings). */
  readonly recording: Uint8Array;
  /** Largest error of a service. */
  readonly maxError: number;
}

export interface FitOutcome {
  /** The twin, JSON text. */
  readonly twin: string;
  readonly services: readonly TwinServiceErrors[];
  readonly p95Error: number | null;
  readonly notes: readonly string[];
}

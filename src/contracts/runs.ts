import type { ControlMode } from './control.ts';
import type { ArtifactReference, RecordingParts, RecordingRepairs } from './stores.ts';
import type { TrainingQueue } from './task-queues.ts';

/** The steps that a run may have, in order; `plannedSteps` (src/domain) says which it has. */
export const stepNames = ['validate', 'collect', 'fit', 'train', 'evaluate', 'register', 'deploy'] as const;
export type StepName = (typeof stepNames)[number];

export type RunStatus = 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';
export type StepStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';

/** What is known of one step of a run. */
export interface StepRecord {
  readonly name: StepName;
  readonly status: StepStatus;
  /** One line for people: what came out, or how far it is. */
  readonly summary: string;
}

/** The failure of a run as stored and shown: code of the error table, message, and the step it happened in. */
export interface RunFailure {
  readonly code: string;
  readonly message: string;
  readonly step: StepName;
}

/** Answer of the progress query: small, whatever the run's size. */
export interface RunProgress {
  readonly status: RunStatus;
  readonly step: StepName;
  /** Share of the whole run that is done, 0 … 1. */
  readonly fraction: number;
  readonly steps: readonly StepRecord[];
  /** Latest training metrics over the seeds that reported, for example `episodeReturn`, `stepsPerSecond`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly training: readonly SeedProgress[];
}

/** How far one seed's training is. */
export interface SeedProgress {
  readonly seed: number;
  readonly step: number;
  readonly totalSteps: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** A recording as later steps see it. */
export interface CollectedRecording {
  /** Content address of the recording's bytes; the recording's id. */
  readonly artifact: ArtifactReference;
  readonly bins: number;
  readonly binSeconds: number;
  readonly parts: RecordingParts;
  readonly repairs: RecordingRepairs;
  readonly meanRequestsPerSecond: number;
  readonly peakRequestsPerSecond: number;
  /** The series of the cluster that it was recorded from (src/recordings/cluster-recording-format); null for other sources. */
  readonly cluster: ArtifactReference | null;
}

/** How far a twin is from one service of the recording; 0 = not at all, at most 1; null = nothing to compare with. */
export interface TwinServiceErrors {
  readonly service: string;
  readonly cpuError: number | null;
  readonly callsError: number | null;
  readonly latencyError: number | null;
}

/** The simulator that was fitted to the recording of a cluster. */
export interface FittedTwin {
  /** The twin, JSON (src/rl/twin/twin.ts). */
  readonly artifact: ArtifactReference;
  /** In the twin's order, the entry first; of more than 100 those with the largest errors. */
  readonly services: readonly TwinServiceErrors[];
  /** Number of services in the twin. */
  readonly serviceCount: number;
  /** Error of the users' 95th percentile; null when it was not recorded. */
  readonly p95Error: number | null;
  /** What an error had to stay under. */
  readonly maxError: number;
  /** What the recording did not tell, a sentence each; at most 20. */
  readonly notes: readonly string[];
}

/** Where training goes and why. */
export interface TrainingPlacement {
  readonly taskQueue: TrainingQueue;
  readonly device: 'cpu' | 'cuda';
  /** A sentence for the report. */
  readonly reason: string;
}

/** What one seed's training leaves behind. */
export interface TrainedSeed {
  readonly seed: number;
  readonly steps: number;
  readonly episodes: number;
  /** The last checkpoint: all state. */
  readonly checkpoint: ArtifactReference;
  /** SHA-256 of the final parameters: equal runs give equal ones, bit for bit. */
  readonly weightsSha256: string;
  /** The parameters with the best score on the validation part, as an ONNX policy. */
  readonly policy: ArtifactReference;
  /** JSON: the policy's observation and action layout, normalisation, versions. */
  readonly policyMetadata: ArtifactReference;
  readonly bestStep: number;
  /** Score on the validation part (see evaluation/score.ts); lower is better. */
  readonly bestScore: number;
  readonly seconds: number;
  /** What changed in mid-training (CPU, versions, device), so that bit identity is not promised; empty = nothing. */
  readonly warnings: readonly string[];
}

/** A mean with the bounds of its interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** One controller's measures on the held-out episodes. */
export interface ControllerResult {
  /** `policy`, `hpa-calibrated` or `fixed`. */
  readonly controller: string;
  readonly p95LatencySeconds: Estimate;
  /** Share of requests slower than the SLO, 0 … 1. */
  readonly sloViolationRate: Estimate;
  readonly podSeconds: Estimate;
  readonly actionsPerMinute: Estimate;
}

/** The gate's verdict with sentences that say why. */
export interface GateVerdict {
  readonly passed: boolean;
  readonly reasons: readonly string[];
}

/** What evaluate gives back; the episodes themselves are in the artifact. */
export interface EvaluationResult {
  readonly results: readonly ControllerResult[];
  readonly gate: GateVerdict;
  /** Seed whose policy goes forward, chosen on the validation part. */
  readonly chosenSeed: number;
  readonly calibration: { readonly hpaTargetPercent: number; readonly fixedReplicas: readonly number[] };
  /** JSON with every controller's, seed's and episode's measures. */
  readonly artifact: ArtifactReference;
}

/** A version in the registry. */
export interface RegisteredModel {
  readonly name: string;
  readonly version: number;
  /** Alias that now points here, or null when the gate did not pass. */
  readonly alias: string | null;
}

/** Where a run has deployed its policy. */
export interface RunDeployment {
  readonly name: string;
  readonly mode: ControlMode;
  /** `open` = its loop runs; `opening` = no control worker has opened it yet; `refused` = the gate has not passed. */
  readonly state: 'open' | 'opening' | 'refused';
}

/** How the mirror to W&B ended. */
export interface TrackingResult {
  readonly mode: 'off' | 'online' | 'offline';
  readonly sentPoints: number;
  readonly unsentPoints: number;
  readonly url: string | null;
  readonly warnings: readonly string[];
}

/** The end of a run, as `npm start --json`, the API and the CLI give it. */
export interface RunReport {
  readonly runId: string;
  readonly status: RunStatus;
  readonly seconds: number;
  readonly model: { readonly name: string; readonly version: number; readonly alias: string | null } | null;
  readonly gate: GateVerdict | null;
  readonly results: readonly ControllerResult[];
  readonly recording: CollectedRecording | null;
  /** The twin that was trained in; null for environments of their own. */
  readonly twin: FittedTwin | null;
  /** Null for a run that deploys nothing, or has not come to it. */
  readonly deployment: RunDeployment | null;
  readonly placement: TrainingPlacement | null;
  readonly training: readonly TrainedSeed[];
  readonly evaluation: {
    readonly chosenSeed: number;
    readonly hpaTargetPercent: number;
    readonly fixedReplicas: readonly number[];
  } | null;
  readonly tracking: TrackingResult | null;
  readonly failure: RunFailure | null;
}

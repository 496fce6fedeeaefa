import type { MetricsDialect } from './cluster-metrics.ts';
import type { DeploymentTarget } from './control.ts';

/**
 * What a run is asked to do, after defaults are filled in. `src/spec` holds the zod schema of what enters from outside;
 * a test proves both equal. A RunSpec only names things: folders, plug-ins and addresses come from the worker's
 * configuration.
 */
export interface RunSpec {
  /** Version of this format. */
  readonly version: 1;
  /** Name of the pipeline: lower case letters, digits and dashes. Part of the run's id; groups runs in trackers. */
  readonly name: string;
  readonly description: string;
  /** Commit that the run belongs to, or null when nobody said. */
  readonly gitSha: string | null;
  /** Where to train. `auto` takes a GPU worker only when one polls its queue. */
  readonly device: 'auto' | 'cpu' | 'gpu';
  readonly collect: CollectSpec;
  readonly fit: FitSpec;
  readonly environment: EnvironmentSpec;
  readonly agent: AgentSpec;
  readonly train: TrainSpec;
  readonly evaluate: EvaluateSpec;
  readonly register: RegisterSpec;
  /** Where a policy goes whose gate has passed; null = nowhere. */
  readonly deploy: DeploymentTarget | null;
  readonly tracking: TrackingSpec;
}

export interface CollectSpec {
  readonly source: GeneratorSource | FileSource | ClusterSource;
  /** Length of a bin of the recording, which is the control step. Default 15. */
  readonly binSeconds: number;
  /** Seed of the arrivals drawn from rates. */
  readonly seed: number;
  /** Shares of the time line; they sum to 1. */
  readonly split: { readonly train: number; readonly validate: number; readonly heldOut: number };
}

/** Seeded daily, weekly and flash-crowd traffic. */
export interface GeneratorSource {
  readonly kind: 'generator';
  readonly days: number;
  /** Mean rate over a week before flash crowds, requests/s. */
  readonly meanRequestsPerSecond: number;
  /** 0 … 1: how far the rate swings around its mean within a day. */
  readonly dailyAmplitude: number;
  /** 0 … 1: how much quieter weekends are. */
  readonly weekendDrop: number;
  readonly flashCrowdsPerDay: number;
  /** Peak of a flash crowd, as a multiple of the rate at that moment. */
  readonly flashCrowdPeak: number;
  readonly flashCrowdMinutes: number;
  /** Standard deviation of the slow multiplicative noise. */
  readonly noise: number;
}

/** A request-rate file in one of the worker's data folders. */
export interface FileSource {
  readonly kind: 'file';
  /** Name of a data folder of the worker's configuration. */
  readonly folder: string;
  /** Path inside the folder. */
  readonly path: string;
  readonly layout: LongLayout | WideLayout;
  /** Width of a bin in the file, seconds. */
  readonly fileBinSeconds: number;
  /** What a value counts. */
  readonly unit: 'requests-per-bin' | 'requests-per-second';
  /** Every rate is multiplied by it, to bring a foreign trace to this application's size. */
  readonly rateScale: number;
  readonly onGap: 'error' | 'interpolate';
  /** Gaps longer than this many bins are an error even with `interpolate`. */
  readonly maxGapBins: number;
  readonly onDuplicate: 'error' | 'sum';
  /** First and number of bins to take; null = from the start, to the end. */
  readonly skipBins: number;
  readonly takeBins: number | null;
}

/** Live services, as a worker's Prometheus and Kubernetes API server tell of them. */
export interface ClusterSource {
  readonly kind: 'cluster';
  readonly namespace: string;
  /** Name of the workload that users' requests come to; null = found. */
  readonly entry: string | null;
  readonly dialect: MetricsDialect;
  /** Length of the recording. */
  readonly minutes: number;
  /** When it begins, before the step; 0 = now. */
  readonly startMinutesAgo: number;
  /** Rates are over a bin where it holds two scrapes, else over half of this; at least four scrape intervals, seconds. */
  readonly windowSeconds: number;
  /** Share of bins that may lack a figure, 0 … 1. */
  readonly maxMissingShare: number;
}

/** One row a bin: a time column and a count column. */
export interface LongLayout {
  readonly kind: 'long';
  readonly timeColumn: string;
  readonly countColumn: string;
}

/** One row a series, one column a bin: columns `<prefix><n>`; the selected rows are summed. */
export interface WideLayout {
  readonly kind: 'wide';
  readonly columnPrefix: string;
  readonly idColumn: string;
  /** Ids of the rows to sum; null = every row. */
  readonly ids: readonly string[] | null;
}

/** How near the twin has to be to the cluster that it was fitted to; only environments that are a twin are fitted. */
export interface FitSpec {
  /**
   * Largest error of a service's CPU, calls or own latency on the part of the recording that was not fitted on, as a
   * mean of |predicted − recorded| / max(predicted, recorded), 0 … 1. Default 0.2.
   */
  readonly maxError: number;
}

/** An environment by its registered name, with its parameters (validated by the environment's own parser). */
export interface EnvironmentSpec {
  readonly name: string;
  readonly parameters: Readonly<Record<string, JsonValue>>;
}

/** An algorithm by its registered name, with its hyperparameters (validated by the algorithm's own parser). */
export interface AgentSpec {
  readonly algorithm: string;
  readonly hyperparameters: Readonly<Record<string, JsonValue>>;
}

export interface TrainSpec {
  /** One training a seed; intervals are over seeds. */
  readonly seeds: readonly number[];
  /** Environment steps of each seed. */
  readonly totalSteps: number;
  /** Environments stepped in one batch by each seed. */
  readonly environments: number;
  /** A greedy evaluation on the validation part, for choosing the checkpoint, every so many steps. */
  readonly evaluateEverySteps: number;
  /** A checkpoint at the first update after so many steps. */
  readonly checkpointEverySteps: number;
}

export interface EvaluateSpec {
  /** Episodes on the validation part (choices) and on the held-out part (the verdict). */
  readonly validationEpisodes: number;
  readonly heldOutEpisodes: number;
  /** CPU targets, percent, from which the HPA's is chosen. */
  readonly hpaTargetsPercent: readonly number[];
  readonly bootstrapResamples: number;
  /** For example 0.95. */
  readonly confidence: number;
  readonly gate: GateSpec;
}

/** The promotion rule. Differences are policy − calibrated HPA; upper bounds of their intervals must stay below. */
export interface GateSpec {
  /** Allowed rise of the share of requests above the SLO, as a fraction (0.001 = 0.1 percentage points). */
  readonly maxViolationRateIncrease: number;
  /** Allowed rise of pod-seconds relative to the HPA's, as a fraction (0 = must be below). */
  readonly maxPodSecondsIncrease: number;
}

export interface RegisterSpec {
  /** Name of the model in the registry. */
  readonly model: string;
  /** Alias that a passed gate moves to the new version. */
  readonly alias: string;
}

export interface TrackingSpec {
  readonly wandb: {
    /** `auto` = when the worker has an API key. */
    readonly enabled: 'auto' | boolean;
    readonly project: string;
    /** null = the entity of the API key. */
    readonly entity: string | null;
    readonly tags: readonly string[];
  };
}

/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

import type { Client } from '@temporalio/client';
import type { ClusterActor, ClusterReader } from '../src/contracts/cluster.ts';
import type { CallGraphReader, SeriesReader, SnapshotReader } from '../src/contracts/cluster-metrics.ts';
import type { DeploymentSpec } from '../src/contracts/control.ts';
import type { NumericProcesses } from '../src/contracts/numeric.ts';
import type { PolicyProcesses } from '../src/contracts/policy-process.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import type { TrackingResult } from '../src/contracts/runs.ts';
import type { ArtifactReference, ArtifactStore, RecordingRecord, Store } from '../src/contracts/stores.ts';
import type { SteeredApplication } from '../src/rl/twin/application-of.ts';

/** What the light activities touch. */
export interface OrchestrationPorts {
  readonly store: Store;
  readonly artifacts: ArtifactStore;
  /** Parses a spec as somebody wrote it and holds it against the worker's configuration. */
  readonly readSpec: (input: unknown) => { spec: RunSpec; specSha256: string };
  /** True when this worker has what tracking needs and the spec wants it. */
  readonly tracks: (spec: RunSpec) => boolean;
  /** Makes a recording; `minimumBins` is the least that each part must hold. */
  readonly collect: (
    spec: RunSpec['collect'],
    options: { minimumBins: number; signal: AbortSignal },
  ) => Promise<{ bytes: Uint8Array; record: Omit<RecordingRecord, 'artifact' | 'createdAt'> }>;
  /** Control steps of an episode of the spec's environment. */
  readonly episodeSteps: (spec: RunSpec) => number;
  /** True when a worker asks the queue for activities. */
  readonly isPolled: (taskQueue: string) => Promise<boolean>;
}

/** What recordings of live clusters touch. */
export interface CollectPorts {
  readonly store: Pick<Store, 'recordings'>;
  readonly artifacts: ArtifactStore;
  /** Null on a worker without Prometheus. */
  readonly series: SeriesReader | null;
  /** Null on a worker without a cluster. */
  readonly cluster: ClusterReader | null;
  /** Kiali, of which the recording's edges are compared with. Default null: a worker without it. */
  readonly callGraph?: CallGraphReader | null;
  /** Control steps of an episode of the spec's environment. */
  readonly episodeSteps: (spec: RunSpec) => number;
  /** Tells the run's workflow how far it is; null in tests. */
  readonly client: Client | null;
  /** Between two questions to a Prometheus that is away. Default 5 000. */
  readonly retryMs?: number;
  /** How long after its end a bin is asked for, so that its last scrape is there. Default 5 000. */
  readonly settleMs?: number;
}

/** What the training activities touch. */
export interface TrainingPorts {
  readonly store: Store;
  readonly artifacts: ArtifactStore;
  readonly numeric: NumericProcesses;
  /** Tells the run's workflow how far it is; null in tests. */
  readonly client: Client | null;
}

/** What the evaluation activities touch. */
export interface EvaluationPorts {
  readonly artifacts: ArtifactStore;
  readonly numeric: NumericProcesses;
}

/** What the tracking activities touch. */
export interface TrackingPorts {
  readonly store: Pick<Store, 'runs'>;
  readonly mirror: (options: {
    runId: string;
    spec: RunSpec;
    signal: AbortSignal;
    /** True when another attempt will go on where this one was stopped. */
    othersGoOn: () => boolean;
    /** Hears of each warning at once; all are in the result too. */
    onWarning: (warning: string) => void;
  }) => Promise<TrackingResult>;
}

/** What the control activities touch. */
export interface ControlPorts {
  readonly store: Pick<Store, 'control' | 'models' | 'runs'>;
  readonly reader: ClusterReader;
  readonly actor: ClusterActor;
  readonly snapshots: SnapshotReader;
  readonly policies: PolicyProcesses;
  /** Parses a deployment as somebody wrote it and holds it against the worker's configuration. */
  readonly readDeployment: (input: unknown) => DeploymentSpec;
  /** The application that the policies of an environment steer. */
  readonly applicationOf: (environment: string, twin: ArtifactReference | null) => Promise<SteeredApplication>;
  readonly now: () => Date;
}

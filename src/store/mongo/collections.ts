import type { Binary, Collection, Db, IndexDescription } from 'mongodb';
import type { ControlActor, ControlEvent, ControlMode } from '../../contracts/control.ts';
import type { GateVerdict, RunFailure, RunStatus, StepName, StepStatus } from '../../contracts/runs.ts';
import type {
  ArtifactReference,
  Fence,
  ModelLineage,
  RecordingParts,
  RecordingRepairs,
} from '../../contracts/stores.ts';
import type { EndStatus } from '../run-rules.ts';

/** A value written by `toStored` (document-values.ts). */
export type Stored = unknown;

/** `runs`: one document a run. What is said here of the run's end is a copy; `runEnds` is the record. */
export interface RunDocument {
  /** The run's id. */
  _id: string;
  /** Name of the pipeline; empty when the spec was refused. */
  pipeline: string;
  /** The normalised RunSpec, or null when it was refused. */
  spec: Stored;
  /** SHA-256 of the normalised spec; empty when it was refused. */
  specSha256: string;
  status: RunStatus;
  /** Where the run is. */
  step: StepName;
  /** The steps that were noted, by name; a step that is not here is pending. */
  steps: Partial<Record<StepName, StepDocument>>;
  createdAt: Date;
  updatedAt: Date;
  /** When the run ended, null while it goes on. */
  finishedAt: Date | null;
}

/** A step inside a {@link RunDocument}. */
export interface StepDocument {
  status: StepStatus;
  summary: string;
  /** Absent until the step starts. */
  startedAt?: Date;
  /** Absent until the step is over. */
  finishedAt?: Date;
}

/** `runEnds`: one document a finished run, inserted once and never changed. */
export interface RunEndDocument {
  /** The run's id. */
  _id: string;
  pipeline: string;
  /** When the run was created, for listing by status. */
  createdAt: Date;
  status: EndStatus;
  /** Where the run stopped. */
  step: StepName;
  failure: RunFailure | null;
  /** The RunReport. */
  report: Stored;
  finishedAt: Date;
}

/** `metricPoints_00` … `metricPoints_3f`: one document a point, spread by run (see metric-keys.ts). */
export interface MetricPointDocument {
  /** Run, series and step, so that the order of the ids is the order of reading. */
  _id: string;
  runId: string;
  series: string;
  step: number;
  at: Date;
  /** Numbers by name. */
  values: Stored;
}

/** `checkpoints`: the revisions of each series' fence and latest checkpoint (see revision-chain.ts). */
export interface CheckpointDocument {
  /** `["run","series",revision]`. */
  _id: string;
  runId: string;
  series: string;
  /** The highest fence so far. */
  fence: Fence;
  /** The latest checkpoint, or null when there is none yet. */
  checkpoint: { step: number; artifact: ArtifactReference; fence: Fence } | null;
}

/** `recordings`: one document a recording. */
export interface RecordingDocument {
  /** SHA-256 of the recording's bytes. */
  _id: string;
  /** Number of the recording's bytes. */
  bytes: number;
  source: string;
  bins: number;
  binSeconds: number;
  parts: RecordingParts;
  repairs: RecordingRepairs;
  meanRequestsPerSecond: number;
  peakRequestsPerSecond: number;
  createdAt: Date;
}

/** `modelVersions`: one document a version; versions of a model count from 1 without a gap. */
export interface ModelVersionDocument {
  /** `["model",version]`. */
  _id: string;
  model: string;
  version: number;
  /** The run that made it: a run registers one version of a model. */
  runId: string;
  /** Environment, twin and HPA target of the training; absent in versions from before it was kept. */
  trainedFor?: Stored;
  /** Address of the ONNX policy. */
  policy: ArtifactReference;
  /** Address of the JSON that describes it. */
  metadata: ArtifactReference;
  lineage: Omit<ModelLineage, 'versions'> & { versions: Stored };
  gate: GateVerdict;
  createdAt: Date;
}

/** `aliasMoves`: the revisions of each alias, never changed or deleted; the last one says where it points. */
export interface AliasMoveDocument {
  /** `["model","alias",revision]`. */
  _id: string;
  model: string;
  alias: string;
  /** Version that it pointed at before, or null. */
  from: number | null;
  /** Version that it points at. */
  to: number;
  /** The run that moved it. */
  runId: string;
  at: Date;
}

/** `trackingLedgers`: the revisions of each ledger; those that are superseded lose their content. */
export interface TrackingLedgerDocument {
  /** `["key",revision]`. */
  _id: string;
  key: string;
  /** The tracker's own JSON; absent once a later revision is there. */
  document?: Stored;
}

/** `nonces`: webhook nonces that were used. */
export interface NonceDocument {
  /** The nonce. */
  _id: string;
  /** From then on the entry may be dropped. */
  expiresAt: Date;
}

/** `deployments`: the revisions of each deployment, never changed or deleted; the last one says how it stands. */
export interface DeploymentDocument {
  /** `["name",revision]`. */
  _id: string;
  name: string;
  /** `opening`: its workloads are being claimed; `record` is still that of before. */
  phase: 'opening' | 'running' | 'closed';
  /** Number of the revision that this opening began with: claims made for it count. */
  opening: number;
  /** The DeploymentRecord without its moments; null when it never ran. */
  record: Stored;
  openedAt: Date | null;
  closedAt: Date | null;
}

/** `workloadClaims`: the revisions of each workload's claim; it counts while the deployment runs in that opening. */
export interface WorkloadClaimDocument {
  /** `["namespace/name",revision]`. */
  _id: string;
  workload: string;
  deployment: string;
  /** Number of the deployment's revision that this claim was made for. */
  opening: number;
}

/** `controlBlocks`: the blocks of steps that decisions of a deployment lie in (see decision-keys.ts). */
export interface ControlBlockDocument {
  /** `["deployment",revision]`. */
  _id: string;
  deployment: string;
  block: number;
}

/** `controlDecisions_00` … `controlDecisions_3f`: two documents a step, inserted once (see decision-keys.ts). */
export interface ControlDecisionDocument {
  _id: string;
  deployment: string;
  step: number;
  at: Date;
  mode: ControlMode;
  actor: ControlActor;
  /** The rest of the ControlDecision but for its outcome (see packed-json.ts). */
  decision: Binary;
}

/** What came of a step, beside its {@link ControlDecisionDocument}. */
export interface ControlOutcomeDocument {
  _id: string;
  deployment: string;
  step: number;
  /** `result` and `summary` of the ControlDecision. */
  outcome: Binary;
}

/** `controlEvents`: one document an event, inserted once. */
export interface ControlEventDocument {
  /** Deployment, step, kind and the hash of the message. */
  _id: string;
  deployment: string;
  step: number;
  at: Date;
  kind: ControlEvent['kind'];
  alert: boolean;
  message: string;
}

/** `migrations`: what was done to this database. */
export interface MigrationDocument {
  /** Name of the migration (migrate.ts). */
  _id: string;
  appliedAt: Date;
}

/** The collections with the type of their documents, except those of metric points and control decisions. */
export interface CollectionDocuments {
  runs: RunDocument;
  runEnds: RunEndDocument;
  checkpoints: CheckpointDocument;
  recordings: RecordingDocument;
  modelVersions: ModelVersionDocument;
  aliasMoves: AliasMoveDocument;
  trackingLedgers: TrackingLedgerDocument;
  nonces: NonceDocument;
  deployments: DeploymentDocument;
  workloadClaims: WorkloadClaimDocument;
  controlBlocks: ControlBlockDocument;
  controlEvents: ControlEventDocument;
  migrations: MigrationDocument;
}

/** Name of one of those collections. */
export type CollectionName = keyof CollectionDocuments;

/** An index beside the one on `_id`, which every collection has and which carries most of the uniqueness. */
export type IndexSpec = IndexDescription & { readonly name: string };

/** Every collection that migrate creates, with its indexes. Those of metric points and decisions need none. */
export const collectionIndexes: Readonly<Record<CollectionName, readonly IndexSpec[]>> = {
  runs: [
    { name: 'created', key: { createdAt: -1, _id: -1 } },
    { name: 'pipeline_created', key: { pipeline: 1, createdAt: -1, _id: -1 } },
    { name: 'status_created', key: { status: 1, createdAt: -1, _id: -1 } },
  ],
  runEnds: [{ name: 'status_created', key: { status: 1, createdAt: -1, _id: -1 } }],
  checkpoints: [],
  recordings: [],
  modelVersions: [
    { name: 'model_version', key: { model: 1, version: -1 } },
    { name: 'model_run', key: { model: 1, runId: 1 }, unique: true },
  ],
  aliasMoves: [{ name: 'model_at', key: { model: 1, at: 1 } }],
  trackingLedgers: [],
  nonces: [{ name: 'expires', key: { expiresAt: 1 } }],
  deployments: [],
  workloadClaims: [],
  controlBlocks: [],
  controlEvents: [{ name: 'deployment_at', key: { deployment: 1, at: -1 } }],
  migrations: [],
};

/** The collection `name` with the type of its documents. */
export function collectionOf<Name extends CollectionName>(db: Db, name: Name): Collection<CollectionDocuments[Name]> {
  return db.collection<CollectionDocuments[Name]>(name);
}

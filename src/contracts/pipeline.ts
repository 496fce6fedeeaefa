import type { RunSpec } from './run-spec.ts';
import type { CollectedRecording, TrainedSeed, TrainingPlacement } from './runs.ts';
import type { ArtifactReference } from './stores.ts';

/** Type names of the workflows, as `temporal workflow start --type` takes them. */
export const workflowTypes = {
  pipeline: 'pipelineWorkflow',
  training: 'trainingWorkflow',
  control: 'controlWorkflow',
} as const;

/**
 * Argument of pipelineWorkflow: the RunSpec as somebody wrote it, not yet validated, because `temporal workflow start`
 * passes no API. The workflow's id is the run's id.
 */
export type PipelineInput = unknown;

/** Argument of trainingWorkflow. */
export interface TrainingInput {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly specSha256: string;
  readonly recording: CollectedRecording;
  /** The fitted twin; null, or absent in runs begun before there were any, for environments of their own. */
  readonly twin?: ArtifactReference | null;
  readonly placement: TrainingPlacement;
}

/** Result of trainingWorkflow: one entry a seed, in the order of the spec. */
export type TrainingOutput = readonly TrainedSeed[];

/** Memo keys of a run's workflow. */
export const memoKeys = { specSha256: 'specSha256' } as const;

const deploymentPrefix = 'deployment/';

/** Id of the workflow that is the control loop of a deployment. */
export function controlWorkflowId(deployment: string): string {
  return deploymentPrefix + deployment;
}

/** Name of the deployment that a {@link controlWorkflowId} belongs to. An id without the prefix is the name itself. */
export function deploymentOf(workflowId: string): string {
  return workflowId.startsWith(deploymentPrefix) ? workflowId.slice(deploymentPrefix.length) : workflowId;
}

/** Entry of the workflow bundle: everything exported here is a workflow type. */
export { controlWorkflow } from './control-workflow.ts';
export { pipelineWorkflow } from './pipeline-workflow.ts';
export { trainingWorkflow } from './training-workflow.ts';

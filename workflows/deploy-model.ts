import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  sleep,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { DeploymentSpec, DeploymentTarget } from '../src/contracts/control.ts';
import { controlWorkflowId } from '../src/contracts/pipeline.ts';
import type { GateVerdict, RegisteredModel, RunDeployment } from '../src/contracts/runs.ts';
import { awaiting } from './activity-stubs.ts';
import { controlWorkflow } from './control-workflow.ts';

/** How often a loop that must end first is asked to, a second apart: its running step may take a while. */
const handOverAttempts = 120;

/**
 * Hands the version that a run has registered over to the deployment that its spec names. A loop that steers there with an
 * earlier version is ended first. The new loop lives on after the run. Without a passed gate nothing is deployed.
 */
export async function deployModel(
  target: DeploymentTarget,
  { name: model, version }: RegisteredModel,
  gate: GateVerdict,
): Promise<RunDeployment> {
  const { name, mode } = target;
  if (!gate.passed) return { name, mode, state: 'refused' };
  const loop = await startLoop({ ...target, version: 1, model: { name: model, version } });
  const waiting = new CancellationScope();
  const opening = waiting.run(() => awaiting.awaitDeployment({ deployment: name, model, version }));
  // A loop that could not be opened ends with the reason, which is then this step's.
  const failed = loop.result().then(() => ({ opened: false }));
  try {
    const { opened } = await Promise.race([opening, failed]);
    return { name, mode, state: opened ? 'open' : 'opening' };
  } finally {
    waiting.cancel();
    await opening.catch(() => {});
  }
}

async function startLoop(spec: DeploymentSpec) {
  const workflowId = controlWorkflowId(spec.name);
  for (let attempt = 0; attempt < handOverAttempts; attempt++) {
    try {
      return await startChild(controlWorkflow, {
        workflowId,
        args: [{ spec }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        staticSummary: `Steer ${spec.target.namespace} with ${spec.model.name} ${spec.model.version}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // It may have ended in this moment, which is what is wanted.
      await getExternalWorkflowHandle(workflowId)
        .cancel()
        .catch(() => {});
      await sleep('1 second');
    }
  }
  const message = `The loop of deployment ${spec.name} did not end within ${handOverAttempts} s; stop it and run again.`;
  throw ApplicationFailure.nonRetryable(message, 'DEPLOYMENT_CONFLICT');
}

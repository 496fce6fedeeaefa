import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  ControlInput,
  ControlResume,
  ControlState,
  ControlStatus,
  StepSummary,
} from '../src/contracts/control.ts';
import { controlStatusQuery } from '../src/contracts/messages.ts';
import { deploymentOf } from '../src/contracts/pipeline.ts';
import { searchAttributes } from '../src/contracts/search-attributes.ts';
import { firstState } from '../src/domain/control/fallback-rules.ts';
import { controlling } from './activity-stubs.ts';
import { ControlSwitches } from './control-switches.ts';
import { codedFailure, endedByCancellation, failureToThrow } from './failures.ts';

/** Steps in a row that may fail as a whole before the loop gives up. */
const maximumFailedSteps = 20;
/** A run of the loop ends here, long before Temporal's limit; the next one goes on. */
const maximumHistoryEvents = 6_000;

/**
 * A control loop: one step every interval until it is stopped. One for each deployment; its id is `deployment/<name>`.
 *
 * 1. The loop's memory is the store's: a step needs the small {@link ControlState} alone, which is carried into the next
 *    run of the workflow (continue as new), so that histories stay small for years.
 * 2. Updates (pause, resume, stop, mode, fall back) are taken between and during steps and hold from the next step on.
 * 3. Steps that were missed, in an outage of the workers, are not made up for.
 *
 * Answers {@link controlStatusQuery}. Ends with the last status; with an ApplicationFailure whose type is a code of the
 * error table when it could not be opened or gave up.
 */
export async function controlWorkflow(input: ControlInput): Promise<ControlStatus> {
  const deployment = deploymentOf(workflowInfo().workflowId);
  const switches = new ControlSwitches(firstState(deployment, 'shadow', 0));
  setHandler(controlStatusQuery, () => switches.status());
  try {
    await runLoop(switches, 'resume' in input ? resume(switches, input.resume) : await open(switches, input.spec));
    return await close(switches, null);
  } catch (error) {
    if (isContinueAsNew(error)) throw error;
    const cancelled = endedByCancellation(error);
    const failure = codedFailure(error);
    await close(switches, cancelled ? null : `${failure.code}: ${failure.message}`);
    throw failureToThrow(error, { ...failure, step: 'control' });
  }
}

/** When steps are due. */
interface Rhythm {
  readonly intervalMs: number;
  /** Milliseconds since 1970. */
  nextStepAtMs: number;
}

async function open(switches: ControlSwitches, spec: unknown): Promise<Rhythm> {
  const { deployment } = switches.state;
  upsertSearchAttributes([{ key: searchAttributes.kind, value: 'control' }]);
  const { mode, intervalMs, model, environment, step } = await controlling.openControl({ deployment, spec });
  upsertSearchAttributes([
    { key: searchAttributes.model, value: model },
    { key: searchAttributes.environment, value: environment },
  ]);
  switches.begin(firstState(deployment, mode, step), 0);
  return { intervalMs, nextStepAtMs: Date.now() };
}

function resume(switches: ControlSwitches, { state, failedSteps, intervalMs, nextStepAtMs }: ControlResume): Rhythm {
  switches.begin(state, failedSteps);
  return { intervalMs, nextStepAtMs };
}

async function runLoop(switches: ControlSwitches, rhythm: Rhythm): Promise<void> {
  let failedInARow = 0;
  for (;;) {
    showStage(switches);
    await condition(() => switches.stopping || !switches.state.paused);
    await condition(() => switches.stopping, Math.max(0, rhythm.nextStepAtMs - Date.now()));
    await recordEvents(switches);
    if (switches.stopping) return;
    if (switches.state.paused) continue;
    rhythm.nextStepAtMs = nextStep(rhythm);
    const done = await step(switches);
    failedInARow = done === null ? failedInARow + 1 : 0;
    if (failedInARow >= maximumFailedSteps) await step(switches, { orThrow: true });
    await continueWhenLong(switches, rhythm);
  }
}

/** The next multiple of the interval after the step that is due now, in the future: missed ones are left out. */
function nextStep({ intervalMs, nextStepAtMs }: Rhythm): number {
  if (intervalMs === 0) return nextStepAtMs;
  const missed = Math.max(0, Math.floor((Date.now() - nextStepAtMs) / intervalMs));
  return nextStepAtMs + (missed + 1) * intervalMs;
}

/** Null when the step failed as a whole: the next one goes on from what is stored. */
async function step(switches: ControlSwitches, { orThrow = false } = {}): Promise<StepSummary | null> {
  const before = switches.state;
  try {
    const summary = await controlling.controlStep({ state: before });
    switches.carryOn(before, summary);
    return summary;
  } catch (error) {
    if (orThrow || endedByCancellation(error) || isFinal(error)) throw error;
    log.error('A control step failed', { step: before.step, error: codedFailure(error).message });
    switches.skipStep();
    return null;
  }
}

/** Errors that every further step would meet. */
function isFinal(error: unknown): boolean {
  const { code } = codedFailure(error);
  return ['DEPLOYMENT_NOT_FOUND', 'ENVIRONMENT_INVALID', 'ARTIFACT_NOT_FOUND', 'ARTIFACT_CORRUPT'].includes(code);
}

async function continueWhenLong(switches: ControlSwitches, { intervalMs, nextStepAtMs }: Rhythm): Promise<void> {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  if (historyLength < maximumHistoryEvents && !continueAsNewSuggested) return;
  await recordEvents(switches);
  await condition(allHandlersFinished);
  if (switches.stopping || switches.hasEvents) return;
  const { state, failedSteps } = switches;
  await continueAsNew<typeof controlWorkflow>({ resume: { state, failedSteps, intervalMs, nextStepAtMs } });
}

async function recordEvents(switches: ControlSwitches): Promise<void> {
  for (const event of switches.takeEvents()) await controlling.recordControlEvent(event);
}

async function close(switches: ControlSwitches, failure: string | null): Promise<ControlStatus> {
  return CancellationScope.nonCancellable(async () => {
    const { deployment } = switches.state;
    const state = switches.opened ? switches.state : null;
    switches.end('stopping');
    await controlling.closeControl({ deployment, state, failure });
    switches.end(failure === null ? 'stopped' : 'failed');
    showStage(switches);
    await condition(allHandlersFinished);
    return switches.status();
  });
}

/** The stage in the list of workflows, and the details of the one. Only when it changed: each costs an event. */
function showStage(switches: ControlSwitches): void {
  const stage = switches.newStage();
  if (stage === null) return;
  upsertSearchAttributes([{ key: searchAttributes.stage, value: stage }]);
  setCurrentDetails(detailsOf(switches.state, stage));
}

function detailsOf({ deployment, step, fallback }: ControlState, stage: string): string {
  const lines = [`Deployment ${deployment}: ${stage} since step ${step}`];
  if (fallback !== null) lines.push('', `The fallback acts (${fallback.reason}): ${fallback.detail}`);
  return lines.join('\n');
}

function isContinueAsNew(error: unknown): boolean {
  return error instanceof Error && error.name === 'ContinueAsNew';
}

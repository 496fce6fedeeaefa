import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ControlInput, ControlResume, ControlState, ControlStatus } from '../src/contracts/control.ts';
import { controlStatusQuery } from '../src/contracts/messages.ts';
import { controlWorkflowId, deploymentOf } from '../src/contracts/pipeline.ts';
import { searchAttributes } from '../src/contracts/search-attributes.ts';
import { firstState } from '../src/domain/control/fallback-rules.ts';
import { controlling } from './activity-stubs.ts';
import { ControlSwitches } from './control-switches.ts';
import { codedFailure, endedByCancellation, failureToThrow } from './failures.ts';

/** Steps in a row that may fail as a whole before the loop gives up. */
const maximumFailedSteps = 20;
/** A run of the loop ends here, long before Temporal's limit; the next one goes on. */
const defaultHistoryEvents = 6_000;
/** What opening, a step and the changes of a moment need. */
const fewestHistoryEvents = 50;

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
  const deployment = ownDeployment();
  const resumed = resumeOf(input);
  // An update may come with the first task of a new run, so the switches know at once that the loop runs.
  const switches =
    resumed === null
      ? new ControlSwitches(firstState(deployment, 'shadow', 0), null)
      : new ControlSwitches({ ...resumed.state, deployment }, resumed);
  setHandler(controlStatusQuery, () => switches.status());
  try {
    await runLoop(switches, resumed === null ? await open(switches, input) : rhythmOf(resumed));
  } catch (error) {
    if (isContinueAsNew(error)) throw error;
    await close(switches, endedByCancellation(error) ? null : textOf(error));
    throw toThrow(error);
  }
  return close(switches, null);
}

/** One workflow id for each deployment: Temporal sees to it that no two loops steer one. */
function ownDeployment(): string {
  const { workflowId } = workflowInfo();
  const deployment = deploymentOf(workflowId);
  const expected = controlWorkflowId(deployment);
  if (workflowId === expected) return deployment;
  const message = `The loop of deployment ${deployment} must have the workflow id ${expected}, not ${workflowId}.`;
  throw ApplicationFailure.nonRetryable(message, 'SPEC_INVALID');
}

/** Null for a loop that begins. Whoever starts a workflow by hand may pass anything. */
function resumeOf(input: unknown): ControlResume | null {
  return typeof input === 'object' && input !== null && 'resume' in input ? (input.resume as ControlResume) : null;
}

/** When steps are due, and when a run of the workflow is long enough. */
interface Rhythm {
  readonly intervalMs: number;
  readonly maximumHistoryEvents?: number;
  /** Milliseconds since 1970. */
  nextStepAtMs: number;
  /** Steps in a row, up to now, that failed as a whole. */
  failedInARow: number;
}

async function open(switches: ControlSwitches, input: ControlInput): Promise<Rhythm> {
  const { deployment } = switches.state;
  const { spec, maximumHistoryEvents } = (input ?? {}) as Partial<Extract<ControlInput, { spec: unknown }>>;
  upsertSearchAttributes([{ key: searchAttributes.kind, value: 'control' }]);
  const { mode, intervalMs, model, environment, step } = await controlling.openControl({ deployment, spec });
  upsertSearchAttributes([
    { key: searchAttributes.model, value: model },
    { key: searchAttributes.environment, value: environment },
  ]);
  switches.begin(firstState(deployment, mode, step));
  return { intervalMs, maximumHistoryEvents, nextStepAtMs: Date.now(), failedInARow: 0 };
}

function rhythmOf({ intervalMs, nextStepAtMs, maximumHistoryEvents, failedInARow = 0 }: ControlResume): Rhythm {
  return { intervalMs, nextStepAtMs, maximumHistoryEvents, failedInARow };
}

async function runLoop(switches: ControlSwitches, rhythm: Rhythm): Promise<void> {
  for (;;) {
    await untilDue(switches, rhythm);
    if (switches.stopping) return;
    rhythm.nextStepAtMs = nextStep(rhythm);
    const done = await step(switches, { orThrow: rhythm.failedInARow + 1 >= maximumFailedSteps });
    rhythm.failedInARow = done ? 0 : rhythm.failedInARow + 1;
  }
}

/** Waits for the next step, or the stop. What people change meanwhile is recorded and shown at once. */
async function untilDue(switches: ControlSwitches, rhythm: Rhythm): Promise<void> {
  const woken = (): boolean => switches.stopping || switches.events.length > 0 || isLong(rhythm);
  for (;;) {
    await recordEvents(switches);
    showStage(switches);
    if (switches.stopping) return;
    if (isLong(rhythm)) await goOnInNewRun(switches, rhythm);
    const waitMs = rhythm.nextStepAtMs - Date.now();
    if (switches.state.paused) await condition(() => woken() || !switches.state.paused);
    else if (waitMs > 0) await condition(woken, waitMs);
    else return;
  }
}

/** The next multiple of the interval after the step that is due now, in the future: missed ones are left out. */
function nextStep({ intervalMs, nextStepAtMs }: Rhythm): number {
  if (intervalMs === 0) return nextStepAtMs;
  const missed = Math.max(0, Math.floor((Date.now() - nextStepAtMs) / intervalMs));
  return nextStepAtMs + (missed + 1) * intervalMs;
}

/** False when the step failed as a whole: the next one goes on from what is stored. */
async function step(switches: ControlSwitches, { orThrow }: { orThrow: boolean }): Promise<boolean> {
  const before = switches.state;
  try {
    switches.carryOn(before, await controlling.controlStep({ state: before }));
    return true;
  } catch (error) {
    if (endedByCancellation(error) || isFinal(error)) throw error;
    switches.skipStep();
    if (orThrow) throw error;
    log.warn('A control step failed', { step: before.step, error: codedFailure(error).message });
    return false;
  }
}

/** Errors that every further step would meet. */
function isFinal(error: unknown): boolean {
  const { code } = codedFailure(error);
  return ['DEPLOYMENT_NOT_FOUND', 'ENVIRONMENT_INVALID', 'ARTIFACT_NOT_FOUND', 'ARTIFACT_CORRUPT'].includes(code);
}

function isLong({ maximumHistoryEvents = defaultHistoryEvents }: Rhythm): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return historyLength >= Math.max(fewestHistoryEvents, maximumHistoryEvents) || continueAsNewSuggested;
}

async function goOnInNewRun(switches: ControlSwitches, rhythm: Rhythm): Promise<never> {
  await condition(allHandlersFinished);
  const { state, failedSteps, events } = switches;
  return continueAsNew<typeof controlWorkflow>({ resume: { state, failedSteps, events, ...rhythm } });
}

/** Records what was changed up to now. What is changed meanwhile waits, so that no flood of updates keeps steps back. */
async function recordEvents({ events }: ControlSwitches): Promise<void> {
  for (let due = events.length; due > 0; due--) {
    await controlling.recordControlEvent(events[0]);
    events.shift();
  }
}

/** Hands the workloads over. Where even that fails, its failure is the one that people must know of. */
async function close(switches: ControlSwitches, failure: string | null): Promise<ControlStatus> {
  return CancellationScope.nonCancellable(async () => {
    const { deployment } = switches.state;
    const state = switches.opened ? switches.state : null;
    switches.end('stopping');
    // A store that refuses the last changes must not keep the loop from closing.
    await recordEvents(switches).catch((error: unknown) => log.warn('A change was not recorded', { error }));
    try {
      await controlling.closeControl({ deployment, state, failure });
    } catch (error) {
      end(switches, 'failed');
      throw toThrow(error);
    }
    end(switches, failure === null ? 'stopped' : 'failed');
    await condition(allHandlersFinished);
    return switches.status();
  });
}

function end(switches: ControlSwitches, phase: 'stopped' | 'failed'): void {
  switches.end(phase);
  showStage(switches);
}

function textOf(error: unknown): string {
  const { code, message } = codedFailure(error);
  return `${code}: ${message}`;
}

function toThrow(error: unknown): unknown {
  return failureToThrow(error, { ...codedFailure(error), step: 'control' });
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

import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../client/deployment.ts';
import { isOver } from '../client/deployments.ts';
import type { ControlMode, ControlStatus } from '../contracts/control.ts';
import { withSession } from './command-context.ts';
import type { CommandContext, Session } from './command-context.ts';
import { renderDecisions } from './decision-view.ts';
import { renderDeployment, renderDeployments, renderEvents } from './deployment-view.ts';
import { exitCodes } from './exit-codes.ts';
import { createPaint } from './terminal-text.ts';

interface JsonOption {
  readonly json?: boolean;
}

/** Lists the deployments, or shows one. @returns the exit code: 1 for one that failed or is lost */
export async function deploymentsCommand(
  context: CommandContext,
  name: string | undefined,
  { json = false }: JsonOption,
): Promise<number> {
  return withSession(context, async ({ client: { deployments } }) => {
    const paint = paintOf(context);
    if (name === undefined) {
      const all = await deployments.list();
      context.output.write(`${json ? JSON.stringify({ deployments: all }) : renderDeployments(all, paint)}\n`);
      return exitCodes.done;
    }
    const one = await deployments.status(name);
    context.output.write(`${json ? JSON.stringify(one) : renderDeployment(one, paint)}\n`);
    return one.failure === null ? exitCodes.done : exitCodes.failed;
  });
}

/** What `coxswain control` changes. */
export type ControlVerb =
  | { readonly verb: 'pause' | 'resume' }
  | { readonly verb: 'stop'; readonly wait: boolean }
  | { readonly verb: 'mode'; readonly mode: ControlMode }
  | { readonly verb: 'fallback'; readonly reason: string };

/** Steers a deployment. @returns the exit code: 1 when one that was waited for did not stop as asked */
export async function controlCommand(
  context: CommandContext,
  name: string,
  what: ControlVerb,
  { json = false }: JsonOption,
): Promise<number> {
  return withSession(context, async (session) => {
    const { deployments } = session.client;
    const tell = (after: { readonly status: Deployment['status'] }, sentence: string): void => {
      const text = json ? JSON.stringify({ name, requested: what.verb, ...after }) : `Deployment ${name} ${sentence}.`;
      context.output.write(`${text}\n`);
    };
    if (what.verb === 'stop') {
      const asked = await deployments.stop(name);
      const after = what.wait ? await untilOver(context, session, name) : asked;
      tell({ status: after.status }, `is ${after.status}`);
      return after.failure === null ? exitCodes.done : exitCodes.failed;
    }
    const after = await changeOf(session, name, what);
    tell(after, sentenceOf(after));
    return exitCodes.done;
  });
}

/** Options of `coxswain decisions`. */
export interface DecisionsOptions extends JsonOption {
  readonly last: number;
  readonly after?: number;
}

/** Shows decisions of a deployment. @returns the exit code */
export async function decisionsCommand(
  context: CommandContext,
  name: string,
  { last, after, json = false }: DecisionsOptions,
): Promise<number> {
  return withSession(context, async ({ client }) => {
    const request = after === undefined ? { last } : { afterStep: after, limit: last };
    const decisions = await client.deployments.decisions(name, request);
    const text = json
      ? decisions.map((decision) => JSON.stringify(decision)).join('\n')
      : renderDecisions(decisions, context.output.columns ?? 100, paintOf(context));
    context.output.write(text === '' ? '' : `${text}\n`);
    return exitCodes.done;
  });
}

/** Shows the events of a deployment, newest first. @returns the exit code */
export async function eventsCommand(
  context: CommandContext,
  name: string,
  { json = false }: JsonOption,
): Promise<number> {
  return withSession(context, async ({ client }) => {
    const events = await client.deployments.events(name);
    const text = json
      ? JSON.stringify({ events })
      : renderEvents(events, context.output.columns ?? 160, paintOf(context));
    context.output.write(`${text}\n`);
    return exitCodes.done;
  });
}

/** Options of `coxswain replay`. */
export interface ReplayOptions extends JsonOption {
  readonly from?: number;
  readonly to?: number;
}

/** Computes a record again. @returns the exit code; REPLAY_DIFFERS, thrown at the first difference, is exit code 1 */
export async function replayCommand(
  context: CommandContext,
  name: string,
  { from, to, json = false }: ReplayOptions,
): Promise<number> {
  return withSession(context, async (session) => {
    const { output, errors, interrupted } = context;
    const onProgress = (steps: number): void => {
      if (errors.isTTY && !json) errors.write(`\r${steps} steps computed again`);
    };
    const { steps, policyAnswers } = await session.replay(name, { from, to, onProgress, signal: interrupted });
    if (errors.isTTY && !json) errors.write('\r\u001B[K');
    const text = json
      ? JSON.stringify({ name, steps, policyAnswers })
      : `Computed ${steps} steps of ${name} again, ${policyAnswers} of them with an answer of the policy: the same, bit for bit.`;
    output.write(`${text}\n`);
    return exitCodes.done;
  });
}

function changeOf(
  { client: { deployments } }: Session,
  name: string,
  what: Exclude<ControlVerb, { verb: 'stop' }>,
): Promise<ControlStatus> {
  switch (what.verb) {
    case 'mode':
      return deployments.setMode(name, what.mode);
    case 'fallback':
      return deployments.fallBack(name, what.reason);
    case 'pause':
    case 'resume':
      return deployments[what.verb](name);
  }
}

function sentenceOf({ status, mode, fallback }: ControlStatus): string {
  const acts = fallback === null ? 'the policy acts' : `the fallback acts (${fallback.reason})`;
  return `is ${status} in mode ${mode}; ${status === 'paused' ? 'nobody acts' : acts}`;
}

async function untilOver(
  { interrupted }: CommandContext,
  { client, intervalMs = 1000 }: Session,
  name: string,
): Promise<Deployment> {
  for (;;) {
    const deployment = await client.deployments.status(name);
    if (isOver(deployment)) return deployment;
    await sleep(intervalMs, undefined, { signal: interrupted });
  }
}

function paintOf({ output }: CommandContext) {
  return createPaint(output.hasColors?.() ?? false);
}

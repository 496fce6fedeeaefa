import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../client/deployment.ts';
import type { ControlMode } from '../contracts/control.ts';
import { parseDeploymentSpec } from '../spec/deployment-spec.ts';
import { applyOverrides } from '../spec/overrides.ts';
import { withSession } from './command-context.ts';
import type { CommandContext, Session } from './command-context.ts';
import { renderDeployment } from './deployment-view.ts';
import { exitCodes } from './exit-codes.ts';
import { readSpec } from './read-spec.ts';
import { createPaint } from './terminal-text.ts';

/** Options of `coxswain deploy`. */
export interface DeployOptions {
  /** `path=value` */
  readonly set?: readonly string[];
  readonly mode?: ControlMode;
  readonly json?: boolean;
}

/** How long the command waits for the loop to be opened. */
const openingPatienceMs = 60_000;

/**
 * Opens a deployment, and waits until it runs or could not be opened. The spec is checked before anything is connected.
 * @returns the exit code: 1 when it could not be opened
 */
export async function deployCommand(context: CommandContext, spec: string, options: DeployOptions): Promise<number> {
  const { set = [], mode, json = false } = options;
  const wishes = mode === undefined ? set : [...set, `mode=${mode}`];
  const raw = applyOverrides(await readSpec(context, spec, 'deployments'), wishes);
  parseDeploymentSpec(raw);
  return withSession(context, async (session) => {
    const { name, created, specSha256 } = await session.client.deployments.open(raw);
    if (!json) context.output.write(`${created ? 'Opening' : 'Running already:'} deployment ${name}\n`);
    const deployment = await untilOpen(context, session, name);
    const paint = createPaint(context.output.hasColors?.() ?? false);
    const text = json
      ? JSON.stringify({ name, specSha256, created, status: deployment.status, failure: deployment.failure })
      : `${renderDeployment(deployment, paint)}${deployment.status === 'opening' ? waitsFor(name) : ''}`;
    context.output.write(`${text}\n`);
    return deployment.failure === null ? exitCodes.done : exitCodes.failed;
  });
}

async function untilOpen(
  { interrupted }: CommandContext,
  { client, intervalMs = 1000 }: Session,
  name: string,
): Promise<Deployment> {
  const deadline = Date.now() + openingPatienceMs;
  for (;;) {
    const deployment = await client.deployments.status(name);
    if (deployment.status !== 'opening' || Date.now() >= deadline || interrupted.aborted) return deployment;
    await sleep(intervalMs, undefined, { signal: interrupted }).catch(() => undefined);
  }
}

function waitsFor(name: string): string {
  return `\n  It is still being opened: do an orchestrator and a control worker run? \`coxswain deployments ${name}\` shows it.`;
}

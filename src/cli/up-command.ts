import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeOptionsOf } from '../../config/node-options.ts';
import { steersClusters } from '../../config/steers-clusters.ts';
import { CoxswainError } from '../contracts/errors.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';

/** Options of `coxswain up`. */
export interface UpOptions {
  /** Start neither Temporal nor MongoDB: use those of the environment. */
  readonly services: boolean;
  readonly api: boolean;
}

const startProgram = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));

/**
 * Brings Coxswain up and stays until Ctrl-C. In the project that is what `npm start` does, without its run. An installed
 * package has no servers of its own: there the orchestrator, a trainer, a control worker where
 * a cluster is configured, and the API are started on configured ones.
 * @returns the exit code
 */
export async function upCommand(context: CommandContext, options: UpOptions): Promise<number> {
  if (options.services && existsSync(startProgram)) return startProject(context);
  return startPrograms(context, options);
}

async function startProject({ interrupted }: CommandContext): Promise<number> {
  const child = fork(startProgram, ['--no-run'], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // Ctrl-C reaches the child by itself; a signal that was meant for us alone must be passed on.
  interrupted.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const code = await endOf(child);
  return interrupted.aborted ? exitCodes.done : code;
}

async function startPrograms({ output, interrupted }: CommandContext, { api }: UpOptions): Promise<number> {
  const names = [...(api ? ['src/api/main'] : []), 'workers/orchestrator', 'workers/trainer'];
  if (steersClusters()) names.push('workers/control');
  const children = names.map((name) => startProgramOfOurs(name));
  const stop = (): void => children.forEach((child) => child.kill('SIGTERM'));
  interrupted.addEventListener('abort', stop, { once: true });
  const ends = children.map(endOf);
  try {
    const ready = Promise.all(children.map(readyMessage));
    const first = await Promise.race([ready, ...ends]);
    if (typeof first === 'number') return interrupted.aborted ? exitCodes.done : endedUnasked(first);
    const url = first.find((message) => typeof message.url === 'string')?.url;
    output.write(`Coxswain is up${typeof url === 'string' ? `; API: ${url}/docs` : ''}. Stop it with Ctrl-C.\n`);
    const code = await Promise.race(ends);
    return interrupted.aborted ? exitCodes.done : endedUnasked(code);
  } finally {
    stop();
    await Promise.all(ends);
  }
}

/** Each child ends by itself when its channel to this process closes, so none outlives it. */
function startProgramOfOurs(name: string): ChildProcess {
  const program = fileURLToPath(new URL(`../../${name}${extname(import.meta.url)}`, import.meta.url));
  const execArgv = nodeOptionsOf(basename(name));
  return fork(program, [], { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? exitCodes.failed)));
}

function readyMessage(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve) => {
    child.on('message', (message: Readonly<Record<string, unknown>>) => message.kind === 'ready' && resolve(message));
  });
}

/** Programs that end with 3 have said which service they could not reach. */
function endedUnasked(code: number): number {
  if (code === exitCodes.unreachable || code === exitCodes.badInput) return code;
  throw new CoxswainError(
    'CHILD_PROCESS_FAILED',
    `A program of Coxswain ended with code ${code}; its own words are above.`,
  );
}

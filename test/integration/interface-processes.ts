import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

/** The API as a process of its own. */
export interface ApiProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** SIGTERM and the wait for a good end. @returns the exit code */
  end(): Promise<number | null>;
}

/** Starts src/api/main.ts on a free port; resolves when it listens. */
export async function startApiProcess(environment: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const child = spawn(process.execPath, [join(root, 'src', 'api', 'main.ts')], {
    env: { ...environment, COXSWAIN_API_PORT: '0' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [{ url: string }];
  return {
    url: message.url,
    child,
    async end() {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      return (await ended)[0];
    },
  };
}

/** Pids of the processes that this one has started and that still run. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** What one call of the command did. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A call of the command that goes on. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly outcome: Promise<CommandOutcome>;
  /** Resolves once standard output matches. */
  until(pattern: RegExp): Promise<void>;
}

/** Calls bin/coxswain.mjs as a person does. */
export function startCommand(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
  folder: string = root,
): RunningCommand {
  const child = spawn(process.execPath, [join(root, 'bin', 'coxswain.mjs'), ...args], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const outcome = once(child, 'close').then(([code]) => ({ code: code as number | null, output, errors }));
  return {
    child,
    outcome,
    async until(pattern) {
      while (!pattern.test(output)) {
        const more = await Promise.race([once(child.stdout, 'data'), outcome]);
        if (!Array.isArray(more) && !pattern.test(output))
          throw new Error(`ended before ${pattern}: ${output}${errors}`);
      }
    },
  };
}

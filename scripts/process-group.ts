import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOptionsOf } from '../config/node-options.ts';
import { logTail } from './local-services/readiness.ts';

/** A program of ours to run. */
export interface GroupMember {
  /** One word; names the log file. */
  readonly name: string;
  /** Absolute path of the TypeScript program. */
  readonly program: string;
  readonly args?: readonly string[];
  /** Variables beside those of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Programs of ours that live and end together.
 *
 * 1. Each has an IPC channel to this process and ends by itself when that closes, so `kill -9` of this process ends all.
 * 2. Each leads a process group: Ctrl-C in the terminal reaches this process alone, which stops them in good order, and
 *    a program that does not stop takes its own children with it.
 * 3. None is started again: one that ends unasked resolves `failed`, and whoever started the group decides.
 */
export interface ProcessGroup {
  /** Resolves to what the program sent with its `{kind: 'ready'}`; throws, with the end of its log, when it ends before that or takes too long. */
  start(member: GroupMember): Promise<Readonly<Record<string, unknown>>>;
  /** Resolves to a sentence when a program that was ready ends unasked. */
  readonly failed: Promise<string>;
  /** Asks all to end, waits, and kills those that have not after `stopTimeoutMs`. May be called twice. */
  stop(): Promise<void>;
  /** Kills all at once, for the last moment of this process. */
  kill(): void;
}

export interface ProcessGroupOptions {
  /** `NAME.log` of each program goes here. */
  readonly logFolder: string;
  /** 60 seconds by default. */
  readonly readyTimeoutMs?: number;
  /** From SIGTERM to SIGKILL; 20 seconds by default. */
  readonly stopTimeoutMs?: number;
}

interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly logFile: string;
  readonly ended: Promise<string>;
}

/** An empty {@link ProcessGroup}. It is killed when this process exits in any way that lets it run code. */
export function createProcessGroup(options: ProcessGroupOptions): ProcessGroup {
  const { readyTimeoutMs = 60_000, stopTimeoutMs = 20_000 } = options;
  const members: Running[] = [];
  let stopping = false;
  let fail: (sentence: string) => void;
  const failed = new Promise<string>((resolve) => (fail = resolve));
  const kill = () => members.forEach(({ child }) => killGroup(child));
  process.once('exit', kill);
  return {
    failed,
    kill,
    async start(member) {
      const running = spawnMember(member, options.logFolder);
      members.push(running);
      const message = await untilReady(running, readyTimeoutMs);
      void running.ended.then((how) => stopping || fail(`${running.name} ${how}. ${logTail(running.logFile)}`));
      return message;
    },
    async stop() {
      stopping = true;
      await Promise.all(members.map((member) => stopMember(member, stopTimeoutMs)));
      process.removeListener('exit', kill);
    },
  };
}

function spawnMember(member: GroupMember, logFolder: string): Running {
  mkdirSync(logFolder, { recursive: true });
  const logFile = join(logFolder, `${member.name}.log`);
  const log = openSync(logFile, 'a');
  try {
    const child = fork(member.program, [...(member.args ?? [])], {
      detached: true,
      execArgv: nodeOptionsOf(member.name),
      env: { ...process.env, ...member.environment },
      stdio: ['ignore', log, log, 'ipc'],
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      child.once('exit', (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`));
    });
    return { name: member.name, child, logFile, ended };
  } finally {
    closeSync(log);
  }
}

async function untilReady({ name, child, ended, logFile }: Running, timeoutMs: number) {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`was not ready within ${timeoutMs / 1000} s`), timeoutMs);
  });
  const outcome = await Promise.race([readyMessage(child), ended, timeout]);
  clearTimeout(timer);
  if (typeof outcome !== 'string') return outcome;
  throw new Error(`${name} ${outcome}. ${logTail(logFile)}`);
}

function readyMessage(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve) => {
    child.on('message', (message: Readonly<Record<string, unknown>>) => message.kind === 'ready' && resolve(message));
  });
}

async function stopMember({ child, ended }: Running, timeoutMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => killGroup(child), timeoutMs);
  await ended;
  clearTimeout(timer);
  // What it started and left behind is in its group.
  killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended.
  }
}

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { thisProcess } from '../process-identity.mjs';

/** What to run and where its traces go. */
export interface ProgramOptions {
  /** One word, unique among the programs that share `recordsFolder`. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** The folder that the program runs in; the current one by default. */
  readonly workingFolder?: string;
  /** Variables beside those of this process. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Standard output and standard error are appended here. */
  readonly logFile: string;
  /** Where the keeper records the program while it runs; see {@link cleanUpLeftovers}. */
  readonly recordsFolder: string;
  /** From SIGTERM to SIGKILL; 10 seconds by default. */
  readonly stopTimeoutMs?: number;
}

/** How a program ended. `reason` says why it could not be started at all. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly reason?: string;
}

/** A foreign program that runs for this process and never outlives it. */
export interface OwnedProgram {
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the program has ended, for whatever cause. Never rejects. */
  readonly ended: Promise<ProgramEnd>;
  /** How it ended; undefined while it runs. */
  end(): ProgramEnd | undefined;
  /** Ends it in an orderly way and waits until it is gone. May be called twice. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL, as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
}

type KeeperReport =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly type: 'failed'; readonly reason: string };

const keeperFile = join(import.meta.dirname, 'keeper.mjs');

/**
 * Starts `options.command` under a keeper, which ends it when this process is gone, however it went. Resolves when the
 * program runs (not when it is ready); throws when it cannot be started.
 */
export async function startOwnedProgram(options: ProgramOptions): Promise<OwnedProgram> {
  const keeper = forkKeeper(options);
  let end: ProgramEnd | undefined;
  const ended = new Promise<ProgramEnd>((resolve) => {
    const finish = (how: ProgramEnd) => resolve((end ??= how));
    keeper.on('message', (report: KeeperReport) => {
      if (report.type === 'exited') finish(report);
      if (report.type === 'failed') finish({ code: null, signal: null, reason: report.reason });
    });
    keeper.once('error', (error) => finish({ code: null, signal: null, reason: error.message }));
    keeper.once('exit', (code, signal) => finish({ code, signal, reason: 'its keeper ended' }));
  });
  const pid = await Promise.race([startedPid(keeper), ended]);
  if (typeof pid !== 'number') throw new Error(`${options.name} did not start: ${pid.reason ?? 'it ended at once'}`);
  const ask = async (what: 'stop' | 'kill') => {
    if (end === undefined && keeper.connected) keeper.send(what, () => undefined);
    await ended;
  };
  return {
    pid,
    logFile: options.logFile,
    ended,
    end: () => end,
    stop: () => ask('stop'),
    kill: () => ask('kill'),
  };
}

function startedPid(keeper: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    keeper.on('message', (report: KeeperReport) => report.type === 'started' && resolve(report.pid));
  });
}

/** The keeper has a session of its own: Ctrl-C in the terminal reaches our processes, which stop it in good order. */
function forkKeeper(options: ProgramOptions) {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const task = {
    name: options.name,
    command: options.command,
    args: options.args,
    workingFolder: options.workingFolder ?? process.cwd(),
    recordFile: join(options.recordsFolder, `${options.name}-${process.pid}.json`),
    owner: thisProcess(),
    stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
  };
  try {
    return fork(keeperFile, [JSON.stringify(task)], {
      detached: true,
      execArgv: [],
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

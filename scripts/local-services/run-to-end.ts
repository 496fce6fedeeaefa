import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isProgram } from './binary-cache.ts';
import type { OwnedProgram, ProgramOptions } from './owned-program.ts';
import { startOwnedProgram } from './owned-program.ts';
import { logTail } from './readiness.ts';

const pollMs = 250;

/** How long a program may work. */
export interface WorkLimits {
  /** It is stopped after this time. */
  readonly timeoutMs: number;
  /** It is also stopped when this folder has not grown for `stallMs`: a network that swallows packets gives no error. */
  readonly growing?: { readonly folder: string; readonly stallMs: number };
}

/** Runs a program that is expected to end. Throws, with the end of its log, when it fails, hangs or takes too long. */
export async function runToEnd(options: ProgramOptions, limits: WorkLimits): Promise<void> {
  rmSync(options.logFile, { force: true });
  const program = await startOwnedProgram(options);
  const stopped = await watch(program, limits);
  const { code, signal } = await program.ended;
  if (stopped === undefined && code === 0) return;
  const how = stopped ?? `it ended with ${code === null ? String(signal) : `code ${code}`}`;
  throw new Error(`${how}. ${logTail(program.logFile)}`);
}

/** Resolves, when the program has ended, to why it was stopped; undefined when it ended by itself. */
async function watch(program: OwnedProgram, limits: WorkLimits): Promise<string | undefined> {
  const started = Date.now();
  let grownAt = started;
  let size = 0;
  for (;;) {
    await Promise.race([program.ended, sleep(pollMs)]);
    if (program.end() !== undefined) return undefined;
    const now = Date.now();
    const sizeNow = limits.growing === undefined ? 0 : folderBytes(limits.growing.folder);
    if (sizeNow !== size) [size, grownAt] = [sizeNow, now];
    const reason = overLimit(limits, now - started, now - grownAt);
    if (reason !== undefined) {
      await program.stop();
      return reason;
    }
  }
}

function overLimit({ timeoutMs, growing }: WorkLimits, elapsedMs: number, stalledMs: number): string | undefined {
  if (elapsedMs > timeoutMs) return `it took longer than ${timeoutMs / 1000} s`;
  if (growing !== undefined && stalledMs > growing.stallMs) return `nothing arrived for ${growing.stallMs / 1000} s`;
  return undefined;
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + fileBytes(join(parentPath, name)), 0);
}

function fileBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Absolute path of the program that the PATH names; undefined when it names none. */
export function findOnPath(program: string, path: string | undefined = process.env.PATH): string | undefined {
  const folders = (path ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

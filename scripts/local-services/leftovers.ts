import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessIdentity } from '../process-identity.mjs';
import { isRunning } from '../process-identity.mjs';

/** What a keeper writes down about its program. */
interface ProgramRecord {
  readonly name: string;
  readonly command: string;
  readonly program: ProcessIdentity;
  readonly keeper: ProcessIdentity;
  readonly owner: ProcessIdentity;
}

/**
 * Ends the programs that an earlier, killed start left running and removes their records; resolves to their names.
 * A program is a leftover when its owner or its keeper no longer runs. It is recognised by number and start time, so
 * that a later process with the same number, or anybody else's server, is never touched.
 */
export async function cleanUpLeftovers(recordsFolder: string, graceMs = 10_000): Promise<string[]> {
  const ended: string[] = [];
  for (const file of recordFiles(recordsFolder)) {
    const record = readRecord(file);
    if (record !== undefined && isRunning(record.owner) && isRunning(record.keeper)) continue;
    if (record !== undefined && (await endProgram(record, graceMs))) ended.push(record.name);
    rmSync(file, { force: true });
  }
  return ended;
}

function recordFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function readRecord(file: string): ProgramRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProgramRecord;
  } catch {
    // Half a record belongs to nothing that could still be recognised.
    return undefined;
  }
}

/** True when the program was still running. A living keeper is given the time to do it, since its owner is gone. */
async function endProgram({ program }: ProgramRecord, graceMs: number): Promise<boolean> {
  if (!isRunning(program)) return false;
  signal(program, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < graceMs && isRunning(program); waitedMs += 50) await sleep(50);
  if (isRunning(program)) signal(program, 'SIGKILL');
  while (isRunning(program)) await sleep(20);
  return true;
}

function signal(program: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    process.kill(program.pid, name);
  } catch {
    // It ended by itself meanwhile.
  }
}

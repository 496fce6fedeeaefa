import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnedProgram } from './owned-program.ts';

const pollMs = 50;
const logTailBytes = 2_000;

/**
 * Waits until `isReady` resolves to true; a rejection counts as not yet. Throws, with the end of the program's log,
 * when the program ends first or after `timeoutMs`. It does not stop the program.
 */
export async function untilReady(
  name: string,
  program: OwnedProgram,
  isReady: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const end = program.end();
    if (end !== undefined) {
      throw new Error(
        `${name} ended while starting (code ${end.code}, signal ${end.signal}). ${logTail(program.logFile)}`,
      );
    }
    if (await isReady().catch(() => false)) return;
    if (Date.now() > deadline) {
      throw new Error(`${name} was not ready within ${timeoutMs / 1000} s. ${logTail(program.logFile)}`);
    }
    await sleep(pollMs);
  }
}

/** The last lines of a program's log with its path, for an error message. */
export function logTail(logFile: string): string {
  return `The end of its log, ${logFile}:\n${readEnd(logFile, logTailBytes).trim()}`;
}

function readEnd(file: string, bytes: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const length = Math.min(size, bytes);
    const buffer = Buffer.alloc(length);
    readSync(descriptor, buffer, 0, length, size - length);
    return buffer.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

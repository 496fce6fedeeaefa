import { readFileSync, readdirSync } from 'node:fs';

/** True while a process with this pid runs; a zombie is gone but for its parent. */
export function isAlive(pid: number): boolean {
  const state = /^State:\s+(\S)/m.exec(readProc(pid, 'status'))?.[1];
  return state !== undefined && state !== 'Z';
}

/** Pids of the children of `parents` whose command line holds `text`. */
export function childrenOf(parents: ReadonlySet<number | undefined>, text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readProc(pid, 'cmdline').includes(text) && parents.has(parentOf(pid)));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1]);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

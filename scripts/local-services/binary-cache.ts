import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { lock } from '../file-lock.mjs';

const abandonedAfterMs = 24 * 3_600_000;
const signOfLifeMs = 30_000;

/** A program of the cache: where it lies once it is there. */
export interface CacheEntry {
  /** Name and version (and whatever else makes two builds differ); the platform is added. */
  readonly key: string;
  /** File name of the program inside the entry's folder. */
  readonly program: string;
}

/** The per-user cache: `COXSWAIN_CACHE`, else `coxswain` in the XDG cache folder. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.COXSWAIN_CACHE || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'coxswain');
}

/** Path that the program has, or would have, in the cache. */
export function cachedPath(folder: string, entry: CacheEntry): string {
  return join(folder, `${entry.key}-${process.platform}-${process.arch}`, entry.program);
}

/** The program's path when the cache has it. */
export function findCached(folder: string, entry: CacheEntry): string | undefined {
  const path = cachedPath(folder, entry);
  return isProgram(path) ? path : undefined;
}

/** True for a file that this user may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Lets `fill` put the program into an empty folder and moves that folder into the cache in one step, so that nobody
 * ever sees half an entry, whenever this process is killed. Throws what `fill` throws, and when it made no program.
 */
export async function fillCache(
  folder: string,
  entry: CacheEntry,
  fill: (emptyFolder: string) => Promise<void>,
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  removeAbandoned(folder);
  const draft = mkdtempSync(join(folder, 'filling-'));
  try {
    await fill(draft);
    if (!isProgram(join(draft, entry.program))) throw new Error(`it left no program ${entry.program}`);
    const path = cachedPath(folder, entry);
    rmSync(join(path, '..'), { recursive: true, force: true });
    renameSync(draft, join(path, '..'));
    return path;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Runs `work` while no other process fills the same part of the cache, and says every half minute that it goes on. */
export async function withCacheLock<Result>(
  folder: string,
  name: string,
  report: (line: string) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const release = await lock(join(folder, `${name}.lock`), {
    onWait: (holder) => report(`Waiting for process ${holder.pid}, which is obtaining ${name} …`),
  });
  const started = Date.now();
  const sign = setInterval(() => report(`… still obtaining ${name} (${secondsSince(started)} s)`), signOfLifeMs);
  try {
    return await work();
  } finally {
    clearInterval(sign);
    release();
  }
}

function secondsSince(time: number): number {
  return Math.round((Date.now() - time) / 1000);
}

function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith('filling-'))) {
    const draft = join(folder, name);
    const entry = statSync(draft, { throwIfNoEntry: false });
    if (entry !== undefined && Date.now() - entry.mtimeMs > abandonedAfterMs) {
      rmSync(draft, { recursive: true, force: true });
    }
  }
}

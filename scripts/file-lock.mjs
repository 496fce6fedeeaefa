// Plain JavaScript: the entry (Node 20) uses it as well as our TypeScript.
//
// 1. The lock is a file whose content names its holder. It appears by link(), so nobody ever reads half of it.
// 2. A lock whose holder no longer runs is broken, and only under a second file, the breaker: otherwise two that found
//    the same dead holder could remove one after the other, the second one the lock that the first had just taken.
// 3. The breaker is held for the length of two file operations. One that is older than ten seconds was left by a
//    process that was killed in between.
// 4. A holder on another host (a shared home folder) cannot be looked up: its lock counts as dead after an hour.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, thisProcess } from './process-identity.mjs';

const staleBreakerMs = 10_000;
const staleForeignLockMs = 3_600_000;
const pollMs = 200;

/**
 * Takes the lock if nobody living holds it.
 * @param {string} path
 * @returns {{release: () => void} | {holder: {pid: number, startedAt: string, host: string}}}
 */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  const content = JSON.stringify({ ...thisProcess(), host: hostname(), token: randomUUID() });
  if (createWhole(path, content)) return { release: () => release(path, content) };
  const found = read(path);
  if (found !== undefined && !isStale(path, found)) return { holder: JSON.parse(found) };
  if (found !== undefined) breakStale(path, found);
  if (createWhole(path, content)) return { release: () => release(path, content) };
  const winner = read(path);
  return { holder: winner === undefined ? { pid: 0, startedAt: '', host: '' } : JSON.parse(winner) };
}

/**
 * Waits for the lock.
 * @param {string} path
 * @param {{timeoutMs?: number, onWait?: (holder: {pid: number, startedAt: string, host: string}) => void}} [options]
 * @returns {Promise<() => void>} gives the lock back
 */
export async function lock(path, { timeoutMs = 3_600_000, onWait } = {}) {
  const deadline = Date.now() + timeoutMs;
  for (let waited = false; ; waited = true) {
    const attempt = tryLock(path);
    if ('release' in attempt) return attempt.release;
    if (!waited) onWait?.(attempt.holder);
    if (Date.now() > deadline) {
      throw new Error(`Waited ${timeoutMs / 1000} s for ${path}, which process ${attempt.holder.pid} holds.`);
    }
    await sleep(pollMs);
  }
}

/** @returns {boolean} false when the file exists */
function createWhole(path, content) {
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isStale(path, content) {
  const holder = JSON.parse(content);
  return holder.host === hostname() ? !isRunning(holder) : isOlderThan(path, staleForeignLockMs);
}

function breakStale(path, content) {
  const breaker = `${path}.breaker`;
  if (isOlderThan(breaker, staleBreakerMs)) rmSync(breaker, { force: true });
  if (!createWhole(breaker, '')) return;
  try {
    if (read(path) === content) rmSync(path, { force: true });
  } finally {
    rmSync(breaker, { force: true });
  }
}

function isOlderThan(path, ageMs) {
  const entry = statSync(path, { throwIfNoEntry: false });
  return entry !== undefined && Date.now() - entry.mtimeMs > ageMs;
}

function release(path, content) {
  if (read(path) === content) rmSync(path, { force: true });
}

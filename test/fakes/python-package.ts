import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { cacheFolder, fillCache, findCached, withCacheLock } from '../../scripts/local-services/binary-cache.ts';

const run = promisify(execFile);

/** Runs a Python program with arguments; gives what it printed. Throws when it fails. */
export type Python = (program: string, args: readonly string[]) => Promise<string>;

/**
 * A Python that can import `name` in this version, from the per-user cache, which is filled from the package index once;
 * or a sentence why it is not to be had here, for a test to be skipped with.
 */
export async function obtainPython(name: string, version: string): Promise<Python | string> {
  try {
    const program = await installed(name, version);
    return async (text, args) => {
      const { stdout } = await run(program, ['-c', text, ...args], { timeout: 120_000, killSignal: 'SIGKILL' });
      return stdout;
    };
  } catch (error) {
    return `optional: no Python with ${name} ${version} here (${String(error).split('\n')[0].slice(0, 200)})`;
  }
}

/** Packages are for one version of Python only. */
async function installed(name: string, version: string): Promise<string> {
  const { stdout } = await run('python3', ['-c', 'import sys, pip; print("%d.%d" % sys.version_info[:2])']);
  const entry = { key: `${name}-${version}-python${stdout.trim()}`, program: `python-with-${name}` };
  const cache = cacheFolder();
  const quietly = (): void => {};
  return withCacheLock(
    cache,
    name,
    quietly,
    async () =>
      findCached(cache, entry) ??
      fillCache(cache, entry, (folder) => install(folder, entry.program, `${name}==${version}`)),
  );
}

async function install(folder: string, launcher: string, requirement: string): Promise<void> {
  const options = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1', '--timeout', '10'];
  const args = ['-m', 'pip', 'install', ...options, '--target', folder, requirement];
  await run('python3', args, { timeout: 240_000, killSignal: 'SIGKILL' });
  const text = '#!/bin/sh\nPYTHONPATH="$(dirname "$0")" exec python3 "$@"\n';
  await writeFile(join(folder, launcher), text, { mode: 0o755 });
}

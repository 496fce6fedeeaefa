import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, fillCache, findCached, withCacheLock } from '../../scripts/local-services/binary-cache.ts';
import { apiKey } from './wandb-mirroring.ts';

const run = promisify(execFile);

/** The version whose protocol was measured. */
const version = '0.31.0';

/** W&B's own Python client, talking to a stand-in. */
export interface OfficialWandb {
  /** `wandb sync` of the folders; gives what it printed. Throws when it fails. */
  sync(baseUrl: string, folders: readonly string[]): Promise<string>;
  /** Runs a Python program that may `import wandb`; gives what it printed. Throws when it fails. */
  python(baseUrl: string, home: string, program: string): Promise<string>;
}

/** The client from the per-user cache, which is filled from PyPI once; or a sentence why it is not to be had here. */
export async function obtainOfficialWandb(): Promise<OfficialWandb | string> {
  try {
    return clientIn(await installed());
  } catch (error) {
    return `optional: no Python with wandb ${version} here (${String(error).split('\n')[0].slice(0, 200)})`;
  }
}

/** A Python that finds the packages. They are for one version of Python only. */
async function installed(): Promise<string> {
  const { stdout } = await run('python3', ['-c', 'import sys, pip; print("%d.%d" % sys.version_info[:2])']);
  const entry = { key: `wandb-${version}-python${stdout.trim()}`, program: launcher };
  const cache = cacheFolder();
  return withCacheLock(
    cache,
    'wandb',
    () => {},
    async () => {
      return findCached(cache, entry) ?? fillCache(cache, entry, install);
    },
  );
}

const launcher = 'python-with-wandb';

async function install(folder: string): Promise<void> {
  const options = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1', '--timeout', '10'];
  const args = ['-m', 'pip', 'install', ...options, '--target', folder, `wandb==${version}`];
  await run('python3', args, { timeout: 240_000, killSignal: 'SIGKILL' });
  const text = '#!/bin/sh\nPYTHONPATH="$(dirname "$0")" exec python3 "$@"\n';
  await writeFile(join(folder, launcher), text, { mode: 0o755 });
}

function clientIn(python3: string): OfficialWandb {
  const python = async (baseUrl: string, home: string, args: readonly string[]): Promise<string> => {
    const wandb = {
      WANDB_API_KEY: apiKey,
      WANDB_BASE_URL: baseUrl,
      WANDB_ERROR_REPORTING: 'false',
      WANDB_SILENT: 'false',
    };
    const env = { PATH: process.env.PATH, HOME: home, ...wandb };
    const { stdout, stderr } = await run(python3, args, { env, cwd: home, timeout: 120_000, killSignal: 'SIGKILL' });
    return stdout + stderr;
  };
  return {
    sync: (baseUrl, folders) => python(baseUrl, dirname(folders[0]), ['-m', 'wandb', 'sync', ...folders]),
    python: (baseUrl, home, program) => python(baseUrl, home, ['-c', program]),
  };
}

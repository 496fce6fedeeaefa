import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { buildWithGo } from './go-build.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import type { ProgramSource } from './obtain-program.ts';
import { obtainProgram } from './obtain-program.ts';
import { programVersion } from './program-version.ts';
import { findOnPath, runToEnd } from './run-to-end.ts';

/** The pinned version: go.mod beside this file names the same, and a test compares them. */
export const temporalVersion = '1.5.1';

const entry: CacheEntry = { key: `temporal-${temporalVersion}`, program: 'temporal' };

const wayOut = `Ways out: set TEMPORAL_ADDRESS to a Temporal server of yours; or install the Temporal CLI so that
\`temporal\` is on PATH; or install Go (1.25 or newer) and start again.`;

/** How to obtain a program. */
export interface ObtainOptions {
  /** The per-user cache by default. */
  readonly cache?: string;
  /** Told, in a sentence, about every step that takes long. */
  readonly report?: (line: string) => void;
}

/**
 * Path of a Temporal CLI with the development server: from PATH, from the cache, downloaded by `@temporalio/testing`,
 * or built from its Go module. Throws an error that lists what was tried and the ways out.
 */
export async function obtainTemporal(options: ObtainOptions = {}): Promise<string> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const found = await findOnPathOrCache(cache);
  if (found !== undefined) return found;
  return withCacheLock(cache, entry.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    return obtainProgram('The Temporal server', temporalSources(cache, report), wayOut);
  });
}

async function findOnPathOrCache(cache: string): Promise<string | undefined> {
  return fromPath().catch(() => findCached(cache, entry));
}

/** The sources in their order. The cache is asked again: another process may have filled it meanwhile. */
function temporalSources(cache: string, report: (line: string) => void): ProgramSource<string>[] {
  return [
    { name: '`temporal` on PATH', obtain: fromPath },
    { name: 'the cache', obtain: () => fromCache(cache) },
    { name: 'the download of @temporalio/testing', obtain: () => download(cache, report) },
    { name: `a build of its Go module v${temporalVersion}`, obtain: () => build(cache, report) },
  ];
}

async function fromPath(): Promise<string> {
  const path = findOnPath('temporal');
  if (path === undefined) throw new Error('there is none');
  await programVersion(path, ['server', 'start-dev', '--help']);
  return path;
}

async function fromCache(cache: string): Promise<string> {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return path;
}

function download(cache: string, report: (line: string) => void): Promise<string> {
  report(`Downloading the Temporal server ${temporalVersion} …`);
  return fillCache(cache, entry, async (folder) => {
    const downloadFolder = join(folder, 'download');
    mkdirSync(downloadFolder);
    await runToEnd(
      {
        name: 'temporal-download',
        command: process.execPath,
        args: [join(import.meta.dirname, 'download-temporal.ts'), `v${temporalVersion}`, downloadFolder],
        logFile: join(cache, 'logs', 'temporal-download.log'),
        recordsFolder: join(cache, 'records'),
      },
      { timeoutMs: 15 * 60_000, growing: { folder: downloadFolder, stallMs: 20_000 } },
    );
    renameSync(join(downloadFolder, `temporal-v${temporalVersion}`), join(folder, entry.program));
    rmSync(downloadFolder, { recursive: true });
  });
}

function build(cache: string, report: (line: string) => void): Promise<string> {
  report('Building the Temporal server from its Go module (two to five minutes, once for this user) …');
  const goBuild = {
    module: 'temporal',
    package: 'github.com/temporalio/cli/cmd/temporal',
    linkerFlags: `-X github.com/temporalio/cli/temporalcli.Version=${temporalVersion}`,
  };
  return fillCache(cache, entry, (folder) => buildWithGo(goBuild, join(folder, entry.program), cache));
}

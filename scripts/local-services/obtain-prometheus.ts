import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import { obtainProgram } from './obtain-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';
import { programVersion } from './program-version.ts';
import { findOnPath, runToEnd } from './run-to-end.ts';

/** Absolute paths of Prometheus's programs. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  /** Checks configurations, rules and metrics. */
  readonly promtool: string;
}

/** The version is the one of this machine's Debian or Ubuntu. */
const entry: CacheEntry = { key: 'prometheus-debian', program: 'prometheus' };
const timeoutMs = 4 * 60_000;

const wayOut =
  'Ways out: install Prometheus, so that `prometheus` and `promtool` are on PATH; or a Debian or Ubuntu whose apt has the package `prometheus`.';

/**
 * Prometheus: from PATH, from the cache, or from the package of this machine's Debian or Ubuntu, which is unpacked into
 * the cache, not installed. Throws an error that lists what was tried and the ways out.
 */
export async function obtainPrometheus(options: ObtainOptions = {}): Promise<PrometheusPrograms> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const found = findOnPath('promtool') === undefined ? undefined : findOnPath('prometheus');
  if (found !== undefined) return { prometheus: found, promtool: findOnPath('promtool')! };
  const prometheus = findCached(cache, entry) ?? (await obtain(cache, report));
  return { prometheus, promtool: join(dirname(prometheus), 'promtool') };
}

function obtain(cache: string, report: (line: string) => void): Promise<string> {
  return withCacheLock(cache, entry.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [
      { name: 'the cache', obtain: async () => fromCache(cache) },
      { name: "the package `prometheus` of this machine's apt", obtain: () => fromPackage(cache, report) },
      { name: 'that package by fresh lists', obtain: () => fromPackage(cache, report, { freshLists: true }) },
    ];
    return obtainProgram('Prometheus', sources, wayOut);
  });
}

/** The cache is asked again: another process may have filled it meanwhile. */
function fromCache(cache: string): string {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return path;
}

/** @param freshLists many images come without apt's lists; new ones are then put into the draft, not on the machine. */
function fromPackage(cache: string, report: (line: string) => void, { freshLists = false } = {}): Promise<string> {
  const apt = findOnPath('apt-get');
  if (apt === undefined || findOnPath('dpkg-deb') === undefined) throw new Error('there is no `apt-get` on PATH');
  report(`Downloading Prometheus's package${freshLists ? ' by fresh lists' : ''} (20 MB, once for this user) …`);
  return fillCache(cache, entry, async (folder) => {
    const work = join(folder, 'work');
    for (const part of ['lists/partial', 'archives/partial']) mkdirSync(join(work, part), { recursive: true });
    const settings = aptSettings(work, freshLists);
    if (freshLists) await runApt(apt, [...settings, 'update'], work, cache);
    await runApt(apt, [...settings, 'download', 'prometheus'], work, cache);
    const file = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (file === undefined) throw new Error('apt left no package');
    await promisify(execFile)('dpkg-deb', ['-x', join(work, file), join(work, 'root')], { timeout: 60_000 });
    for (const program of ['prometheus', 'promtool']) {
      renameSync(join(work, 'root', 'usr', 'bin', program), join(folder, program));
    }
    // A package of another processor, or one that needs more libraries than this machine has, is found out here.
    await programVersion(join(folder, entry.program), ['--version']);
    rmSync(work, { recursive: true });
  });
}

function aptSettings(work: string, freshLists: boolean): string[] {
  const settings = {
    ...(freshLists ? { 'Dir::State::lists': join(work, 'lists'), 'Dir::Cache': work } : {}),
    'APT::Sandbox::User': userInfo().username,
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function runApt(command: string, args: readonly string[], workingFolder: string, cache: string): Promise<void> {
  return runToEnd(
    {
      name: 'prometheus-download',
      command,
      args,
      workingFolder,
      logFile: join(cache, 'logs', 'prometheus-download.log'),
      recordsFolder: join(cache, 'records'),
    },
    { timeoutMs },
  );
}

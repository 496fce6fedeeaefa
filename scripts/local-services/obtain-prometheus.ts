import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { buildWithGo, requireGo } from './go-build.ts';
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

/** The version that is built where no package is to be had: the module's v0.305.0. A test compares it with go.mod. */
export const prometheusVersion = '3.5.0';

/** From a package: the version is the one of this machine's Debian or Ubuntu. */
const packaged: CacheEntry = { key: 'prometheus-debian', program: 'prometheus' };
const built: CacheEntry = { key: `prometheus-${prometheusVersion}`, program: 'prometheus' };
const programNames = ['promtool', 'prometheus'];
const timeoutMs = 4 * 60_000;

const wayOut = `Ways out: install Prometheus, so that \`prometheus\` and \`promtool\` are on PATH; or a Debian or Ubuntu whose apt has the
package \`prometheus\`; or install Go (1.25 or newer).`;

/**
 * Prometheus: from PATH, from the cache, from the package of this machine's Debian or Ubuntu, which is unpacked into the
 * cache, not installed, or built from its Go module, then without its web pages. Throws an error that lists what was
 * tried and the ways out.
 */
export async function obtainPrometheus(options: ObtainOptions = {}): Promise<PrometheusPrograms> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const found = findOnPath('promtool') === undefined ? undefined : findOnPath('prometheus');
  if (found !== undefined) return { prometheus: found, promtool: findOnPath('promtool')! };
  const prometheus = findInCache(cache) ?? (await obtain(cache, report));
  return { prometheus, promtool: join(dirname(prometheus), 'promtool') };
}

function obtain(cache: string, report: (line: string) => void): Promise<string> {
  return withCacheLock(cache, built.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [
      { name: 'the cache', obtain: async () => fromCache(cache) },
      { name: "the package `prometheus` of this machine's apt", obtain: () => fromPackage(cache, report) },
      { name: 'that package by fresh lists', obtain: () => fromPackage(cache, report, { freshLists: true }) },
      { name: `a build of its Go module (${built.key})`, obtain: () => build(cache, report) },
    ];
    return obtainProgram('Prometheus', sources, wayOut);
  });
}

function findInCache(cache: string): string | undefined {
  return findCached(cache, packaged) ?? findCached(cache, built);
}

/** The cache is asked again: another process may have filled it meanwhile. */
function fromCache(cache: string): string {
  const path = findInCache(cache);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${packaged.key} or ${built.key}`);
  return path;
}

/** Without the tag that would want the web pages, which Node builds: the HTTP API is all that tests need. */
async function build(cache: string, report: (line: string) => void): Promise<string> {
  requireGo();
  report('Building Prometheus from its Go module (about five minutes, once for this user) …');
  return fillCache(cache, built, async (folder) => {
    for (const name of programNames) {
      const goBuild = {
        module: 'prometheus',
        package: `github.com/prometheus/prometheus/cmd/${name}`,
        linkerFlags: `-X github.com/prometheus/common/version.Version=${prometheusVersion}`,
      };
      await buildWithGo(goBuild, join(folder, name), cache);
    }
  });
}

/** @param freshLists many images come without apt's lists; new ones are then put into the draft, not on the machine. */
function fromPackage(cache: string, report: (line: string) => void, { freshLists = false } = {}): Promise<string> {
  const apt = findOnPath('apt-get');
  if (apt === undefined || findOnPath('dpkg-deb') === undefined) throw new Error('there is no `apt-get` on PATH');
  report(`Downloading Prometheus's package${freshLists ? ' by fresh lists' : ''} (20 MB, once for this user) …`);
  return fillCache(cache, packaged, async (folder) => {
    const work = join(folder, 'work');
    for (const part of ['lists/partial', 'archives/partial']) mkdirSync(join(work, part), { recursive: true });
    const settings = aptSettings(work, freshLists);
    if (freshLists) await runApt(apt, [...settings, 'update'], work, cache);
    await runApt(apt, [...settings, 'download', 'prometheus'], work, cache);
    const file = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (file === undefined) throw new Error('apt left no package');
    await promisify(execFile)('dpkg-deb', ['-x', join(work, file), join(work, 'root')], { timeout: 60_000 });
    for (const program of programNames) {
      renameSync(join(work, 'root', 'usr', 'bin', program), join(folder, program));
    }
    // A package of another processor, or one that needs more libraries than this machine has, is found out here.
    await programVersion(join(folder, packaged.program), ['--version']);
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

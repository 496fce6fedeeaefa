import { createHash } from 'node:crypto';
import { cpSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { buildWithGo } from './go-build.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import type { ProgramSource } from './obtain-program.ts';
import { obtainProgram } from './obtain-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';
import { programVersion } from './program-version.ts';
import { findOnPath, runToEnd } from './run-to-end.ts';

/** The pinned versions: a test compares them with the committed module files. */
export const mongodVersion = '8.2.6';
export const ferretdbVersion = '1.24.2';

/** Oldest mongod that the driver talks to and that we accept on PATH. */
const oldestMongodMajor = 5;

/** A server program that speaks MongoDB's wire protocol. The two keep their data in different formats. */
export interface MongoProgram {
  readonly engine: 'mongod' | 'ferretdb';
  readonly path: string;
}

/** {@link ObtainOptions} and which engine the data at hand were written by; without data either will do. */
export interface ObtainMongoOptions extends ObtainOptions {
  readonly engine?: MongoProgram['engine'];
}

const mongodEntry: CacheEntry = { key: `mongod-${mongodVersion}`, program: 'mongod' };

/** Our own main belongs to the build, so its content is part of the key. */
const ferretdbEntry: CacheEntry = { key: `ferretdb-${ferretdbVersion}-${ferretdbSources()}`, program: 'ferretdb' };

const wayOut = `Ways out: set MONGODB_URL to a MongoDB of yours; or install MongoDB so that \`mongod\` is on PATH; or
install Go (1.24 or newer) and start again.`;

/**
 * A program that serves MongoDB's wire protocol: mongod from PATH, mongod or FerretDB from the cache, mongod downloaded
 * by mongodb-memory-server, or FerretDB built from its Go module. Throws an error that lists what was tried and the ways
 * out.
 */
export async function obtainMongo(options: ObtainMongoOptions = {}): Promise<MongoProgram> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const quick = await firstOf(quickSources(cache, options.engine));
  if (quick !== undefined) return quick;
  return withCacheLock(cache, 'mongo', report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [...quickSources(cache, options.engine), ...slowSources(cache, report, options.engine)];
    return obtainProgram('The MongoDB-compatible server', sources, wayOut);
  });
}

type MongoSource = ProgramSource<MongoProgram> & { readonly engine: MongoProgram['engine'] };

function quickSources(cache: string, engine: MongoProgram['engine'] | undefined): MongoSource[] {
  const sources: MongoSource[] = [
    { engine: 'mongod', name: '`mongod` on PATH', obtain: mongodFromPath },
    { engine: 'mongod', name: 'mongod in the cache', obtain: () => fromCache('mongod', cache, mongodEntry) },
    { engine: 'ferretdb', name: 'FerretDB in the cache', obtain: () => fromCache('ferretdb', cache, ferretdbEntry) },
  ];
  return sources.filter((source) => engine === undefined || source.engine === engine);
}

function slowSources(
  cache: string,
  report: (line: string) => void,
  engine: MongoProgram['engine'] | undefined,
): MongoSource[] {
  const sources: MongoSource[] = [
    { engine: 'mongod', name: 'the download of mongodb-memory-server', obtain: () => downloadMongod(cache, report) },
    {
      engine: 'ferretdb',
      name: `a build of the Go module of FerretDB v${ferretdbVersion}`,
      obtain: () => buildFerretdb(cache, report),
    },
  ];
  return sources.filter((source) => engine === undefined || source.engine === engine);
}

async function firstOf(sources: readonly MongoSource[]): Promise<MongoProgram | undefined> {
  for (const source of sources) {
    const program = await source.obtain().catch(() => undefined);
    if (program !== undefined) return program;
  }
  return undefined;
}

async function mongodFromPath(): Promise<MongoProgram> {
  const path = findOnPath('mongod');
  if (path === undefined) throw new Error('there is none');
  const major = /v(\d+)\./.exec(await programVersion(path, ['--version']))?.[1];
  if (major === undefined || Number(major) < oldestMongodMajor) {
    throw new Error(`${path} is version ${major ?? 'unknown'}; ${oldestMongodMajor} or newer is needed`);
  }
  return { engine: 'mongod', path };
}

async function fromCache(engine: MongoProgram['engine'], cache: string, entry: CacheEntry): Promise<MongoProgram> {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return { engine, path };
}

/** mongodb-memory-server is installed by its own committed lockfile, for this one use, and thrown away afterwards. */
async function downloadMongod(cache: string, report: (line: string) => void): Promise<MongoProgram> {
  report(`Downloading MongoDB ${mongodVersion} …`);
  const path = await fillCache(cache, mongodEntry, async (folder) => {
    const modules = join(folder, 'modules');
    const downloads = join(folder, 'downloads');
    cpSync(join(import.meta.dirname, 'mongodb-memory-server'), modules, { recursive: true });
    await installModules(cache, modules);
    await runToEnd(
      {
        name: 'mongod-download',
        command: process.execPath,
        args: [join(import.meta.dirname, 'download-mongod.mjs'), modules, mongodVersion, downloads],
        logFile: join(cache, 'logs', 'mongod-download.log'),
        recordsFolder: join(cache, 'records'),
      },
      { timeoutMs: 15 * 60_000, growing: { folder: downloads, stallMs: 20_000 } },
    );
    renameSync(join(downloads, 'mongod'), join(folder, mongodEntry.program));
    await programVersion(join(folder, mongodEntry.program), ['--version']);
    for (const leftover of [modules, downloads]) rmSync(leftover, { recursive: true });
  });
  return { engine: 'mongod', path };
}

async function installModules(cache: string, modules: string): Promise<void> {
  const npm = findOnPath('npm');
  if (npm === undefined) throw new Error('there is no `npm` on PATH');
  await runToEnd(
    {
      name: 'mongodb-memory-server-install',
      command: npm,
      args: ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
      workingFolder: modules,
      logFile: join(cache, 'logs', 'mongodb-memory-server-install.log'),
      recordsFolder: join(cache, 'records'),
    },
    { timeoutMs: 5 * 60_000 },
  );
}

async function buildFerretdb(cache: string, report: (line: string) => void): Promise<MongoProgram> {
  report(
    'Building FerretDB, a MongoDB-compatible server, from its Go module (one to three minutes, once for this user) …',
  );
  const path = await fillCache(cache, ferretdbEntry, (folder) =>
    buildWithGo({ module: 'ferretdb', package: '.' }, join(folder, ferretdbEntry.program), cache),
  );
  return { engine: 'ferretdb', path };
}

function ferretdbSources(): string {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) {
    hash.update(readFileSync(join(import.meta.dirname, 'ferretdb', file)));
  }
  return hash.digest('hex').slice(0, 12);
}

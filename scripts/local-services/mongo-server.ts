import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import type { MongoProgram } from './obtain-mongo.ts';
import type { OwnedProgram } from './owned-program.ts';
import { startOwnedProgram } from './owned-program.ts';
import { untilReady } from './readiness.ts';

/** Where a local MongoDB-compatible server runs. */
export interface MongoServerOptions {
  readonly program: MongoProgram;
  /** Holds mongod/ or ferretdb/, logs/ and records/. */
  readonly dataFolder: string;
  readonly port: number;
  /** Unique among the servers that share the data folder's records; `mongo` by default. */
  readonly name?: string;
}

/** A local MongoDB-compatible server that answers. */
export interface MongoServer {
  /** `mongodb://host:port`, without a database. */
  readonly url: string;
  readonly program: OwnedProgram;
}

const startTimeoutMs = 60_000;

/** The folder that an engine keeps its data in. */
export function mongoDataFolder(dataFolder: string, engine: MongoProgram['engine']): string {
  return join(dataFolder, engine);
}

/**
 * Starts a MongoDB-compatible server on loopback, on data that survive restarts. Resolves when it answers a ping;
 * throws, with the end of its log, when it does not within a minute.
 */
export async function startMongoServer(options: MongoServerOptions): Promise<MongoServer> {
  const name = options.name ?? 'mongo';
  const folder = mongoDataFolder(options.dataFolder, options.program.engine);
  mkdirSync(folder, { recursive: true });
  const program = await startOwnedProgram({
    name,
    command: options.program.path,
    args: serverArguments(options.program.engine, folder, options.port),
    logFile: join(options.dataFolder, 'logs', `${name}.log`),
    recordsFolder: join(options.dataFolder, 'records'),
  });
  const url = `mongodb://127.0.0.1:${options.port}`;
  try {
    await untilReady('The MongoDB-compatible server', program, () => answers(url), startTimeoutMs);
  } catch (error) {
    await program.kill();
    throw error;
  }
  return { url, program };
}

function serverArguments(engine: MongoProgram['engine'], folder: string, port: number): string[] {
  return engine === 'mongod'
    ? ['--dbpath', folder, '--bind_ip', '127.0.0.1', '--port', String(port), '--quiet', '--nounixsocket']
    : ['-data', folder, '-listen', `127.0.0.1:${port}`];
}

/** True when the server at `url` answers a ping. */
export async function answers(url: string): Promise<boolean> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000 });
  try {
    await client.db('admin').command({ ping: 1 });
    return true;
  } finally {
    await client.close();
  }
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { OwnedProgram } from './owned-program.ts';
import { startOwnedProgram } from './owned-program.ts';
import { untilReady } from './readiness.ts';

/** Where a local Temporal server runs. */
export interface TemporalServerOptions {
  /** Absolute path of the Temporal CLI. */
  readonly program: string;
  /** Holds temporal.db, logs/ and records/. */
  readonly dataFolder: string;
  readonly port: number;
  readonly uiPort: number;
  /** Unique among the servers that share the data folder's records; `temporal` by default. */
  readonly name?: string;
}

/** A local Temporal server that answers. */
export interface TemporalServer {
  /** `host:port` of its gRPC interface. */
  readonly address: string;
  /** Address of its Web UI. */
  readonly uiUrl: string;
  readonly program: OwnedProgram;
}

const startTimeoutMs = 60_000;
const namespace = 'default';

/**
 * Starts Temporal's development server with its Web UI, on loopback, on a SQLite file that survives restarts. Resolves
 * when its default namespace answers; throws, with the end of its log, when it does not within a minute.
 *
 * The two poll limits: with its single history shard the server's default of 20 polls a second puts a pause of 40 ms
 * before every task once a burst is used up.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  mkdirSync(options.dataFolder, { recursive: true });
  const name = options.name ?? 'temporal';
  const program = await startOwnedProgram({
    name,
    command: options.program,
    args: serverArguments(options),
    logFile: join(options.dataFolder, 'logs', `${name}.log`),
    recordsFolder: join(options.dataFolder, 'records'),
  });
  const address = `127.0.0.1:${options.port}`;
  try {
    await untilReady('The Temporal server', program, () => answers(address), startTimeoutMs);
  } catch (error) {
    await program.kill();
    throw error;
  }
  return { address, uiUrl: `http://127.0.0.1:${options.uiPort}`, program };
}

function serverArguments({ dataFolder, port, uiPort }: TemporalServerOptions): string[] {
  const settings = {
    'history.transferProcessorMaxPollRPS': 10_000,
    'history.timerProcessorMaxPollRPS': 10_000,
  };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', join(dataFolder, 'temporal.db'), '--log-level', 'warn', '--log-format', 'json'],
    ...Object.entries(settings).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
  ];
}

/** True when the server at `address` knows its default namespace. */
export async function answers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } finally {
    await connection.close();
  }
}

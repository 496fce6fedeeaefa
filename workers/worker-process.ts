import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { LogEntry, WorkerOptions } from '@temporalio/worker';
import { loadConfig } from '../config/index.ts';
import type { Config } from '../config/index.ts';
import { temporalConnection } from '../config/temporal-connection.ts';
import { CoxswainError, toCoxswainError } from '../src/contracts/errors.ts';
import type { ArtifactStore, Store } from '../src/contracts/stores.ts';
import { createMongoStore } from '../src/store/mongo/mongo-store.ts';
import type { Registry } from 'prom-client';
import { startHealthServer } from './health-server.ts';
import type { HealthPhase } from './health-server.ts';
import { openArtifacts } from './open-artifacts.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { createWorkerMetrics } from './worker-metrics.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** How long a starting worker tries to reach each service. */
const connectTimeoutMs = 30_000;
const connectPauseMs = 500;

/** Everything that a worker's activities are made from. */
export interface WorkerContext {
  readonly config: Config;
  readonly client: Client;
  readonly store: Store;
  readonly artifacts: ArtifactStore;
  /** What Prometheus reads from this process; programs add theirs. */
  readonly metrics: Registry;
}

/** The part of the worker's options that differs between programs. */
export type WorkerPlan = Omit<WorkerOptions, 'connection' | 'namespace'>;

/**
 * Runs a worker program until SIGTERM, SIGINT or the loss of the channel to its parent; then running activities get
 * their grace time and the process ends. Exit codes: 0 after a shutdown, 1 after a failure, 3 when a service could not
 * be reached. Tells a parent `{kind: 'ready'}` once it polls, and everybody on COXSWAIN_HEALTH_PORT where that is set.
 */
export async function runWorkerProcess(
  plan: (context: WorkerContext) => Promise<readonly WorkerPlan[]>,
): Promise<void> {
  const stop = stopSignal();
  try {
    const config = loadConfig();
    Runtime.install({ logger: jsonLogger(config), shutdownSignals: [] });
    await serve(config, plan, stop);
    process.exit(0);
  } catch (error) {
    if (stop.aborted) process.exit(0); // told to end while it was starting
    const { code, message } = toCoxswainError(error);
    process.stderr.write(`${code}: ${message}\n`);
    process.exit(code === 'TEMPORAL_UNAVAILABLE' || code === 'STORE_UNAVAILABLE' ? 3 : 1);
  }
}

async function serve(
  config: Config,
  plan: (context: WorkerContext) => Promise<readonly WorkerPlan[]>,
  stop: AbortSignal,
): Promise<void> {
  const metrics = createWorkerMetrics();
  let phase: HealthPhase = 'starting';
  const health = await openHealth(config, metrics, () => phase);
  const { namespace } = config.temporal;
  const [connection, native] = await temporalClients(config, stop);
  await answering(() => ensureSearchAttributes(connection, namespace), stop);
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  await answering(() => store.migrate(), stop);
  const artifacts = await openArtifacts(config);
  const plans = await plan({
    config,
    client: new Client({ connection, namespace }),
    store,
    artifacts,
    metrics: metrics.registry,
  });
  const workers = await Promise.all(
    plans.map((options) => Worker.create({ ...options, connection: native, namespace })),
  );
  metrics.watch(workers);
  const shutDown = (): void => {
    phase = 'stopping';
    workers.forEach((worker) => worker.getState() === 'RUNNING' && worker.shutdown());
  };
  stop.addEventListener('abort', shutDown, { once: true });
  const running = Promise.all(workers.map((worker) => worker.run()));
  phase = 'ready';
  process.send?.({ kind: 'ready' });
  if (stop.aborted) shutDown();
  try {
    // One worker that fails takes the program down: a process that serves half of its queues looks healthy but is not.
    await running;
  } finally {
    shutDown();
    await store.close();
    await connection.close();
    await health?.close();
  }
}

/** Before anything else, so that whoever asks hears `starting` and not a refused connection. */
function openHealth({ health: { port } }: Config, { registry }: WorkerMetrics, phase: () => HealthPhase) {
  return port === null ? null : startHealthServer({ port, phase, registry });
}

/** The result of an operation on a service that may still be starting; rejects at once when this process shall end. */
async function answering<T>(operation: () => Promise<T>, stop: AbortSignal): Promise<T> {
  const deadlineMs = performance.now() + connectTimeoutMs;
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (!toCoxswainError(error).retryable || performance.now() > deadlineMs) throw error;
      await sleep(connectPauseMs, undefined, { signal: stop });
    }
  }
}

function temporalClients({ temporal }: Config, stop: AbortSignal): Promise<readonly [Connection, NativeConnection]> {
  const options = temporalConnection(temporal);
  return answering(async () => {
    try {
      return [await Connection.connect(options), await NativeConnection.connect(options)] as const;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `Temporal at ${temporal.address} could not be reached: ${reason}`;
      throw new CoxswainError('TEMPORAL_UNAVAILABLE', message, { cause: error });
    }
  }, stop);
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.on('SIGTERM', stop).on('SIGINT', stop).on('disconnect', stop);
  return controller.signal;
}

/** One JSON object a line on standard output. */
function jsonLogger({ log }: Config): DefaultLogger {
  const levels = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;
  return new DefaultLogger(levels[log.level], ({ level, timestampNanos, message, meta }: LogEntry) => {
    const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    process.stdout.write(`${JSON.stringify({ at, level: level.toLowerCase(), message, ...plain(meta) })}\n`);
  });
}

function plain(meta: LogEntry['meta']): Record<string, unknown> {
  const entries = Object.entries(meta ?? {}).map(([key, value]): [string, unknown] => [
    key,
    value instanceof Error ? value.message : value,
  ]);
  return Object.fromEntries(entries);
}

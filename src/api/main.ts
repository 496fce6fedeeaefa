/**
 * The API's process: listens by the settings of the environment until SIGTERM, SIGINT or the loss of the channel to its
 * parent. Tells a parent `{kind: 'ready', url}`. Exit codes: 0 after a shutdown, 2 for wrong settings, 1 for the rest.
 *
 * It listens whether or not Temporal and MongoDB are there: /readyz says so, and requests are answered once they are.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config/index.ts';
import type { Config } from '../../config/index.ts';
import { temporalConnection } from '../../config/temporal-connection.ts';
import { createCoxswainClient } from '../client/coxswain-client.ts';
import { packageVersion } from '../client/package-version.ts';
import { toCoxswainError } from '../contracts/errors.ts';
import type { Store } from '../contracts/stores.ts';
import { createMongoStore } from '../store/mongo/mongo-store.ts';
import { startApiServer } from './api-server.ts';
import { createApi } from './create-api.ts';
import { createJsonLog } from './json-log.ts';
import type { Log } from './json-log.ts';
import type { ApiSettings } from './settings.ts';

const migrationPauseMs = 2_000;

try {
  await serve(loadConfig(), untilStopped());
  process.exit(0);
} catch (error) {
  const { code, message } = toCoxswainError(error);
  process.stderr.write(`${code}: ${message}\n`);
  process.exit(code === 'CONFIG_INVALID' ? 2 : 1);
}

async function serve(config: Config, stopped: Promise<string>): Promise<void> {
  const log = createJsonLog(config.log.level, (line) => process.stdout.write(line));
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  const { namespace } = config.temporal;
  const client = createCoxswainClient({
    temporal: { connection: temporalConnection(config.temporal), namespace },
    store,
  });
  const settings = settingsOf(config);
  const api = createApi({ client, store, settings, log, version: packageVersion() });
  const server = await startApiServer(api, settings);
  log('info', 'listening', { url: server.url });
  process.send?.({ kind: 'ready', url: server.url });
  void prepareStore(store, log);
  log('info', 'stopping', { because: await stopped });
  await server.close();
  await Promise.all([client.close(), store.close()]);
}

/** Creates collections and indexes as soon as the database is there; workers may have done it. */
async function prepareStore(store: Store, log: Log): Promise<void> {
  for (;;) {
    try {
      return await store.migrate();
    } catch (error) {
      const { code, message, retryable } = toCoxswainError(error);
      log('warn', message, { code });
      if (!retryable) return;
      await sleep(migrationPauseMs, undefined, { ref: false });
    }
  }
}

function settingsOf({ api }: Config): ApiSettings {
  return { ...api, token: api.token?.reveal() ?? null, webhookSecret: api.webhookSecret?.reveal() ?? null };
}

function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
    process.on('disconnect', () => resolve('the parent is gone'));
  });
}

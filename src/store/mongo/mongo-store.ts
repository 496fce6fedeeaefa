import { MongoClient } from 'mongodb';
import { CoxswainError } from '../../contracts/errors.ts';
import type { Store } from '../../contracts/stores.ts';
import { migrate } from './migrate.ts';
import { MongoCheckpointStore } from './mongo-checkpoint-store.ts';
import { createMongoControlStore } from './mongo-control-store.ts';
import { withOurErrors } from './mongo-errors.ts';
import { MongoMetricStore } from './mongo-metric-store.ts';
import { MongoModelRegistry } from './mongo-model-registry.ts';
import { MongoNonceStore } from './mongo-nonce-store.ts';
import { MongoRecordingStore } from './mongo-recording-store.ts';
import { MongoRunStore } from './mongo-run-store.ts';
import { MongoTrackingLedger } from './mongo-tracking-ledger.ts';

/** Where the database is, and how long to wait for it. */
export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`; may hold credentials, which no error message repeats. */
  readonly url: string;
  /** Name of the database. */
  readonly database: string;
  /** How long an operation waits for a server that can take it. Default 3 000. */
  readonly serverSelectionTimeoutMs?: number;
  /** How long an operation waits for its answer. Default 10 000. */
  readonly socketTimeoutMs?: number;
  /** The clock, for expiry. */
  readonly now?: () => Date;
}

/**
 * The store in MongoDB, or in FerretDB 1.24. Connects with the first operation and reconnects by itself; an operation
 * that finds no server is refused with STORE_UNAVAILABLE in bounded time. CONFIG_INVALID when the address cannot be
 * read or the credentials are refused. Call `migrate` before the first use of a database, `close` at the end.
 */
export function createMongoStore(options: MongoStoreOptions): Store {
  const client = createClient(options);
  const address = addressOf(client);
  const db = client.db(options.database);
  const now = options.now ?? ((): Date => new Date());
  const whole = {
    migrate: () => migrate(db, now),
    ping: async () => void (await db.command({ ping: 1 })),
    close: () => client.close(),
  };
  return {
    runs: withOurErrors(new MongoRunStore(db), address),
    metrics: withOurErrors(new MongoMetricStore(db), address),
    checkpoints: withOurErrors(new MongoCheckpointStore(db), address),
    recordings: withOurErrors(new MongoRecordingStore(db), address),
    models: withOurErrors(new MongoModelRegistry(db), address),
    trackingLedgers: withOurErrors(new MongoTrackingLedger(db), address),
    nonces: withOurErrors(new MongoNonceStore(db, now), address),
    control: withOurErrors(createMongoControlStore(db), address),
    ...withOurErrors(whole, address),
  };
}

function createClient({
  url,
  serverSelectionTimeoutMs = 3_000,
  socketTimeoutMs = 10_000,
}: MongoStoreOptions): MongoClient {
  try {
    return new MongoClient(url, {
      appName: 'coxswain',
      serverSelectionTimeoutMS: serverSelectionTimeoutMs,
      connectTimeoutMS: serverSelectionTimeoutMs,
      waitQueueTimeoutMS: serverSelectionTimeoutMs,
      socketTimeoutMS: socketTimeoutMs,
      heartbeatFrequencyMS: 2_000,
      maxPoolSize: 20,
      // What was acknowledged survives a failover, and nothing is decided on what may yet be rolled back.
      writeConcern: { w: 'majority' },
      readConcern: { level: 'majority' },
      readPreference: 'primary',
    });
  } catch {
    // The driver's message may repeat the address with its password.
    const message = 'MONGODB_URL is not an address that the MongoDB driver reads. Give mongodb://host:port.';
    throw new CoxswainError('CONFIG_INVALID', message);
  }
}

/** Hosts and ports without user and password. */
function addressOf(client: MongoClient): string {
  return client.options.srvHost ?? client.options.hosts.map(String).join(',');
}

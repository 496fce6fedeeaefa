import { findLocalServices, withLocalServices } from '../../config/local-services.ts';
import { loadConfig } from '../../config/index.ts';
import type { Config } from '../../config/index.ts';
import { temporalConnection } from '../../config/temporal-connection.ts';
import { createCoxswainClient } from '../client/coxswain-client.ts';
import type { CoxswainClient } from '../client/coxswain-client.ts';
import { createMongoStore } from '../store/mongo/mongo-store.ts';
import type { ReportAddresses } from './report-view.ts';

/** A stream that text is written to, as `process.stdout` is. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
}

/** What a command works with; tests give their own. */
export interface CommandContext {
  readonly output: TextOutput;
  readonly errors: TextOutput;
  readonly readInput: () => Promise<string>;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Opens what the commands talk to. */
  open(): Promise<Session>;
}

/** An open connection to Coxswain. */
export interface Session {
  readonly client: CoxswainClient;
  /** Commit to note in specs that name none. */
  readonly gitSha: string | null;
  readonly addresses: ReportAddresses;
  /** Time between two looks at a run that is followed. Default 1000. */
  readonly intervalMs?: number;
  close(): Promise<void>;
}

/** How long a person waits for a server that does not answer. */
const callTimeoutMs = 6_000;

/**
 * A session on the services of the environment: those that it names, else those of a running start, else the usual ports.
 * @throws CoxswainError CONFIG_INVALID
 */
export async function openSession(): Promise<Session> {
  const services = findLocalServices();
  const config = loadConfig(withLocalServices(services));
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  const client = createCoxswainClient({ temporal: temporalOf(config), store, callTimeoutMs });
  const isLocal = services?.temporalAddress === config.temporal.address;
  return {
    client,
    gitSha: config.client.gitSha,
    addresses: isLocal ? { temporalUiUrl: services.temporalUiUrl, apiUrl: services.apiUrl } : {},
    async close() {
      await Promise.all([client.close(), store.close()]);
    },
  };
}

/** Runs the work in a session and closes it, whatever happens. */
export async function withSession<T>(context: CommandContext, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await context.open();
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

function temporalOf({ temporal }: Config) {
  return { connection: temporalConnection(temporal), namespace: temporal.namespace };
}

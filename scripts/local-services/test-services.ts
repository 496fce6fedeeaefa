/**
 * Real servers for integration tests: one Temporal and one MongoDB-compatible server that a whole test run shares, and
 * private ones that a test may kill and start again.
 */
import { randomUUID } from 'node:crypto';
import { freePorts, retryTakenPort } from './free-port.ts';
import type { MongoServer } from './mongo-server.ts';
import { startMongoServer } from './mongo-server.ts';
import { obtainMongo } from './obtain-mongo.ts';
import { obtainTemporal } from './obtain-temporal.ts';
import { startServices } from './start-services.ts';
import type { TemporalServer } from './temporal-server.ts';
import { startTemporalServer } from './temporal-server.ts';
import { removeTestData, testDataFolder } from './test-data.ts';

/** By these variables `npm test` hands the shared servers' addresses to every test process. */
export const sharedServersVariables = {
  temporalAddress: 'COXSWAIN_TEST_TEMPORAL_ADDRESS',
  temporalUiUrl: 'COXSWAIN_TEST_TEMPORAL_UI_URL',
  mongoUrl: 'COXSWAIN_TEST_MONGODB_URL',
} as const;

/** The servers that the tests of one run share. */
export interface TestServices {
  /** `host:port` of Temporal; its namespace is `default`. */
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
  /** `mongodb://host:port`, without a database: take the name from {@link uniqueName}. */
  readonly mongoUrl: string;
  /** Call it in `after`; it stops nothing that other test files use. */
  stop(): Promise<void>;
}

/**
 * The servers shared by the test run; a test file that is run alone gets its own, which `stop` ends. What the tests
 * write is separated by {@link uniqueName} alone.
 */
export async function testServices(): Promise<TestServices> {
  const given = sharedServers();
  if (given !== undefined) return { ...given, stop: async () => undefined };
  return startTestServices();
}

/** Starts servers on free ports, on data that `stop` removes. The addresses in the environment are not used. */
export async function startTestServices(report?: (line: string) => void): Promise<TestServices> {
  const dataFolder = testDataFolder();
  const services = await startServices({ dataFolder, environment: {}, report });
  return {
    temporalAddress: services.temporalAddress,
    temporalUiUrl: services.temporalUiUrl ?? '',
    mongoUrl: services.mongoUrl,
    stop: async () => {
      await services.stop();
      await removeTestData(dataFolder);
    },
  };
}

function sharedServers(): Omit<TestServices, 'stop'> | undefined {
  const temporalAddress = process.env[sharedServersVariables.temporalAddress];
  const mongoUrl = process.env[sharedServersVariables.mongoUrl];
  if (!temporalAddress || !mongoUrl) return undefined;
  return { temporalAddress, mongoUrl, temporalUiUrl: process.env[sharedServersVariables.temporalUiUrl] ?? '' };
}

/** A name that no other test uses, for a database, a task queue or a workflow id: `prefix-` and eight characters. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** A server of one test's own. `kill` and `restart` keep its port and its data. */
export interface PrivateServer {
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Ends it in good order when it still runs, and starts it again; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its data. Call it in `after`. */
  stop(): Promise<void>;
}

/** A Temporal server of one test's own. */
export async function startPrivateTemporal(): Promise<
  PrivateServer & { readonly temporalAddress: string; readonly temporalUiUrl: string }
> {
  const program = await obtainTemporal();
  const dataFolder = testDataFolder();
  const { first, start } = await retryTakenPort(async () => {
    const [port, uiPort] = await freePorts([undefined, undefined]);
    const start = () => startTemporalServer({ program, dataFolder, port, uiPort });
    return { first: await start(), start };
  });
  return { temporalAddress: first.address, temporalUiUrl: first.uiUrl, ...privateServer(first, start, dataFolder) };
}

/** A MongoDB-compatible server of one test's own. */
export async function startPrivateMongo(): Promise<PrivateServer & { readonly mongoUrl: string }> {
  const program = await obtainMongo();
  const dataFolder = testDataFolder();
  const { first, start } = await retryTakenPort(async () => {
    const [port] = await freePorts([undefined]);
    const start = () => startMongoServer({ program, dataFolder, port });
    return { first: await start(), start };
  });
  return { mongoUrl: first.url, ...privateServer(first, start, dataFolder) };
}

function privateServer<Server extends TemporalServer | MongoServer>(
  first: Server,
  start: () => Promise<Server>,
  dataFolder: string,
): PrivateServer {
  let server = first;
  return {
    kill: () => server.program.kill(),
    restart: async () => {
      await server.program.stop();
      server = await start();
    },
    stop: async () => {
      await server.program.stop();
      await removeTestData(dataFolder);
    },
  };
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, retryTakenPort } from './free-port.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import { answers as mongoAnswers, mongoDataFolder, startMongoServer } from './mongo-server.ts';
import { obtainMongo } from './obtain-mongo.ts';
import type { MongoProgram } from './obtain-mongo.ts';
import { obtainTemporal } from './obtain-temporal.ts';
import type { OwnedProgram } from './owned-program.ts';
import { answers as temporalAnswers, startTemporalServer } from './temporal-server.ts';

/** Ports to prefer; another free one is taken when somebody listens there. */
export interface ServicePorts {
  readonly temporal?: number;
  readonly temporalUi?: number;
  readonly mongo?: number;
}

/** The ports that people know these servers by. */
export const usualPorts: ServicePorts = { temporal: 7233, temporalUi: 8233, mongo: 27017 };

export interface ServicesOptions {
  /** Holds the servers' data, logs/ and records/; made when it is missing. */
  readonly dataFolder: string;
  /** Any free ports by default. */
  readonly ports?: ServicePorts;
  /** Told, in a sentence, about every step that takes long. */
  readonly report?: (line: string) => void;
  /** Where TEMPORAL_ADDRESS, TEMPORAL_UI_URL and MONGODB_URL are read; this process's by default. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Servers that answer. */
export interface Services {
  readonly temporalAddress: string;
  /** Undefined for a Temporal server of the user's whose Web UI nobody named (TEMPORAL_UI_URL). */
  readonly temporalUiUrl: string | undefined;
  readonly mongoUrl: string;
  /** Resolves to a sentence when one of the servers that were started here ends unasked. */
  readonly failed: Promise<string>;
  /** Stops the servers that were started here, and only those. May be called twice. */
  stop(): Promise<void>;
}

interface Service {
  /** Undefined for a server of the user's. */
  readonly program: OwnedProgram | undefined;
  stop(): Promise<void>;
}

type Temporal = Service & { readonly address: string; readonly uiUrl: string | undefined };
type Mongo = Service & { readonly url: string };

/**
 * Finds or starts Temporal and a MongoDB-compatible server. An address given by the environment is used as it is and
 * never stopped. First ends what an earlier, killed start in the same data folder left running. Throws when a server
 * cannot be obtained, does not answer, or does not get ready; what was started by then is stopped.
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const environment = options.environment ?? process.env;
  await cleanUpLeftovers(join(options.dataFolder, 'records'));
  const [temporal, mongo] = await bothOrNeither(
    environment.TEMPORAL_ADDRESS
      ? givenTemporal(environment.TEMPORAL_ADDRESS, environment.TEMPORAL_UI_URL, options.report ?? (() => undefined))
      : ownTemporal(options),
    environment.MONGODB_URL ? givenMongo(environment.MONGODB_URL) : ownMongo(options),
  );
  let stopping = false;
  return {
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    mongoUrl: mongo.url,
    failed: new Promise((resolve) => {
      const watch = (name: string, program: OwnedProgram | undefined) =>
        void program?.ended.then(() => stopping || resolve(`${name} ended. Its log: ${program.logFile}`));
      watch('The Temporal server', temporal.program);
      watch('The MongoDB-compatible server', mongo.program);
    }),
    stop: async () => {
      stopping = true;
      await Promise.all([temporal.stop(), mongo.stop()]);
    },
  };
}

async function bothOrNeither<First extends Service, Second extends Service>(
  first: Promise<First>,
  second: Promise<Second>,
): Promise<[First, Second]> {
  const [one, two] = await Promise.allSettled([first, second]);
  if (one.status === 'fulfilled' && two.status === 'fulfilled') return [one.value, two.value];
  if (one.status === 'fulfilled') await one.value.stop();
  if (two.status === 'fulfilled') await two.value.stop();
  const reasons = [one, two].flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  throw new Error(reasons.map((reason) => reason.message).join('\n'), { cause: reasons[0] });
}

async function givenTemporal(
  address: string,
  uiUrl: string | undefined,
  report: (line: string) => void,
): Promise<Temporal> {
  const reachable = await temporalAnswers(address).catch(() => false);
  // A server of the user's may have other namespaces and credentials, which only our configuration knows; so an answer
  // is a help for typing errors, not a condition.
  if (!reachable) report(`TEMPORAL_ADDRESS is ${address}, but its namespace "default" does not answer.`);
  return { address, uiUrl: uiUrl || undefined, program: undefined, stop: async () => undefined };
}

async function givenMongo(url: string): Promise<Mongo> {
  await mongoAnswers(url).catch((error: Error) => {
    throw new Error(`MONGODB_URL is set, but the server there does not answer: ${error.message}`);
  });
  return { url, program: undefined, stop: async () => undefined };
}

async function ownTemporal({ dataFolder, ports = {}, report }: ServicesOptions): Promise<Temporal> {
  const program = await obtainTemporal({ report });
  const server = await retryTakenPort(async () => {
    const [port, uiPort] = await freePorts([ports.temporal, ports.temporalUi]);
    return startTemporalServer({ program, dataFolder, port, uiPort });
  });
  return { ...server, stop: () => server.program.stop() };
}

async function ownMongo({ dataFolder, ports = {}, report }: ServicesOptions): Promise<Mongo> {
  const program = await obtainMongo({ report, engine: engineOfData(dataFolder) });
  const server = await retryTakenPort(async () => {
    const [port] = await freePorts([ports.mongo]);
    return startMongoServer({ program, dataFolder, port });
  });
  return { ...server, stop: () => server.program.stop() };
}

/** Which engine wrote the data that are there: they would be invisible to the other one. */
function engineOfData(dataFolder: string): MongoProgram['engine'] | undefined {
  const engines = ['mongod', 'ferretdb'] as const;
  return engines.find((engine) => {
    const folder = mongoDataFolder(dataFolder, engine);
    return existsSync(folder) && readdirSync(folder).length > 0;
  });
}

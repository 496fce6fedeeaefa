import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localServicesFile } from '../config/local-services.ts';
import type { LocalServices } from '../config/local-services.ts';
import { settings } from '../config/settings.ts';
import { steersClusters } from '../config/steers-clusters.ts';
import { freePorts } from './local-services/free-port.ts';
import type { Services } from './local-services/start-services.ts';
import { startServices, usualPorts } from './local-services/start-services.ts';
import type { ProcessGroup } from './process-group.ts';
import { createProcessGroup } from './process-group.ts';

/** Everything that a run needs, on this machine. */
export interface Stack {
  readonly temporalUiUrl: string | undefined;
  readonly apiUrl: string;
  /** The settings by which a program of ours finds the stack; holds the connection string of MongoDB. */
  readonly environment: NodeJS.ProcessEnv;
  /** Resolves to a sentence when a server or a program ends unasked. */
  readonly failed: Promise<string>;
  /** Stops what was started here: the programs first, so that they can say goodbye to the servers. May be called twice. */
  stop(): Promise<void>;
  /** Kills our programs at once; the servers' keepers see that this process is gone. For its last moment. */
  kill(): void;
}

export interface StackOptions {
  /** The project's folder. */
  readonly root: string;
  /** Data, logs and records go here. */
  readonly dataFolder: string;
  readonly report: (line: string) => void;
  /** Settings of the programs beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the coxswain command finds what is served; default true. */
  readonly announced?: boolean;
}

/**
 * Starts the servers, the orchestrator, a training worker, a control worker where a cluster is configured, and the API. Resolves when all of them are ready; throws when
 * one is not, after stopping the others.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { root, dataFolder, report, announced = true } = options;
  const services = await startServices({ dataFolder, ports: usualPorts, report });
  const group = createProcessGroup({ logFolder: join(dataFolder, 'logs') });
  const stop = async () => {
    if (announced) rmSync(join(root, localServicesFile), { force: true });
    await group.stop();
    await services.stop();
  };
  try {
    const environment = { ...(await settingsOf(services)), ...options.environment };
    report('Starting the orchestrator, a training worker and the API …');
    const apiUrl = await startPrograms(group, root, environment);
    const { temporalUiUrl, temporalAddress, mongoUrl } = services;
    if (announced) announce(root, { temporalAddress, temporalUiUrl, mongoUrl, apiUrl, pid: process.pid });
    const failed = Promise.race([services.failed, group.failed]);
    return { temporalUiUrl, apiUrl, environment, failed, stop, kill: () => group.kill() };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lets the coxswain command find what is served. Only this user may read it: MONGODB_URL may hold a password. */
function announce(root: string, services: LocalServices): void {
  writeFileSync(join(root, localServicesFile), JSON.stringify(services, null, 2), { mode: 0o600 });
}

async function settingsOf({ temporalAddress, mongoUrl }: Services): Promise<NodeJS.ProcessEnv> {
  const usual = Number(settings.COXSWAIN_API_PORT.fallback);
  const [port] = await freePorts([usual]);
  return {
    TEMPORAL_ADDRESS: temporalAddress,
    MONGODB_URL: mongoUrl,
    COXSWAIN_API_PORT: process.env.COXSWAIN_API_PORT || String(port),
  };
}

/** Resolves to the address of the API. */
async function startPrograms(group: ProcessGroup, root: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const [api] = await Promise.all([
    group.start({ name: 'api', program: join(root, 'src/api/main.ts'), environment }),
    ...workersIn({ ...process.env, ...environment }).map((name) =>
      group.start({ name, program: join(root, `workers/${name}.ts`), environment }),
    ),
  ]);
  return typeof api.url === 'string' ? api.url : `http://127.0.0.1:${environment.COXSWAIN_API_PORT}`;
}

function workersIn(environment: NodeJS.ProcessEnv): string[] {
  return ['orchestrator', 'trainer', ...(steersClusters(environment) ? ['control'] : [])];
}

import { join } from 'node:path';
import { KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';
import { freePorts } from '../local-services/free-port.ts';
import { startOwnedProgram } from '../local-services/owned-program.ts';
import { untilReady } from '../local-services/readiness.ts';

export interface PlayedNamespaceOptions {
  /** Path of a kubeconfig that may create a namespace. */
  readonly kubeconfig: string;
  /** Objects to create, the namespace first. */
  readonly manifests: readonly KubernetesObject[];
  readonly namespace: string;
  /** Holds logs/ and records/. */
  readonly dataFolder: string;
  /** Further arguments of `coxswain twin`, for example `--rate`, `60`. */
  readonly twin: readonly string[];
}

/** What `GET /state` of a twin says, as far as it is used here. */
export interface TwinState {
  readonly seconds: number;
  readonly totals: { readonly requests: number; readonly violations: number; readonly podSeconds: number };
  readonly steps: readonly {
    readonly endSeconds: number;
    readonly requestsPerSecond: number;
    readonly p95Seconds: number | null;
    readonly violationShare: number;
    readonly pods: number;
  }[];
}

/** An application's objects in a namespace, with a twin as their load. */
export interface PlayedNamespace {
  /** `host:port` of its metrics. */
  readonly target: string;
  /** Sends so many requests/s from now on; null = what the twin's own trace says. */
  setLoad(requestsPerSecond: number | null): Promise<void>;
  /** A crowd comes now. */
  flashCrowd(crowd: { readonly peak: number; readonly minutes: number }): Promise<void>;
  /** What really happens. */
  state(): Promise<TwinState>;
  stop(): Promise<void>;
}

const loopback = '127.0.0.1';
const startTimeoutMs = 60_000;
const command = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

/** Creates the objects that are not there yet and starts the twin. Resolves when it answers; it is stopped when it does not. */
export async function playNamespace(options: PlayedNamespaceOptions): Promise<PlayedNamespace> {
  const { kubeconfig, namespace, dataFolder } = options;
  await createObjects(kubeconfig, options.manifests);
  const [metricsPort, controlPort] = await freePorts([undefined, undefined]);
  const twin = await startOwnedProgram({
    name: `twin-${namespace}`,
    command: process.execPath,
    args: [
      ...[command, 'twin', '--namespace', namespace, '--kubeconfig', kubeconfig],
      ...['--port', String(metricsPort), '--control-port', String(controlPort), ...options.twin],
    ],
    logFile: join(dataFolder, 'logs', `twin-${namespace}.log`),
    recordsFolder: join(dataFolder, 'records'),
  });
  const controlUrl = `http://${loopback}:${controlPort}`;
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await ask(controlUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
    await answer.arrayBuffer();
  };
  try {
    const answers = async (): Promise<boolean> => (await ask(`${controlUrl}/state`)).ok;
    await untilReady(`The twin of ${namespace}`, twin, answers, startTimeoutMs);
  } catch (error) {
    await twin.stop();
    throw error;
  }
  return {
    target: `${loopback}:${metricsPort}`,
    setLoad: (requestsPerSecond) => post('/load', { requestsPerSecond }),
    flashCrowd: (crowd) => post('/flash-crowd', crowd),
    state: async () => (await (await ask(`${controlUrl}/state`)).json()) as TwinState,
    stop: () => twin.stop(),
  };
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${url} answers with status ${answer.status}: ${await answer.text()}`);
  return answer;
}

async function createObjects(kubeconfig: string, objects: readonly KubernetesObject[]): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);
  for (const object of objects) {
    await api.create(object, undefined, undefined, 'kubectl').catch((error: unknown) => {
      if ((error as { code?: number }).code !== 409) throw error;
    });
  }
}

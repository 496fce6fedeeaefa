/**
 * Everything around a control loop but the loop: a namespace of a real control plane with an application's objects, the
 * twin as their load, and a Prometheus that scrapes it. For the demonstration and for tests.
 */
import { join } from 'node:path';
import { AppsV1Api, KubeConfig, KubernetesObjectApi, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { KubernetesObject, V1Deployment } from '@kubernetes/client-node';
import { freePorts } from '../local-services/free-port.ts';
import { startOwnedProgram } from '../local-services/owned-program.ts';
import type { PrometheusServer } from '../local-services/prometheus-server.ts';
import { startPrometheus } from '../local-services/prometheus-server.ts';
import { untilReady } from '../local-services/readiness.ts';

export interface ClosedLoopOptions {
  /** Path of a kubeconfig that may create a namespace. */
  readonly kubeconfig: string;
  /** Path of `prometheus`. */
  readonly prometheus: string;
  /** Objects to create, the namespace first. */
  readonly manifests: readonly KubernetesObject[];
  readonly namespace: string;
  /** Holds Prometheus's data, logs/ and records/. */
  readonly dataFolder: string;
  /** Between two scrapes. Default 1. */
  readonly scrapeSeconds?: number;
  /** For a Prometheus whose data folder holds a history with longer intervals between its samples. */
  readonly lookbackSeconds?: number;
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

export interface ClosedLoop {
  readonly prometheus: PrometheusServer;
  /** The settings by which a control worker finds cluster and Prometheus. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sends so many requests/s from now on; null = what the twin's own trace says. */
  setLoad(requestsPerSecond: number | null): Promise<void>;
  /** A crowd comes now. */
  flashCrowd(crowd: { readonly peak: number; readonly minutes: number }): Promise<void>;
  /** What really happens. */
  state(): Promise<TwinState>;
  /** Gives the Deployments the replicas that their manifests have. */
  resetReplicas(): Promise<void>;
  stop(): Promise<void>;
}

const loopback = '127.0.0.1';
const startTimeoutMs = 60_000;
const command = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

/** Creates the objects and starts twin and Prometheus. Resolves when both answer; what was started by then is stopped when not. */
export async function startClosedLoop(options: ClosedLoopOptions): Promise<ClosedLoop> {
  const { kubeconfig, namespace, dataFolder, scrapeSeconds = 1, lookbackSeconds } = options;
  await createObjects(kubeconfig, options.manifests);
  const [metricsPort, controlPort] = await freePorts([undefined, undefined]);
  const twin = await startOwnedProgram({
    name: 'twin',
    command: process.execPath,
    args: [
      ...[command, 'twin', '--namespace', namespace, '--kubeconfig', kubeconfig],
      ...['--port', String(metricsPort), '--control-port', String(controlPort), ...options.twin],
    ],
    logFile: join(dataFolder, 'logs', 'twin.log'),
    recordsFolder: join(dataFolder, 'records'),
  });
  const controlUrl = `http://${loopback}:${controlPort}`;
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await ask(controlUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
    await answer.arrayBuffer();
  };
  try {
    await untilReady('The twin', twin, async () => (await ask(`${controlUrl}/state`)).ok, startTimeoutMs);
    const prometheus = await startPrometheus({
      program: options.prometheus,
      dataFolder,
      lookbackSeconds,
      scrape: [{ job: 'twin', targets: [`${loopback}:${metricsPort}`], intervalSeconds: scrapeSeconds }],
    });
    return {
      prometheus,
      environment: {
        COXSWAIN_KUBECONFIG: kubeconfig,
        COXSWAIN_CLUSTER_NAMESPACES: namespace,
        COXSWAIN_PROMETHEUS_URL: prometheus.url,
      },
      setLoad: (requestsPerSecond) => post('/load', { requestsPerSecond }),
      flashCrowd: (crowd) => post('/flash-crowd', crowd),
      resetReplicas: () => resetReplicas(kubeconfig, options.manifests),
      state: async () => (await (await ask(`${controlUrl}/state`)).json()) as TwinState,
      stop: async () => {
        await prometheus.stop();
        await twin.stop();
      },
    };
  } catch (error) {
    await twin.stop();
    throw error;
  }
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${url} answers with status ${answer.status}: ${await answer.text()}`);
  return answer;
}

/** As `kubectl scale` would: whoever sets replicas under another name counts as their owner. */
async function resetReplicas(kubeconfig: string, objects: readonly KubernetesObject[]): Promise<void> {
  const api = configOf(kubeconfig).makeApiClient(AppsV1Api);
  for (const { kind, metadata, spec } of objects as readonly V1Deployment[]) {
    if (kind !== 'Deployment') continue;
    const { name, namespace } = metadata as { name: string; namespace: string };
    const body = { spec: { replicas: spec!.replicas } };
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await api.patchNamespacedDeploymentScale({ name, namespace, body, fieldManager: 'kubectl' }, merge);
  }
}

function configOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

/** Creates what is not there yet. */
async function createObjects(kubeconfig: string, objects: readonly KubernetesObject[]): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(configOf(kubeconfig));
  for (const object of objects) {
    await api.create(object, undefined, undefined, 'kubectl').catch((error: unknown) => {
      if ((error as { code?: number }).code !== 409) throw error;
    });
  }
}

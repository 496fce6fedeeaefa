import type { KubernetesObject } from '@kubernetes/client-node';
import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { startClosedLoop } from '../../scripts/closed-loop/closed-loop.ts';
import type { ClosedLoop } from '../../scripts/closed-loop/closed-loop.ts';
import { programsOrSkip } from '../../scripts/local-services/programs-or-skip.ts';
import { startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { removeTestData, testDataFolder } from '../../scripts/local-services/test-data.ts';
import type { CoxswainClient } from '../../src/client/index.ts';
import { createCoxswainClient } from '../../src/client/index.ts';
import type { Application } from '../../src/rl/environments/online-boutique/application.ts';
import { applicationManifests } from '../../src/twin-load/application-manifests.ts';
import type { PipelineProcesses } from './pipeline-processes.ts';
import { startPipelineProcesses } from './pipeline-processes.ts';

export interface SteeredShopOptions {
  readonly application: Application;
  readonly namespace: string;
  /** Load, requests/s. */
  readonly rate: number;
  /** How much shorter than usual pods take to start. Default 1. */
  readonly speed?: number;
  readonly scrapeSeconds: number;
  readonly lookbackSeconds?: number;
  /** Further arguments of the twin. */
  readonly twin?: (folder: string) => readonly string[];
  /** What is done before Prometheus starts on the folder. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Further settings of the workers. */
  readonly settings?: (shop: { folder: string; cluster: TestCluster }) => Promise<Readonly<Record<string, string>>>;
}

/** An application on a real control plane and Prometheus, with a twin as its load, and real workers that may steer it. */
export interface SteeredShop {
  readonly folder: string;
  readonly cluster: TestCluster;
  readonly loop: ClosedLoop;
  readonly processes: PipelineProcesses;
  readonly client: CoxswainClient;
  readonly apps: AppsV1Api;
  readonly core: CoreV1Api;
  stop(): Promise<void>;
}

/** Starts all of it; what was started is stopped when the rest cannot be. */
export async function startSteeredShop(options: SteeredShopOptions): Promise<SteeredShop> {
  const { application, namespace, rate, speed = 1, scrapeSeconds, lookbackSeconds } = options;
  const folder = testDataFolder();
  const undo: (() => Promise<void>)[] = [() => removeTestData(folder)];
  const stop = async (): Promise<void> => {
    for (const end of undo.splice(0).reverse()) await end();
  };
  try {
    const cluster = await startTestCluster({ nodes: 4 });
    undo.push(() => cluster.stop());
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    await options.prepare?.(folder);
    const manifestOptions = { namespace, image: 'none', replicasFor: rate, disruptionBudgets: false, speed };
    const loop = await startClosedLoop({
      kubeconfig: cluster.kubeconfig,
      prometheus: (await programsOrSkip('prometheus')).programs!.prometheus,
      manifests: applicationManifests(application, manifestOptions) as unknown as KubernetesObject[],
      namespace,
      dataFolder: folder,
      scrapeSeconds,
      lookbackSeconds,
      twin: ['--rate', String(rate), '--no-startup', ...(options.twin?.(folder) ?? [])],
    });
    undo.push(() => loop.stop());
    const settings = (await options.settings?.({ folder, cluster })) ?? {};
    const processes = await startPipelineProcesses(undefined, { ...loop.environment, ...settings });
    undo.push(() => processes.stop());
    for (const program of ['orchestrator', 'trainer', 'control'] as const) await processes.start(program);
    const client = createCoxswainClient({ temporal: processes.client, store: processes.store });
    undo.push(() => client.close());
    const [apps, core] = [config.makeApiClient(AppsV1Api), config.makeApiClient(CoreV1Api)];
    return { folder, cluster, loop, processes, client, apps, core, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Real Kubernetes control planes for integration tests, one for each test file that asks: two start in seconds beside each
 * other, and a test may take away an API server that no other uses.
 */
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { KubernetesCluster } from './kubernetes-cluster.ts';
import { startKubernetesCluster } from './kubernetes-cluster.ts';
import type { NodeShape } from './kubernetes-nodes.ts';
import { addNodes } from './kubernetes-nodes.ts';
import type { KubernetesPrograms } from './obtain-kubernetes.ts';
import { obtainKubernetes } from './obtain-kubernetes.ts';
import type { ProgramsOrSkip } from './programs-or-skip.ts';
import { programsOrSkip } from './programs-or-skip.ts';
import { removeTestData, testDataFolder } from './test-data.ts';

/** What a test wants of its cluster. */
export interface TestClusterOptions {
  /** Number of nodes; 3 by default. */
  readonly nodes?: number;
  /** What each node offers; 16 processors, 64Gi and 110 pods by default. */
  readonly node?: Partial<NodeShape>;
  /** How often Kubernetes's own autoscaler decides; its 15 seconds by default. */
  readonly autoscalerSyncSeconds?: number;
}

/** A control plane of one test file's own, with nodes. `stop` also removes its data: call it in `after`. */
export interface TestCluster extends KubernetesCluster {
  /** Adds nodes and waits until pods can be scheduled on them; resolves to their names. */
  addNodes(count: number, shape?: Partial<NodeShape>): Promise<readonly string[]>;
  /** Ends the API server in good order, and so every connection to it. */
  stopApiServer(): Promise<void>;
  /** Ends the API server as a crash would. */
  killApiServer(): Promise<void>;
  /** A token of an existing service account that lives for any time; see `signServiceAccountToken`. */
  serviceAccountToken(namespace: string, name: string, livesSeconds: number): Promise<string>;
}

const defaultShape: NodeShape = { cpu: '16', memory: '64Gi', pods: '110' };

/** The control plane's programs, or why tests that need them are skipped. */
export function kubernetesOrSkip(): Promise<ProgramsOrSkip<KubernetesPrograms>> {
  return programsOrSkip('kubernetes');
}

/** Starts a control plane on data of its own. Resolves when all its nodes take pods; throws when it cannot be had. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { nodes = 3, node, ...clusterOptions } = options;
  const programs = await obtainKubernetes();
  const dataFolder = testDataFolder();
  const cluster = await startKubernetesCluster({ ...clusterOptions, programs, dataFolder }).catch(
    async (error: unknown) => {
      await removeTestData(dataFolder);
      throw error;
    },
  );
  const stop = async (): Promise<void> => {
    await cluster.stop();
    await removeTestData(dataFolder);
  };
  let count = 0;
  const addMore: TestCluster['addNodes'] = async (more, shape) => {
    const names = Array.from({ length: more }, () => `node-${++count}`);
    await addNodes(cluster, names, { ...defaultShape, ...shape });
    return names;
  };
  try {
    await addMore(nodes, node);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...cluster,
    addNodes: addMore,
    stopApiServer: () => cluster.programs['kube-apiserver'].stop(),
    killApiServer: () => cluster.programs['kube-apiserver'].kill(),
    serviceAccountToken: async (namespace, name, livesSeconds) => {
      const { metadata } = await configOf(cluster)
        .makeApiClient(CoreV1Api)
        .readNamespacedServiceAccount({ namespace, name });
      return cluster.signServiceAccountToken({ namespace, name, uid: metadata!.uid! }, livesSeconds);
    },
    stop,
  };
}

function configOf({ kubeconfig }: KubernetesCluster): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

/**
 * Real Kubernetes control planes for integration tests, one for each test file that asks: two start in seconds beside each
 * other, and a test may take away an API server that no other uses.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Node } from '@kubernetes/client-node';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { KubernetesCluster } from './kubernetes-cluster.ts';
import { startKubernetesCluster } from './kubernetes-cluster.ts';
import type { KubernetesPrograms } from './obtain-kubernetes.ts';
import { obtainKubernetes } from './obtain-kubernetes.ts';
import type { ProgramsOrSkip } from './programs-or-skip.ts';
import { programsOrSkip } from './programs-or-skip.ts';
import { logTail } from './readiness.ts';
import { removeTestData, testDataFolder } from './test-data.ts';

/** What a node offers to pods; quantities as Kubernetes writes them. */
export interface NodeShape {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a test wants of its cluster. */
export interface TestClusterOptions {
  /** Number of nodes; 3 by default. */
  readonly nodes?: number;
  /** What each node offers; 16 processors, 64Gi and 110 pods by default. */
  readonly node?: Partial<NodeShape>;
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

const readyTimeoutMs = 60_000;
const pollMs = 100;
const defaultShape: NodeShape = { cpu: '16', memory: '64Gi', pods: '110' };

/** The control plane's programs, or why tests that need them are skipped. */
export function kubernetesOrSkip(): Promise<ProgramsOrSkip<KubernetesPrograms>> {
  return programsOrSkip('kubernetes');
}

/** Starts a control plane on data of its own. Resolves when all its nodes take pods; throws when it cannot be had. */
export async function startTestCluster({ nodes = 3, node }: TestClusterOptions = {}): Promise<TestCluster> {
  const programs = await obtainKubernetes();
  const dataFolder = testDataFolder();
  const cluster = await startKubernetesCluster({ programs, dataFolder }).catch(async (error: unknown) => {
    await removeTestData(dataFolder);
    throw error;
  });
  const stop = async (): Promise<void> => {
    await cluster.stop();
    await removeTestData(dataFolder);
  };
  const api = coreApiOf(cluster);
  const addNodes = nodeAdder(cluster, api);
  try {
    await addNodes(nodes, node);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...cluster,
    addNodes,
    stopApiServer: () => cluster.programs['kube-apiserver'].stop(),
    killApiServer: () => cluster.programs['kube-apiserver'].kill(),
    serviceAccountToken: async (namespace, name, livesSeconds) => {
      const { metadata } = await api.readNamespacedServiceAccount({ namespace, name });
      return cluster.signServiceAccountToken({ namespace, name, uid: metadata!.uid! }, livesSeconds);
    },
    stop,
  };
}

function coreApiOf({ kubeconfig }: KubernetesCluster): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config.makeApiClient(CoreV1Api);
}

function nodeAdder(cluster: KubernetesCluster, api: CoreV1Api): TestCluster['addNodes'] {
  let count = 0;
  return async (more, shape) => {
    const names = Array.from({ length: more }, () => `node-${++count}`);
    for (const name of names) await api.createNode({ body: nodeOf(name, { ...defaultShape, ...shape }) });
    const missing = async (): Promise<string[]> => {
      const { items } = await api.listNode();
      const ready = new Set(items.filter(takesPods).map(({ metadata }) => metadata?.name));
      return names.filter((name) => !ready.has(name));
    };
    const deadline = Date.now() + readyTimeoutMs;
    for (let waiting = await missing(); waiting.length > 0; waiting = await missing()) {
      throwIfEnded(cluster);
      if (Date.now() > deadline) {
        const tail = logTail(cluster.programs.kwok.logFile);
        throw new Error(`${waiting.join(', ')} took no pods within ${readyTimeoutMs / 1000} s. ${tail}`);
      }
      await sleep(pollMs);
    }
    return names;
  };
}

function throwIfEnded({ programs }: KubernetesCluster): void {
  for (const [name, program] of Object.entries(programs)) {
    const end = program.end();
    if (end === undefined) continue;
    throw new Error(`${name} ended (code ${end.code}, signal ${end.signal}). ${logTail(program.logFile)}`);
  }
}

function takesPods({ status, spec }: V1Node): boolean {
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return ready === true && (spec?.taints ?? []).length === 0;
}

function nodeOf(name: string, { labels, ...amounts }: NodeShape): V1Node {
  return {
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
    },
    status: { capacity: amounts, allocatable: amounts },
  };
}

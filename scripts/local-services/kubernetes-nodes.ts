import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Node } from '@kubernetes/client-node';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { KubernetesCluster } from './kubernetes-cluster.ts';
import { logTail } from './readiness.ts';

/** What a node offers to pods; quantities as Kubernetes writes them. */
export interface NodeShape {
  readonly cpu: string;
  readonly memory: string;
  readonly pods: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const readyTimeoutMs = 60_000;
const pollMs = 100;

/**
 * Adds nodes that KWOK plays and waits until pods can be scheduled on them. Throws when a program of the control plane has
 * ended, or after a minute.
 */
export async function addNodes(cluster: KubernetesCluster, names: readonly string[], shape: NodeShape): Promise<void> {
  const api = coreApiOf(cluster);
  for (const name of names) await api.createNode({ body: nodeOf(name, shape) });
  const missing = async (): Promise<string[]> => {
    const ready = new Set((await api.listNode()).items.filter(takesPods).map(({ metadata }) => metadata?.name));
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
}

function coreApiOf({ kubeconfig }: KubernetesCluster): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config.makeApiClient(CoreV1Api);
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

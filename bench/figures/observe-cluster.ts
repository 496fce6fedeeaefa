import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { nodeOptionsOf } from '../../config/node-options.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import { clusterAdmin, eventually, pathsIn, workload } from '../../test/integration/cluster-admin.ts';
import type { ClusterAdmin } from '../../test/integration/cluster-admin.ts';
import type { Figure } from '../figure.ts';

const namespace = 'big';
const services = 200;
const podsEach = 10;

/** What the child process found. */
export interface Observed {
  /** Of each read. */
  readonly seconds: readonly number[];
  /** Growth of the resident memory from the loaded code to the highest that it came to, 10⁶ bytes. */
  readonly residentMb: number;
}

let observation: Promise<Observed> | null = null;

/** Both figures come from the same reads, in a process of its own so that nothing else is in its memory. */
function observed(): Promise<Observed> {
  return (observation ??= observe());
}

async function observe(): Promise<Observed> {
  const cluster = await startTestCluster({ nodes: 25, node: { cpu: '64', memory: '256Gi' } });
  try {
    await fill(clusterAdmin(cluster));
    const child = fork(join(import.meta.dirname, 'observe-cluster-child.ts'), [cluster.kubeconfig, namespace], {
      execArgv: ['--expose-gc', ...nodeOptionsOf('control')],
    });
    const [message] = (await once(child, 'message')) as [
      Observed & { readonly pods: number; readonly workloads: number },
    ];
    if (message.pods !== services * podsEach || message.workloads !== services) {
      throw new Error(`It read ${message.workloads} workloads and ${message.pods} pods.`);
    }
    return message;
  } finally {
    await cluster.stop();
  }
}

/** Services as a mesh has them: two containers, probes and variables, so that the objects have their usual size. */
async function fill(admin: ClusterAdmin): Promise<void> {
  await admin.create('/api/v1/namespaces', { metadata: { name: namespace } });
  const { deployments } = pathsIn(namespace);
  for (let s = 0; s < services; s++) {
    const body = workload(`service-${s}`, podsEach);
    const [server] = body.spec.template.spec.containers;
    server.env = Array.from({ length: 8 }, (_, i) => ({ name: `SERVICE_${i}_ADDRESS`, value: `service-${i}:8080` }));
    server.readinessProbe = server.livenessProbe = { grpc: { port: 8080 } };
    body.spec.template.spec.containers.push({ ...server, name: 'proxy' });
    await admin.create(deployments, body);
  }
  await eventually(
    `${services * podsEach} pods run`,
    async () => {
      const { items } = await admin.get(deployments);
      return items.every(({ status }: { status: { readyReplicas?: number } }) => status.readyReplicas === podsEach);
    },
    600_000,
  );
}

const unavailable = async (): Promise<string | null> => (await kubernetesOrSkip()).skip || null;

/** Seconds that one read of 200 services and 2 000 pods from a real API server takes. Wanted: under 2. */
export const observeClusterSeconds: Figure = {
  name: 'observe_cluster_2000_pods_s',
  unit: 's',
  unavailable,
  measure: async () => (await observed()).seconds,
};

/** Megabytes (10⁶ bytes) by which the process grows at most that reads it twenty times. Wanted: under 200. */
export const observeClusterMemory: Figure = {
  name: 'observe_cluster_2000_pods_mb',
  unit: 'MB',
  unavailable,
  measure: async () => [(await observed()).residentMb],
};

import type { ClusterState, ClusterWorkload, PodState } from '../../../src/contracts/cluster.ts';

export const namespace = 'shop';

/** A state of the cluster in which each workload has these pods, all of them ready. */
export function clusterState(pods: Readonly<Record<string, readonly Partial<PodState>[]>>): ClusterState {
  return {
    at: new Date(),
    nodes: [],
    workloads: Object.entries(pods).map(([name, list]) => workload(name, list.length)),
    pods: Object.entries(pods).flatMap(([name, list]) =>
      list.map((changes, index) => pod(name, `${name}-7f9c-${index}`, changes)),
    ),
    podsLeft: {},
    events: [],
    gaps: [],
  };
}

/** So many pods without particulars. */
export function pods(count: number): Partial<PodState>[] {
  return Array.from({ length: count }, () => ({}));
}

function workload(name: string, replicas: number): ClusterWorkload {
  return {
    workload: `${namespace}/${name}`,
    kind: 'Deployment',
    uid: `uid-${name}`,
    resourceVersion: '1',
    replicas,
    readyReplicas: replicas,
    cpuRequestMillicores: 100,
    cpuLimitMillicores: 200,
    memoryRequestBytes: 64 * 2 ** 20,
    memoryLimitBytes: 128 * 2 ** 20,
    owner: null,
    autoscaler: null,
    disruptionsAllowed: null,
    scaledAt: null,
  };
}

function pod(workloadName: string, name: string, changes: Partial<PodState>): PodState {
  return {
    name,
    namespace,
    workload: `${namespace}/${workloadName}`,
    node: 'node-1',
    phase: 'Running',
    ready: true,
    terminating: false,
    createdAt: new Date(0),
    readyAt: new Date(0),
    cpuMillicores: null,
    memoryBytes: null,
    ...changes,
  };
}

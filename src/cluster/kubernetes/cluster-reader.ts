import type {
  ClusterEvent,
  ClusterGap,
  ClusterReader,
  ClusterScope,
  ClusterState,
  ClusterWorkload,
  PodState,
} from '../../contracts/cluster.ts';
import { CoxswainError } from '../../contracts/errors.ts';
import type {
  ApiEvent,
  ApiNode,
  ApiPodDisruptionBudget,
  ApiPodMetrics,
  ApiResourceQuota,
  ApiWorkload,
} from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { apiResources, whatOf } from './api-resources.ts';
import type { ApiTarget } from './api-resources.ts';
import { readAutoscalers } from './autoscalers.ts';
import type { ApiCall, KubernetesClient, ListOptions } from './kubernetes-client.ts';
import { nodeState } from './node-state.ts';
import { livingPods, noUsage, podState, podUsage } from './pod-state.ts';
import type { PodUsage } from './pod-state.ts';
import { podsLeft } from './quota-room.ts';
import { clusterEvent, recentEvents, warnings } from './warning-events.ts';
import { workloadState } from './workload-state.ts';

/** Reads one cluster, each kind of objects in turn and each page of a kind; see the port for what is promised. */
export function createClusterReader(client: KubernetesClient): ClusterReader {
  return {
    read(scope, signal) {
      scope.namespaces.forEach((namespace) => client.allow(namespace));
      return client.call(signal, (api) => readCluster(api, scope));
    },
  };
}

async function readCluster(api: ApiCall, scope: ClusterScope): Promise<ClusterState> {
  const reading = new Reading(api);
  const [nodes, ...namespaces] = await Promise.all([
    reading.list<ApiNode, ReturnType<typeof nodeState>>({ resource: apiResources.nodes, namespace: null }, nodeState),
    ...[...new Set(scope.namespaces)].map((namespace) => readNamespace(reading, namespace, scope)),
  ]);
  const at = api.serverTime() ?? new Date();
  return {
    at,
    nodes: nodes ?? [],
    workloads: namespaces.flatMap(({ workloads }) => workloads).sort(byName),
    pods: namespaces.flatMap(({ pods }) => pods),
    podsLeft: Object.fromEntries(namespaces.flatMap(({ left }) => left)),
    events: recentEvents(
      namespaces.flatMap(({ events }) => events),
      at,
    ),
    gaps: reading.gaps,
  };
}

interface NamespaceState {
  readonly workloads: readonly ClusterWorkload[];
  readonly pods: readonly PodState[];
  /** Namespace and room, or nothing. */
  readonly left: readonly [string, number][];
  readonly events: readonly ClusterEvent[];
}

async function readNamespace(reading: Reading, namespace: string, scope: ClusterScope): Promise<NamespaceState> {
  const { api } = reading;
  const target = (resource: ApiTarget['resource']): ApiTarget => ({ resource, namespace });
  const asItIs = <T>(item: T): T => item;
  const [deployments, statefulSets, pods, autoscalers, budgets, quotas, usage, events] = await Promise.all([
    api.list<ApiWorkload, ApiWorkload>(target(apiResources.deployments), asItIs, { managedFields: true }),
    api.list<ApiWorkload, ApiWorkload>(target(apiResources.statefulSets), asItIs, { managedFields: true }),
    api.list(target(apiResources.pods), podState, { query: { fieldSelector: livingPods } }),
    readAutoscalers(api, namespace, (what, error) => reading.note(what, error)),
    reading.list<ApiPodDisruptionBudget, ApiPodDisruptionBudget>(target(apiResources.podDisruptionBudgets), asItIs),
    reading.list<ApiResourceQuota, ApiResourceQuota>(target(apiResources.resourceQuotas), asItIs),
    scope.usage ? reading.list(target(apiResources.podMetrics), namedUsage, { patient: false }) : null,
    scope.events
      ? reading.list<ApiEvent, ClusterEvent>(target(apiResources.events), clusterEvent, {
          query: { fieldSelector: warnings },
        })
      : null,
  ]);
  const rules = { autoscalers, budgets };
  const workloads = [
    ...deployments.map((object) => workloadState(object, 'Deployment', rules)),
    ...statefulSets.map((object) => workloadState(object, 'StatefulSet', rules)),
  ];
  const left = podsLeft(quotas ?? [], workloads);
  return {
    workloads,
    pods: withUsage(pods, new Map(usage)),
    left: left === null ? [] : [[namespace, left]],
    events: events ?? [],
  };
}

/** What is read of a cluster, with what could not be read. */
class Reading {
  readonly api: ApiCall;
  readonly gaps: ClusterGap[] = [];

  constructor(api: ApiCall) {
    this.api = api;
  }

  /** A list that may be missing: null, and a gap, for want of the right or of the interface. */
  async list<T, Kept>(target: ApiTarget, keep: (item: T) => Kept, options?: ListOptions): Promise<Kept[] | null> {
    try {
      return await this.api.list(target, keep, options);
    } catch (error) {
      // What may be asked but once may be out of order while all else works.
      const mayMiss = isRefusal(error, 403, 404) || (options?.patient === false && isUnavailable(error));
      if (!mayMiss) throw error;
      this.note(whatOf(target), error as CoxswainError);
      return null;
    }
  }

  note(what: string, { code, message }: CoxswainError): void {
    this.gaps.push({ what, code, reason: message });
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof CoxswainError && error.code === 'CLUSTER_UNAVAILABLE';
}

function namedUsage(metrics: ApiPodMetrics): [string, PodUsage] {
  return [metrics.metadata.name, podUsage(metrics)];
}

function withUsage(pods: readonly PodState[], usage: ReadonlyMap<string, PodUsage>): readonly PodState[] {
  return usage.size === 0 ? pods : pods.map((pod) => ({ ...pod, ...(usage.get(pod.name) ?? noUsage) }));
}

function byName(a: ClusterWorkload, b: ClusterWorkload): number {
  if (a.workload === b.workload) return a.kind < b.kind ? -1 : 1;
  return a.workload < b.workload ? -1 : 1;
}

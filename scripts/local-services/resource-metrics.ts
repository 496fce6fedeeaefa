/**
 * The resource metrics API (`metrics.k8s.io`) of a local cluster. No container runs there that could be measured, so that
 * whoever plays the load says what the pods use. The API server serves it as a custom resource of the same shape as that
 * of metrics-server: `kubectl top`, the autoscaler and clients cannot tell them apart.
 */
import type { KubeConfig, V1CustomResourceDefinition } from '@kubernetes/client-node';
import { ApiextensionsV1Api, CustomObjectsApi, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one pod uses; quantities as Kubernetes writes them (`250m`, `64Mi`). */
export interface PodUsage {
  readonly namespace: string;
  readonly pod: string;
  /** The pod's own: the autoscaler finds its metrics by them. */
  readonly labels: Readonly<Record<string, string>>;
  /** By container. */
  readonly containers: Readonly<Record<string, { readonly cpu: string; readonly memory: string }>>;
}

/** What one node uses; quantities as Kubernetes writes them. */
export interface NodeUsage {
  readonly node: string;
  readonly cpu: string;
  readonly memory: string;
}

const group = 'metrics.k8s.io';
const version = 'v1beta1';
const apiVersion = `${group}/${version}`;
const fieldManager = 'resource-metrics';
const servedTimeoutMs = 30_000;

/**
 * Makes the API server serve `metrics.k8s.io`; without it, it answers 404 as a cluster without metrics-server does.
 * Resolves when it does. Throws after half a minute.
 */
export async function serveResourceMetrics(config: KubeConfig): Promise<void> {
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  for (const body of [definition('pods', 'PodMetrics', 'Namespaced'), definition('nodes', 'NodeMetrics', 'Cluster')]) {
    await extensions.createCustomResourceDefinition({ body });
  }
  const api = config.makeApiClient(CustomObjectsApi);
  const deadline = Date.now() + servedTimeoutMs;
  for (const plural of ['pods', 'nodes']) {
    const served = () => api.listClusterCustomObject({ group, version, plural }).then(Boolean, () => false);
    while (!(await served())) {
      if (Date.now() > deadline) throw new Error(`The API server did not serve ${group} within ${servedTimeoutMs} ms.`);
      await sleep(100);
    }
  }
}

/** Says what a pod used in the last `windowSeconds`. */
export async function writePodUsage(config: KubeConfig, usage: PodUsage, windowSeconds: number): Promise<void> {
  const { namespace, pod: name, labels } = usage;
  const containers = Object.entries(usage.containers).map(([container, used]) => ({ name: container, usage: used }));
  const measured = { timestamp: new Date().toISOString(), window: `${windowSeconds}s`, containers };
  const body = { apiVersion, kind: 'PodMetrics', metadata: { name, namespace, labels }, ...measured };
  await config
    .makeApiClient(CustomObjectsApi)
    .patchNamespacedCustomObject({ group, version, namespace, plural: 'pods', name, body, ...owned }, asApply);
}

/** Says what a node used in the last `windowSeconds`. */
export async function writeNodeUsage(config: KubeConfig, usage: NodeUsage, windowSeconds: number): Promise<void> {
  const { node: name, cpu, memory } = usage;
  const measured = { timestamp: new Date().toISOString(), window: `${windowSeconds}s`, usage: { cpu, memory } };
  const body = { apiVersion, kind: 'NodeMetrics', metadata: { name }, ...measured };
  await config
    .makeApiClient(CustomObjectsApi)
    .patchClusterCustomObject({ group, version, plural: 'nodes', name, body, ...owned }, asApply);
}

const owned = { fieldManager, force: true };
const asApply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

function definition(plural: string, kind: string, scope: string): V1CustomResourceDefinition {
  return {
    metadata: {
      name: `${plural}.${group}`,
      // The group is Kubernetes's own; without this word the API server refuses it.
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests only' },
    },
    spec: {
      group,
      scope,
      names: { plural, singular: plural.slice(0, -1), kind, listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', x_kubernetes_preserve_unknown_fields: true } },
        },
      ],
    },
  };
}

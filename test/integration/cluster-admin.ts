import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesCluster } from '../../scripts/local-services/kubernetes-cluster.ts';

/** An object as JSON; what tests look at is theirs to know. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

/** What somebody with all rights does to a cluster while it is tested. Paths are those of the API server. */
export interface ClusterAdmin {
  get(path: string): Promise<Json>;
  create(path: string, body: Json): Promise<Json>;
  /** Merge patch, as `kubectl patch` sends it, or by another manager. */
  merge(path: string, patch: Json, manager?: string): Promise<Json>;
  /** Server-side apply by a manager of that name, with force. */
  apply(path: string, body: Json, manager: string): Promise<Json>;
  remove(path: string): Promise<void>;
}

/** Whatever is not asked for by another name is done as kubectl does it. */
export function clusterAdmin(cluster: KubernetesCluster): ClusterAdmin {
  const send = async (method: string, path: string, body?: Json, type = 'application/json'): Promise<Json> => {
    const { status, answer } = await exchange(cluster, method, path, body, type);
    if (status >= 300) throw new Error(`${method} ${path} answers with ${status}: ${answer.message}`);
    return answer;
  };
  return {
    get: (path) => send('GET', path),
    create: (path, body) => send('POST', `${path}?fieldManager=kubectl-create`, body),
    merge: (path, patch, manager = 'kubectl-patch') =>
      send('PATCH', `${path}?fieldManager=${manager}`, patch, 'application/merge-patch+json'),
    apply: (path, body, manager) =>
      send('PATCH', `${path}?fieldManager=${manager}&force=true`, body, 'application/apply-patch+yaml'),
    remove: async (path) => void (await send('DELETE', path)),
  };
}

function exchange(
  { url, tokens, certificateAuthority }: KubernetesCluster,
  method: string,
  path: string,
  body: Json,
  type: string,
): Promise<{ status: number; answer: Json }> {
  const headers = { authorization: `Bearer ${tokens.admin}`, 'content-type': type };
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, headers, ca: certificateAuthority }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, answer: parsed(text) }));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What the API server does not know at all it answers with plain text. */
function parsed(text: string): Json {
  return text.startsWith('{') ? JSON.parse(text) : { message: text };
}

/** Asks until there is an answer that is not false, null or undefined. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined>,
  limitMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`It did not come about within ${limitMs / 1000} s that ${what}.`);
    await delay(50);
  }
}

/** Paths of objects of a namespace. */
export function pathsIn(namespace: string) {
  const at = (group: string, kind: string) => `${group}/namespaces/${namespace}/${kind}`;
  return {
    pods: at('/api/v1', 'pods'),
    events: at('/api/v1', 'events'),
    quotas: at('/api/v1', 'resourcequotas'),
    deployments: at('/apis/apps/v1', 'deployments'),
    statefulSets: at('/apis/apps/v1', 'statefulsets'),
    replicaSets: at('/apis/apps/v1', 'replicasets'),
    hpas: at('/apis/autoscaling/v2', 'horizontalpodautoscalers'),
    budgets: at('/apis/policy/v1', 'poddisruptionbudgets'),
    scaledObjects: at('/apis/keda.sh/v1alpha1', 'scaledobjects'),
    podMetrics: at('/apis/metrics.k8s.io/v1beta1', 'pods'),
  };
}

/** A Deployment or StatefulSet of one small container. */
export function workload(name: string, replicas: number, kind: 'Deployment' | 'StatefulSet' = 'Deployment'): Json {
  const labels = { app: name };
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi' } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'server', image: 'none', resources }] } },
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
    },
  };
}

/** An HPA for 50 % of the CPU. */
export function hpa(name: string, target: string, kind = 'Deployment'): Json {
  const utilization = { type: 'Utilization', averageUtilization: 50 };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name: target },
      minReplicas: 2,
      maxReplicas: 9,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: utilization } }],
    },
  };
}

/** Lets the API server serve objects of a kind that some clusters have, of whatever content. */
export async function serveKind(admin: ClusterAdmin, group: string, version: string, kind: string, plural: string) {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await admin.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: {
      name: `${plural}.${group}`,
      // Groups of Kubernetes' own want this said.
      ...(group.endsWith('.k8s.io') ? { annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } } : {}),
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  });
  await eventually(`${plural}.${group} are served`, () =>
    admin.get(`/apis/${group}/${version}/namespaces/default/${plural}`).catch(() => null),
  );
}

/**
 * Lets the API server refuse every request of a service account with 429, as it does when there is no room for it (API
 * Priority and Fairness). @returns how to end it.
 */
export async function throttle(admin: ClusterAdmin, namespace: string, account: string): Promise<() => Promise<void>> {
  const group = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const metadata = { name: `no-room-for-${account}` };
  await admin.create(`${group}/prioritylevelconfigurations`, {
    metadata,
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 0,
        lendablePercent: 0,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Reject' },
      },
    },
  });
  const whatever = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  await admin.create(`${group}/flowschemas`, {
    metadata,
    spec: {
      priorityLevelConfiguration: metadata,
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: account, namespace } }],
          resourceRules: [{ ...whatever, namespaces: ['*'], clusterScope: true }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  });
  return async () => {
    await admin.remove(`${group}/flowschemas/${metadata.name}`);
    await admin.remove(`${group}/prioritylevelconfigurations/${metadata.name}`);
  };
}

/** A kind of objects that the API server keeps. */
export interface ApiResource {
  /** Empty for the core group. */
  readonly apiGroup: string;
  readonly version: string;
  /** Its name in paths and in rights. */
  readonly resource: string;
}

/** Every kind of objects that is read or changed here; the rights are in required-rights.ts. */
export const apiResources = {
  nodes: { apiGroup: '', version: 'v1', resource: 'nodes' },
  pods: { apiGroup: '', version: 'v1', resource: 'pods' },
  events: { apiGroup: '', version: 'v1', resource: 'events' },
  resourceQuotas: { apiGroup: '', version: 'v1', resource: 'resourcequotas' },
  deployments: { apiGroup: 'apps', version: 'v1', resource: 'deployments' },
  statefulSets: { apiGroup: 'apps', version: 'v1', resource: 'statefulsets' },
  horizontalPodAutoscalers: { apiGroup: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers' },
  podDisruptionBudgets: { apiGroup: 'policy', version: 'v1', resource: 'poddisruptionbudgets' },
  scaledObjects: { apiGroup: 'keda.sh', version: 'v1alpha1', resource: 'scaledobjects' },
  podMetrics: { apiGroup: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods' },
} as const satisfies Record<string, ApiResource>;

/** Objects of a kind, or one of them. */
export interface ApiTarget {
  readonly resource: ApiResource;
  /** Null for kinds that belong to no namespace. */
  readonly namespace: string | null;
  /** All of them without it. */
  readonly name?: string;
  /** For example `scale`. */
  readonly subresource?: string;
}

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Where the API server has it; without the name of a kind, where it tells which kinds the group has. */
export function pathOf({ resource: { apiGroup, version, resource }, namespace, name, subresource }: ApiTarget): string {
  const group = apiGroup === '' ? ['api', version] : ['apis', apiGroup, version];
  const scope = namespace === null ? [] : ['namespaces', namespace];
  const parts = [...group, ...scope, resource, name, subresource];
  return parts.flatMap((part) => (part ? `/${encodeURIComponent(part)}` : [])).join('');
}

/** The right that a request needs, as a rule of a Role would say it: `list pods`, `update deployments/scale`. */
export function rightOf(method: ApiMethod, target: ApiTarget): string {
  const verb = { GET: target.name === undefined ? 'list' : 'get', POST: 'create', PUT: 'update', DELETE: 'delete' };
  return `${verb[method]} ${kindOf(target)}`;
}

/** What a request is about, for people: `deployments/scale cart in shop`. */
export function whatOf(target: ApiTarget): string {
  const { namespace, name } = target;
  return [kindOf(target), ...(name === undefined ? [] : [name]), ...(namespace === null ? [] : ['in', namespace])].join(
    ' ',
  );
}

/** With the group where that is not one of Kubernetes' own: `pods.metrics.k8s.io` are not `pods`. */
function kindOf({ resource: { apiGroup, resource }, subresource }: ApiTarget): string {
  const full = [resource, ...(apiGroup.includes('.') ? [apiGroup] : [])].filter(Boolean).join('.');
  return subresource === undefined ? full : `${full}/${subresource}`;
}

/** What somebody may want of Coxswain in a cluster, and give rights for. */
export const rightFeatures = [
  'observe',
  'metrics-api',
  'scale',
  'pause-owners',
  'native-fallback',
  'placement',
  'alert',
] as const;
export type RightFeature = (typeof rightFeatures)[number];

/** A right that the code uses: a rule of a Role, or of a ClusterRole where `scope` is `cluster`. */
export interface RequiredRight {
  readonly apiGroup: string;
  /** With its subresource: `deployments/scale`. */
  readonly resource: string;
  readonly verbs: readonly ('get' | 'list' | 'create' | 'update' | 'delete')[];
  /** `namespace`: in each of the namespaces of COXSWAIN_CLUSTER_NAMESPACES. */
  readonly scope: 'cluster' | 'namespace';
  readonly feature: RightFeature;
}

const both = ['deployments', 'statefulsets'] as const;

/**
 * Every right that src/cluster/kubernetes uses, and no other; the entries of a feature are all that it uses. The chart's
 * roles are made of this list, and a test on a real API server takes each one away and sees what then fails.
 */
export const requiredRights: readonly RequiredRight[] = [
  { apiGroup: '', resource: 'nodes', verbs: ['list'], scope: 'cluster', feature: 'observe' },
  inNamespace('observe', '', 'pods', ['list']),
  inNamespace('observe', '', 'resourcequotas', ['list']),
  inNamespace('observe', '', 'events', ['list']),
  ...both.map((resource) => inNamespace('observe', 'apps', resource, ['list'])),
  inNamespace('observe', 'autoscaling', 'horizontalpodautoscalers', ['list']),
  inNamespace('observe', 'keda.sh', 'scaledobjects', ['list']),
  inNamespace('observe', 'policy', 'poddisruptionbudgets', ['list']),

  inNamespace('metrics-api', 'metrics.k8s.io', 'pods', ['list']),

  ...both.map((resource) => inNamespace('scale', 'apps', `${resource}/scale`, ['get', 'update'])),

  ...both.map((resource) => inNamespace('pause-owners', 'apps', resource, ['get'])),
  inNamespace('pause-owners', 'autoscaling', 'horizontalpodautoscalers', ['list', 'get', 'update']),
  inNamespace('pause-owners', 'keda.sh', 'scaledobjects', ['list', 'get', 'update']),

  inNamespace('native-fallback', 'autoscaling', 'horizontalpodautoscalers', [
    'list',
    'get',
    'create',
    'update',
    'delete',
  ]),

  { apiGroup: '', resource: 'nodes', verbs: ['list'], scope: 'cluster', feature: 'placement' },
  ...both.map((resource) => inNamespace('placement', 'apps', resource, ['get', 'update'])),
  inNamespace('placement', '', 'pods/eviction', ['create']),

  ...both.map((resource) => inNamespace('alert', 'apps', resource, ['get'])),
  inNamespace('alert', '', 'events', ['create']),
];

function inNamespace(
  feature: RightFeature,
  apiGroup: string,
  resource: string,
  verbs: RequiredRight['verbs'],
): RequiredRight {
  return { apiGroup, resource, verbs, scope: 'namespace', feature };
}

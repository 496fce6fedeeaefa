import type { ClusterWorkload } from '../contracts/cluster.ts';
import { labelText } from './exposition.ts';
import type { Exposition, FamilyType } from './exposition.ts';
import type { LedgerPod, PodLedger } from './pod-ledger.ts';

interface Sample {
  readonly labels: Readonly<Record<string, string | null>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * kube-state-metrics' series of a namespace's workloads and pods. Readiness is the played one: a pod whose start-up delay
 * is not over is not ready here, though the cluster may say so.
 */
export function writeObjectSeries(exposition: Exposition, ledger: PodLedger): void {
  const pods = [...ledger.pods];
  for (const { name, help, samples } of [...workloadFamilies(ledger.workloads, pods), ...podFamilies(pods)]) {
    if (samples.length === 0) continue;
    const type: FamilyType = 'gauge';
    exposition.family(name, type, help);
    for (const { labels, value } of samples) exposition.sample(name, labelText(labels), value);
  }
}

function workloadFamilies(workloads: readonly ClusterWorkload[], pods: readonly LedgerPod[]): Family[] {
  const counts = podCounts(pods);
  const families = ({ kind, label, names }: (typeof workloadKinds)[number]): Family[] => {
    const ours = workloads
      .filter((each) => each.kind === kind)
      .map((each) => ({ ...each, ...(counts.get(each.workload) ?? { existing: 0, ready: 0 }) }));
    const family = (name: string, help: string, valueOf: (each: (typeof ours)[number]) => number): Family => ({
      name,
      help,
      samples: ours.map((each) => ({ labels: namesOf(each.workload, label), value: valueOf(each) })),
    });
    return [
      family(names.wanted, 'Replicas asked for.', ({ replicas }) => replicas),
      family(names.existing, 'Pods that there are.', ({ existing }) => existing),
      family(names.ready, 'Pods that are ready.', ({ ready }) => ready),
      family(names.available, 'Pods that are available.', ({ ready }) => ready),
    ];
  };
  return workloadKinds.flatMap(families);
}

const workloadKinds = [
  {
    kind: 'Deployment',
    label: 'deployment',
    names: {
      wanted: 'kube_deployment_spec_replicas',
      existing: 'kube_deployment_status_replicas',
      ready: 'kube_deployment_status_replicas_ready',
      available: 'kube_deployment_status_replicas_available',
    },
  },
  {
    kind: 'StatefulSet',
    label: 'statefulset',
    names: {
      wanted: 'kube_statefulset_replicas',
      existing: 'kube_statefulset_status_replicas',
      ready: 'kube_statefulset_status_replicas_ready',
      available: 'kube_statefulset_status_replicas_available',
    },
  },
] as const;

function podCounts(pods: readonly LedgerPod[]): Map<string, { existing: number; ready: number }> {
  const counts = new Map<string, { existing: number; ready: number }>();
  for (const { state, servingSinceMs } of pods) {
    if (state.workload === null || state.terminating) continue;
    const count = counts.get(state.workload) ?? { existing: 0, ready: 0 };
    count.existing++;
    if (servingSinceMs !== null) count.ready++;
    counts.set(state.workload, count);
  }
  return counts;
}

function podFamilies(pods: readonly LedgerPod[]): Family[] {
  const of = (pod: LedgerPod): { namespace: string; pod: string } => ({
    namespace: pod.state.namespace,
    pod: pod.state.name,
  });
  return [
    {
      name: 'kube_pod_info',
      help: 'Where a pod runs and whose it is.',
      samples: pods.map((pod) => ({ labels: { ...of(pod), node: pod.state.node, ...ownerOf(pod) }, value: 1 })),
    },
    {
      name: 'kube_pod_created',
      help: 'When a pod was created, seconds since 1970.',
      samples: pods.map((pod) => ({ labels: of(pod), value: Math.floor(pod.state.createdAt.getTime() / 1000) })),
    },
    {
      name: 'kube_pod_status_ready',
      help: 'Whether a pod is ready.',
      samples: pods.flatMap((pod) =>
        (['true', 'false', 'unknown'] as const).map((condition) => ({
          labels: { ...of(pod), condition },
          value: Number(condition === String(pod.servingSinceMs !== null)),
        })),
      ),
    },
    {
      name: 'kube_pod_status_ready_time',
      help: 'When a pod became ready, seconds since 1970.',
      samples: pods
        .filter(({ servingSinceMs }) => servingSinceMs !== null)
        .map((pod) => ({ labels: of(pod), value: Math.floor(pod.servingSinceMs! / 1000) })),
    },
  ];
}

function ownerOf({ state: { name, workload } }: LedgerPod): Record<string, string> {
  if (workload === null) return {};
  const owner = name.slice(0, name.lastIndexOf('-'));
  // A StatefulSet's pods carry its name; a Deployment's that of its ReplicaSet, which has one part more.
  const isStateful = workload.endsWith(`/${owner}`);
  return { created_by_kind: isStateful ? 'StatefulSet' : 'ReplicaSet', created_by_name: owner };
}

function namesOf(workload: string, label: string): Record<string, string> {
  const slash = workload.indexOf('/');
  return { namespace: workload.slice(0, slash), [label]: workload.slice(slash + 1) };
}

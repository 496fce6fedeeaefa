import type { WorkloadName } from '../../contracts/cluster.ts';

/** Characters that Kubernetes makes names of: no vowels, so no words. */
const random = '[bcdfghjklmnpqrstvwxz2456789]';
const deploymentPod = new RegExp(`^(.+)-${random}{1,10}-${random}{5}$`);
const statefulSetPod = /^(.+)-\d+$/;
/** A generated name is its base, cut to this length, and five characters. */
const maxBase = 58;
const cutPod = new RegExp(`^(.{${maxBase}})${random}{5}$`);

/**
 * Tells to which of the workloads a pod belongs, by its name: `<workload>-<hash>-<suffix>` for Deployments,
 * `<workload>-<n>` for StatefulSets. Null for a pod of none of them. Where several fit, the longest name wins.
 */
export function podJoin(workloads: readonly WorkloadName[]): (namespace: string, pod: string) => WorkloadName | null {
  const known = new Set(workloads);
  const longestFirst = workloads.toSorted((a, b) => b.length - a.length);
  return (namespace, pod) => {
    const owners = [deploymentPod, statefulSetPod].map((pattern) => `${namespace}/${pattern.exec(pod)?.[1]}`);
    const owner = owners.filter((name) => known.has(name)).sort((a, b) => b.length - a.length)[0];
    if (owner !== undefined) return owner;
    const base = cutPod.exec(pod)?.[1];
    if (base === undefined) return null;
    return longestFirst.find((name) => `${namespace}/${base}`.startsWith(cutBase(name, namespace))) ?? null;
  };
}

/** What a pod's name surely begins with, where the name was cut. */
function cutBase(workload: WorkloadName, namespace: string): string {
  return `${workload}-`.slice(0, namespace.length + 1 + maxBase);
}

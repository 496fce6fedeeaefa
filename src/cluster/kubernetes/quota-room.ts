import type { ClusterWorkload } from '../../contracts/cluster.ts';
import type { ApiResourceQuota, Quantities } from './api-objects.ts';
import type { PodResources } from './pod-resources.ts';
import { parseQuantity } from './quantity.ts';

type Workloads = readonly ClusterWorkload[];

/** What a further pod takes of a quota's resource. */
const needs: Readonly<Record<string, (workloads: Workloads) => number>> = {
  pods: () => 1,
  'count/pods': () => 1,
  cpu: (workloads) => most(workloads, 'cpuRequestMillicores') / 1000,
  'requests.cpu': (workloads) => most(workloads, 'cpuRequestMillicores') / 1000,
  'limits.cpu': (workloads) => most(workloads, 'cpuLimitMillicores') / 1000,
  memory: (workloads) => most(workloads, 'memoryRequestBytes'),
  'requests.memory': (workloads) => most(workloads, 'memoryRequestBytes'),
  'limits.memory': (workloads) => most(workloads, 'memoryLimitBytes'),
};

/**
 * Further pods that the quotas of a namespace have room for; null when none limits them. Of an amount of CPU or memory
 * as many pods fit as of the workload that takes the most of it, so that the number holds for any of them. Quotas for
 * pods that end by themselves (scope `Terminating`) do not count; every other scope is taken to apply.
 */
export function podsLeft(quotas: readonly ApiResourceQuota[], workloads: Workloads): number | null {
  const room = quotas
    .filter(({ spec }) => !spec?.scopes?.includes('Terminating'))
    .flatMap(({ status }) => roomOf(status?.hard ?? {}, status?.used ?? {}, workloads));
  return room.length === 0 ? null : Math.max(0, Math.min(...room));
}

function roomOf(hard: Quantities, used: Quantities, workloads: Workloads): number[] {
  return Object.entries(hard).flatMap(([resource, limit]) => {
    const need = needs[resource]?.(workloads) ?? 0;
    if (need === 0) return [];
    const left = parseQuantity(limit) - parseQuantity(used[resource] ?? 0);
    // 0.3 - 0.2 is a hair less than 0.1, of which one fits.
    return [Math.floor(left / need + 1e-9)];
  });
}

function most(workloads: Workloads, resource: keyof PodResources): number {
  return Math.max(0, ...workloads.map((workload) => workload[resource] ?? 0));
}

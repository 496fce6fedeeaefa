import type { WorkloadKind, WorkloadName } from '../../contracts/cluster.ts';
import { CoxswainError } from '../../contracts/errors.ts';
import { apiResources } from './api-resources.ts';
import type { ApiTarget } from './api-resources.ts';

/** The parts of a name. @throws CoxswainError CLUSTER_REFUSED when it is not `namespace/name`. */
export function splitWorkload(workload: WorkloadName): { namespace: string; name: string } {
  const [namespace, name, ...rest] = workload.split('/');
  if (!namespace || !name || rest.length > 0) {
    throw new CoxswainError('CLUSTER_REFUSED', `${JSON.stringify(workload)} names no workload: write namespace/name.`);
  }
  return { namespace, name };
}

/** Where the API server has a workload, or its subresource. */
export function workloadTarget(
  workload: WorkloadName,
  kind: WorkloadKind,
  subresource?: 'scale',
): ApiTarget & { name: string; namespace: string } {
  return { resource: workloadResource(kind), ...splitWorkload(workload), ...(subresource ? { subresource } : {}) };
}

/** Its kind of objects. */
export function workloadResource(kind: WorkloadKind): ApiTarget['resource'] {
  return kind === 'Deployment' ? apiResources.deployments : apiResources.statefulSets;
}

import { isDeepStrictEqual } from 'node:util';
import type { NativeAutoscaler, WorkloadName } from '../../contracts/cluster.ts';
import { CoxswainError } from '../../contracts/errors.ts';
import type { ApiHpa } from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { apiResources } from './api-resources.ts';
import type { ApiTarget } from './api-resources.ts';
import { untilNoConflict } from './change-object.ts';
import type { ApiCall } from './kubernetes-client.ts';
import { fieldManager, isOurs, managedByLabel } from './our-marks.ts';
import { splitWorkload } from './workload-name.ts';

/** The name of our HPA for a workload. */
export function autoscalerName(workload: WorkloadName): string {
  return `coxswain-${splitWorkload(workload).name}`;
}

/**
 * Creates our HPA or brings it up to date. WORKLOAD_OWNED when the workload has another HPA, also a paused one: Kubernetes
 * lets neither act while two are about the same pods.
 */
export async function putAutoscaler(api: ApiCall, autoscaler: NativeAutoscaler): Promise<void> {
  const wanted = hpaOf(autoscaler);
  const { namespace } = splitWorkload(autoscaler.workload);
  const all: ApiTarget = { resource: apiResources.horizontalPodAutoscalers, namespace };
  await untilNoConflict(all, async () => {
    const hpas = await api.list<ApiHpa, ApiHpa>(all, (hpa) => hpa);
    refuseOthers(autoscaler, hpas);
    const found = hpas.find(({ metadata }) => metadata.name === wanted.metadata.name);
    const query = { fieldManager };
    if (!found) return api.request({ method: 'POST', target: all, query, body: wanted });
    if (holds(found, wanted)) return;
    const body = { ...wanted, metadata: { ...wanted.metadata, resourceVersion: found.metadata.resourceVersion } };
    return api.request({ method: 'PUT', target: { ...all, name: wanted.metadata.name }, query, body });
  });
}

/** Removes our HPA, if it is there and ours. */
export async function removeAutoscaler(api: ApiCall, workload: WorkloadName): Promise<void> {
  const { namespace } = splitWorkload(workload);
  const resource = apiResources.horizontalPodAutoscalers;
  const target: ApiTarget = { resource, namespace, name: autoscalerName(workload) };
  try {
    await untilNoConflict(target, async () => {
      const found = await api.request<ApiHpa>({ method: 'GET', target });
      if (!isOurs(found)) return;
      const { uid, resourceVersion } = found.metadata;
      await api.request({ method: 'DELETE', target, body: { preconditions: { uid, resourceVersion } } });
    });
  } catch (error) {
    if (!isRefusal(error, 404)) throw error;
  }
}

function hpaOf({ workload, kind, minReplicas, maxReplicas, targetPercent }: NativeAutoscaler): ApiHpa {
  const { namespace, name } = splitWorkload(workload);
  const target = { type: 'Utilization', averageUtilization: targetPercent };
  return {
    metadata: { name: autoscalerName(workload), namespace, labels: { [managedByLabel]: fieldManager } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name },
      minReplicas,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    },
  };
}

function refuseOthers({ workload, kind }: NativeAutoscaler, hpas: readonly ApiHpa[]): void {
  const { name } = splitWorkload(workload);
  const other = hpas.find(
    (hpa) =>
      !isOurs(hpa) &&
      (hpa.metadata.name === autoscalerName(workload) ||
        (hpa.spec.scaleTargetRef.kind === kind && hpa.spec.scaleTargetRef.name === name)),
  );
  if (!other) return;
  const message = `${workload} has the HPA ${other.metadata.name} already, and Kubernetes lets neither of two act: resume that one.`;
  throw new CoxswainError('WORKLOAD_OWNED', message);
}

/** True when the HPA says what we want; the API server adds the default behaviour, which is ours too. */
function holds({ spec }: ApiHpa, wanted: ApiHpa): boolean {
  const { behavior: _defaults, ...said } = spec;
  return isDeepStrictEqual(said, wanted.spec);
}

import { randomUUID } from 'node:crypto';
import type { ClusterActor, WorkloadKind, WorkloadName } from '../../contracts/cluster.ts';
import type { ApiWorkload } from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { apiResources } from './api-resources.ts';
import type { ApiCall, KubernetesClient } from './kubernetes-client.ts';
import { putAutoscaler, removeAutoscaler } from './native-autoscaler.ts';
import { fieldManager } from './our-marks.ts';
import { pauseOwner, resumeOwner } from './pause-owner.ts';
import { placeWorkload } from './place-workload.ts';
import { failedScale, scaleWorkload } from './scale-workload.ts';
import { splitWorkload, workloadTarget } from './workload-name.ts';

/** Acts on one cluster, in the namespaces that the client allows. */
export function createClusterActor(client: KubernetesClient): ClusterActor {
  const on = async <T>(
    namespace: string,
    signal: AbortSignal | undefined,
    work: (api: ApiCall) => Promise<T>,
  ): Promise<T> => {
    client.allow(namespace);
    return client.call(signal, work);
  };
  const onWorkload = async <T>(
    workload: WorkloadName,
    signal: AbortSignal | undefined,
    work: (api: ApiCall) => Promise<T>,
  ): Promise<T> => on(splitWorkload(workload).namespace, signal, work);
  return {
    async scale(request, signal) {
      try {
        return await onWorkload(request.workload, signal, (api) => scaleWorkload(api, request));
      } catch (error) {
        signal?.throwIfAborted();
        return failedScale(request, error);
      }
    },
    pauseOwner: (workload, kind, signal) => onWorkload(workload, signal, (api) => pauseOwner(api, workload, kind)),
    resumeOwner: (paused, signal) => onWorkload(paused.workload, signal, (api) => resumeOwner(api, paused)),
    putAutoscaler: (wanted, signal) => onWorkload(wanted.workload, signal, (api) => putAutoscaler(api, wanted)),
    removeAutoscaler: (workload, signal) => onWorkload(workload, signal, (api) => removeAutoscaler(api, workload)),
    placeOn: (workload, kind, nodes, signal) =>
      onWorkload(workload, signal, (api) => placeWorkload(api, workload, kind, nodes)),
    evict: (pod, signal) => on(pod.namespace, signal, (api) => evict(api, pod)),
    async warn(workload, kind, reason, message) {
      try {
        await onWorkload(workload, undefined, (api) => warn(api, workload, kind, reason, message));
      } catch {
        // The same is recorded with the decision: an event is for those who look with kubectl.
      }
    },
  };
}

async function evict(
  api: ApiCall,
  { namespace, name, uid }: Parameters<ClusterActor['evict']>[0],
): Promise<'evicted' | 'budget' | 'gone'> {
  const target = { resource: apiResources.pods, namespace, name, subresource: 'eviction' };
  const deleteOptions = uid === undefined ? {} : { deleteOptions: { preconditions: { uid } } };
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, ...deleteOptions };
  try {
    await api.request({ method: 'POST', target, body });
    return 'evicted';
  } catch (error) {
    if (isRefusal(error, 404)) return 'gone';
    if (isRefusal(error, 429)) return 'budget';
    if (uid !== undefined && isRefusal(error, 409) && /precondition.*\buid\b/i.test(error.message)) return 'gone';
    throw error;
  }
}

/** The API server takes no more of a reason and of a message than this. */
const maxReason = 128;
const maxMessage = 1024;

async function warn(
  api: ApiCall,
  workload: WorkloadName,
  kind: WorkloadKind,
  reason: string,
  message: string,
): Promise<void> {
  const { namespace, name } = splitWorkload(workload);
  // kubectl describe looks for events by the object's uid.
  const { metadata } = await api.request<ApiWorkload>({ method: 'GET', target: workloadTarget(workload, kind) });
  const now = new Date().toISOString();
  const body = {
    metadata: { name: `${name}.${randomUUID()}`, namespace },
    involvedObject: { apiVersion: 'apps/v1', kind, namespace, name, uid: metadata.uid },
    type: 'Warning',
    reason: reason.slice(0, maxReason),
    message: message.slice(0, maxMessage),
    source: { component: fieldManager },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
  await api.request({
    method: 'POST',
    target: { resource: apiResources.events, namespace },
    query: { fieldManager },
    body,
  });
}

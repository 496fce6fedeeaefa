import type { ScaleRequest, ScaleResult } from '../../contracts/cluster.ts';
import { toCoxswainError } from '../../contracts/errors.ts';
import type { ApiScale } from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { untilNoConflict } from './change-object.ts';
import type { ApiCall } from './kubernetes-client.ts';
import { fieldManager } from './our-marks.ts';
import { workloadTarget } from './workload-name.ts';

/** Changes replicas through the `scale` subresource, if they still stand at `from`. */
export async function scaleWorkload(api: ApiCall, request: ScaleRequest): Promise<ScaleResult> {
  const target = workloadTarget(request.workload, request.kind, 'scale');
  return untilNoConflict(target, async () => {
    const scale = await api.request<ApiScale>({ method: 'GET', target });
    const replicas = scale.spec?.replicas ?? 0;
    if (replicas === request.to) return resultOf(request, 'already', replicas, `it stood at ${replicas}`);
    if (replicas !== request.from) {
      const detail = `it stands at ${replicas}, and the decision was made for ${request.from}`;
      return resultOf(request, 'moved', replicas, detail);
    }
    // The body carries the resourceVersion that was read: the API server refuses (409) what is older than the object.
    const body = { ...scale, spec: { ...scale.spec, replicas: request.to } };
    const written = await api.request<ApiScale>({ method: 'PUT', target, query: { fieldManager }, body });
    return resultOf(request, 'scaled', written.spec?.replicas ?? null, '');
  });
}

/** What comes of a scale that ended with an error. */
export function failedScale(request: ScaleRequest, error: unknown): ScaleResult {
  if (isRefusal(error, 404)) return resultOf(request, 'gone', null, `there is no ${request.kind} ${request.workload}`);
  const { code, message } = toCoxswainError(error);
  return resultOf(request, 'failed', null, `${code}: ${message}`);
}

function resultOf(
  { workload }: ScaleRequest,
  outcome: ScaleResult['outcome'],
  replicas: number | null,
  detail: string,
): ScaleResult {
  return { workload, outcome, replicas, detail };
}

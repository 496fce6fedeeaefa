import type { CoxswainError } from '../../contracts/errors.ts';
import type { ApiHpa, ApiScaledObject } from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { apiResources, whatOf } from './api-resources.ts';
import type { ApiTarget } from './api-resources.ts';
import type { ApiCall } from './kubernetes-client.ts';
import type { Autoscalers } from './replica-owner.ts';

/** Reads the HPAs and ScaledObjects of a namespace. What is not to be read is told to `note` and named in the answer. */
export async function readAutoscalers(
  api: ApiCall,
  namespace: string,
  note: (what: string, error: CoxswainError) => void = () => undefined,
): Promise<Autoscalers> {
  const unread: string[] = [];
  const list = async <T>(target: ApiTarget, read: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await read();
    } catch (error) {
      if (!isRefusal(error, 403, 404)) throw error;
      unread.push(whatOf(target));
      note(whatOf(target), error);
      return [];
    }
  };
  const hpas = { resource: apiResources.horizontalPodAutoscalers, namespace };
  const objects = { resource: apiResources.scaledObjects, namespace };
  const [foundHpas, foundObjects] = await Promise.all([
    list(hpas, () => api.list<ApiHpa, ApiHpa>(hpas, (hpa) => hpa)),
    list(objects, () => scaledObjects(api, objects)),
  ]);
  return { hpas: foundHpas, scaledObjects: foundObjects, unread: unread.length === 0 ? null : unread.join(' and ') };
}

/**
 * None where KEDA is not installed: the kind is then not known (404). Without the right to list them the API server says
 * 403 either way, so that it is asked whether it knows the kind, which everybody may ask.
 */
async function scaledObjects(api: ApiCall, target: ApiTarget): Promise<ApiScaledObject[]> {
  try {
    return await api.list<ApiScaledObject, ApiScaledObject>(target, (object) => object);
  } catch (error) {
    if (isRefusal(error, 404)) return [];
    if (isRefusal(error, 403) && !(await api.knows(target.resource))) return [];
    throw error;
  }
}

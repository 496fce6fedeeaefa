import { CoxswainError } from '../../contracts/errors.ts';
import type { ApiObject } from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { whatOf } from './api-resources.ts';
import type { ApiTarget } from './api-resources.ts';
import type { ApiCall } from './kubernetes-client.ts';
import { fieldManager } from './our-marks.ts';

/** How often somebody else may change an object between our reading and our writing, as long as the call lasts. */
const maxReads = 100;

/**
 * Reads an object, changes it and writes it, only if nobody changed it in between; else from the start. `change` returns
 * what to write, or null to leave it.
 * @throws CoxswainError CLUSTER_UNAVAILABLE when others change it all the time; ApiRefusal 404 when it is not there.
 */
export async function changeObject<T extends ApiObject>(
  api: ApiCall,
  target: ApiTarget,
  change: (object: T) => T | null,
): Promise<void> {
  await untilNoConflict(target, async () => {
    const changed = change(await api.request<T>({ method: 'GET', target }));
    if (changed !== null) await api.request({ method: 'PUT', target, query: { fieldManager }, body: changed });
  });
}

/** Repeats what reads and writes an object while somebody else is quicker. */
export async function untilNoConflict<T>(target: ApiTarget, attempt: () => Promise<T>): Promise<T> {
  for (let reads = 1; ; reads++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRefusal(error, 409)) throw error;
      if (reads < maxReads) continue;
      const message = `${whatOf(target)} was changed by others ${maxReads} times in a row, each time before we could.`;
      throw new CoxswainError('CLUSTER_UNAVAILABLE', message, { cause: error });
    }
  }
}

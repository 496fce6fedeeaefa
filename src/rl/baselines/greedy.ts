import { CoxswainError } from '../../contracts/errors.ts';
import type { Controller } from './controller.ts';

/**
 * Scales every service at once to what the CPU usage that is seen now needs at `targetPercent` of the pods' requests:
 * ceil(usage / (request · target)), within the service's limits. Unlike the HPA it has no tolerance, no stabilisation, no
 * limit to the rate, and takes pods that start for granted. A service without usage keeps its replicas when no pod is
 * ready, and goes to its minimum otherwise.
 * @param targetPercent of the CPU request, 1 … 1000; default 60.
 * @throws CoxswainError CONFIG_INVALID when the target is out of range.
 */
export function createGreedy(targetPercent = 60, name = `greedy-${targetPercent}`): Controller {
  if (!(targetPercent >= 1 && targetPercent <= 1000)) {
    throw new CoxswainError('CONFIG_INVALID', `greedy: targetPercent must be from 1 to 1000, not ${targetPercent}.`);
  }
  return {
    name,
    reset() {},
    decide(view, desiredReplicas) {
      for (let s = 0; s < desiredReplicas.length; s++) {
        const needed = (100 * view.cpuUsageMillicores[s]) / (view.cpuRequestMillicores[s] * targetPercent);
        // Rounding in the sum of the usage must not cost a pod.
        const replicas = view.readyPods[s] > 0 ? Math.ceil(needed - 1e-9) : view.desiredReplicas[s];
        desiredReplicas[s] = Math.min(view.maxReplicas[s], Math.max(view.minReplicas[s], replicas));
      }
    },
  };
}

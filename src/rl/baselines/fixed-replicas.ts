import type { Controller } from './controller.ts';

/**
 * The same replicas at all times: what a cluster without an autoscaler runs.
 * @param replicas per service, in the cluster's order.
 */
export function createFixedReplicas(replicas: readonly number[], name = 'fixed'): Controller {
  return {
    name,
    reset() {},
    decide(_view, desiredReplicas) {
      desiredReplicas.set(replicas);
    },
  };
}

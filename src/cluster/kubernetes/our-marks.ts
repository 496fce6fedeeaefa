import type { ApiObject } from './api-objects.ts';

/** As whom we change objects. */
export const fieldManager = 'coxswain';

/** Label of objects that we made, and its value. */
export const managedByLabel = 'app.kubernetes.io/managed-by';

/** On an HPA that we paused: its `spec.behavior` before, as JSON. */
export const pausedBehaviorAnnotation = 'coxswain/paused-behavior';

/** On a ScaledObject that we paused: the value of KEDA's annotation before, as JSON (null = there was none). */
export const pausedScaledObjectAnnotation = 'coxswain/paused-before';

/** On a workload that we placed: its required node affinity before, as JSON (null = there was none). */
export const placedBeforeAnnotation = 'coxswain/affinity-before';

/** KEDA's: pauses a ScaledObject as it stands. */
export const kedaPaused = 'autoscaling.keda.sh/paused';

/** KEDA's: pauses a ScaledObject at a number of replicas. */
export const kedaPausedReplicas = 'autoscaling.keda.sh/paused-replicas';

/** True for objects that we made. */
export function isOurs({ metadata }: ApiObject): boolean {
  return metadata.labels?.[managedByLabel] === fieldManager;
}

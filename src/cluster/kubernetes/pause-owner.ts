import type { PausedOwner, ReplicaOwner, WorkloadKind, WorkloadName } from '../../contracts/cluster.ts';
import { CoxswainError } from '../../contracts/errors.ts';
import type { ApiHpa, ApiScaledObject, ApiWorkload, HpaBehavior } from './api-objects.ts';
import { isRefusal } from './api-refusal.ts';
import { apiResources } from './api-resources.ts';
import type { ApiTarget } from './api-resources.ts';
import { annotationOf, hasAnnotation, withAnnotation, withoutAnnotation } from './annotations.ts';
import { readAutoscalers } from './autoscalers.ts';
import { changeObject } from './change-object.ts';
import type { ApiCall } from './kubernetes-client.ts';
import { kedaPaused, pausedBehaviorAnnotation, pausedScaledObjectAnnotation } from './our-marks.ts';
import { autoscalersOf, isPausedHpa, ownersOf } from './replica-owner.ts';
import type { Autoscalers } from './replica-owner.ts';
import { splitWorkload, workloadTarget } from './workload-name.ts';

/** Pauses who owns the replicas; see the port. An owner that we paused before is told again. */
export async function pauseOwner(
  api: ApiCall,
  workload: WorkloadName,
  kind: WorkloadKind,
): Promise<PausedOwner | null> {
  const { namespace, name } = splitWorkload(workload);
  const [object, autoscalers] = await Promise.all([
    api.request<ApiWorkload>({ method: 'GET', target: workloadTarget(workload, kind) }),
    readAutoscalers(api, namespace),
  ]);
  const owners = ownersOf(object, kind, autoscalers);
  if (owners.length === 0) return pausedBefore(workload, autoscalersOf(name, kind, autoscalers));
  const [owner, ...others] = owners;
  if (!owner.pausable || others.length > 0) throw owned(workload, owners);
  const paused: PausedOwner = { workload, kind: owner.kind as PausedOwner['kind'], name: owner.name };
  if (paused.kind === 'ScaledObject') await changeObject(api, targetOf(paused), withScaledObjectPaused);
  else await changeObject(api, targetOf(paused), withHpaPaused);
  return paused;
}

/** Undoes {@link pauseOwner}. */
export async function resumeOwner(api: ApiCall, paused: PausedOwner): Promise<void> {
  try {
    if (paused.kind === 'ScaledObject') await changeObject(api, targetOf(paused), withScaledObjectResumed);
    else await changeObject(api, targetOf(paused), withHpaResumed);
  } catch (error) {
    if (!isRefusal(error, 404)) throw error;
  }
}

function targetOf({ workload, kind, name }: PausedOwner): ApiTarget {
  const resource = kind === 'ScaledObject' ? apiResources.scaledObjects : apiResources.horizontalPodAutoscalers;
  return { resource, namespace: splitWorkload(workload).namespace, name };
}

/** Somebody whom we paused owns nothing, and must be resumed all the same. */
function pausedBefore(
  workload: WorkloadName,
  { hpas, scaledObjects }: Pick<Autoscalers, 'hpas' | 'scaledObjects'>,
): PausedOwner | null {
  const object = scaledObjects.find((each) => hasAnnotation(each, pausedScaledObjectAnnotation));
  if (object) return { workload, kind: 'ScaledObject', name: object.metadata.name };
  const hpa = hpas.find((each) => hasAnnotation(each, pausedBehaviorAnnotation));
  return hpa ? { workload, kind: 'HorizontalPodAutoscaler', name: hpa.metadata.name } : null;
}

function owned(workload: WorkloadName, owners: readonly ReplicaOwner[]): CoxswainError {
  const names = owners.map(({ kind, name }) => (kind === 'unknown' ? `whoever is in ${name}` : `${kind} ${name}`));
  const why = owners.every(({ pausable }) => pausable)
    ? 'more than one, of which none may stay'
    : owners.some(({ kind }) => kind === 'unknown')
      ? 'which could not be read: give the right to list them'
      : 'which cannot be paused: take spec.replicas out of what it applies, or out of its hands';
  const message = `The replicas of ${workload} are set by ${names.join(' and ')}, ${why}.`;
  return new CoxswainError('WORKLOAD_OWNED', message, { details: { workload, owners } });
}

/** Keeps the behaviour that was there. What is kept of an earlier pause holds only as long as that lasts. */
function withHpaPaused(hpa: ApiHpa): ApiHpa {
  const { behavior } = hpa.spec;
  const kept =
    hasAnnotation(hpa, pausedBehaviorAnnotation) && isPausedHpa(hpa)
      ? hpa
      : withAnnotation(hpa, pausedBehaviorAnnotation, JSON.stringify(behavior ?? null));
  const off = {
    scaleUp: { ...behavior?.scaleUp, selectPolicy: 'Disabled' },
    scaleDown: { ...behavior?.scaleDown, selectPolicy: 'Disabled' },
  };
  return { ...kept, spec: { ...hpa.spec, behavior: off } };
}

/** Whoever let it scale again meanwhile is not overruled. */
function withHpaResumed(hpa: ApiHpa): ApiHpa | null {
  const before = annotationOf<HpaBehavior>(hpa, pausedBehaviorAnnotation);
  if (before === undefined) return null;
  const unmarked = withoutAnnotation(hpa, pausedBehaviorAnnotation);
  if (!isPausedHpa(hpa)) return unmarked;
  const { behavior: _paused, ...spec } = hpa.spec;
  return { ...unmarked, spec: before === null ? spec : { ...spec, behavior: before } };
}

function withScaledObjectPaused(object: ApiScaledObject): ApiScaledObject {
  const before = object.metadata.annotations?.[kedaPaused] ?? null;
  const kept =
    hasAnnotation(object, pausedScaledObjectAnnotation) && before === 'true'
      ? object
      : withAnnotation(object, pausedScaledObjectAnnotation, JSON.stringify(before));
  return withAnnotation(kept, kedaPaused, 'true');
}

function withScaledObjectResumed(object: ApiScaledObject): ApiScaledObject | null {
  const before = annotationOf<string>(object, pausedScaledObjectAnnotation);
  if (before === undefined) return null;
  const unmarked = withoutAnnotation(object, pausedScaledObjectAnnotation);
  if (object.metadata.annotations?.[kedaPaused] !== 'true') return unmarked;
  return before === null ? withoutAnnotation(unmarked, kedaPaused) : withAnnotation(unmarked, kedaPaused, before);
}

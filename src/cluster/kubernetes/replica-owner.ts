import type { ReplicaOwner, WorkloadKind } from '../../contracts/cluster.ts';
import type {
  ApiHpa,
  ApiObject,
  ApiScaledObject,
  ApiWorkload,
  ManagedFieldsEntry,
  ScaleTargetRef,
} from './api-objects.ts';
import { fieldManager, isOurs, kedaPaused, kedaPausedReplicas } from './our-marks.ts';

/** The autoscalers of a namespace. */
export interface Autoscalers {
  readonly hpas: readonly ApiHpa[];
  readonly scaledObjects: readonly ApiScaledObject[];
  /** What could not be read of them, for example `horizontalpodautoscalers in shop`; null when they are complete. */
  readonly unread: string | null;
}

/**
 * Managers that set replicas when a person or a pipeline calls them, and then let go; and those that act for an HPA or a
 * ScaledObject, which are found by their objects.
 */
const lettingGo = /^(kubectl|kubectl-.+|helm|before-first-apply|kube-controller-manager|keda|keda-operator)$/i;

/**
 * Everybody else who sets the replicas of a workload, those first that cannot be paused.
 *
 * 1. A field manager owns them when it applied `spec.replicas` (server-side apply), or set it after the workload was created
 *    and is not {@link lettingGo}. Who created a workload, and left it alone since, lets go as well.
 * 2. An HPA owns its target unless it may scale neither up nor down, whoever told it so. One of ours owns nothing.
 * 3. A ScaledObject owns its target unless it is paused. The HPA that it made counts as the ScaledObject, also when that
 *    is paused, until KEDA has removed it.
 */
export function ownersOf(workload: ApiWorkload, kind: WorkloadKind, autoscalers: Autoscalers): readonly ReplicaOwner[] {
  const name = workload.metadata.name;
  const { hpas, scaledObjects } = autoscalersOf(name, kind, autoscalers);
  const { managedFields = [], creationTimestamp } = workload.metadata;
  const managers = managedFields.filter((entry) => setsReplicas(entry) && holdsOn(entry, creationTimestamp));
  const scalers = [
    ...scaledObjects.filter((object) => !isPausedScaledObject(object)).map((object) => object.metadata.name),
    ...hpas.filter((hpa) => !isPausedHpa(hpa)).flatMap((hpa) => scaledObjectOf(hpa) ?? []),
  ];
  const own = hpas.filter((hpa) => scaledObjectOf(hpa) === null && !isPausedHpa(hpa));
  return [
    ...unique(managers.map(({ manager = '' }) => manager)).map((name) => owner('field-manager', name, false)),
    ...(autoscalers.unread === null ? [] : [owner('unknown', autoscalers.unread, false)]),
    ...unique(scalers).map((name) => owner('ScaledObject', name, true)),
    ...own.map(({ metadata }) => owner('HorizontalPodAutoscaler', metadata.name, true)),
  ];
}

/** Those of a namespace that are about one workload, but for HPAs of ours. */
export function autoscalersOf(
  name: string,
  kind: WorkloadKind,
  { hpas, scaledObjects }: Autoscalers,
): Pick<Autoscalers, 'hpas' | 'scaledObjects'> {
  const about = ({ spec }: { spec: { scaleTargetRef: ScaleTargetRef } }): boolean =>
    spec.scaleTargetRef.name === name && (spec.scaleTargetRef.kind ?? 'Deployment') === kind;
  return {
    hpas: hpas.filter((hpa) => about(hpa) && !isOurs(hpa)),
    scaledObjects: scaledObjects.filter(about),
  };
}

/** True when it may neither scale up nor down. Outside of its bounds it brings the replicas back even so. */
export function isPausedHpa({ spec: { behavior } }: ApiHpa): boolean {
  return behavior?.scaleUp?.selectPolicy === 'Disabled' && behavior.scaleDown?.selectPolicy === 'Disabled';
}

/** By one of KEDA's annotations; `paused: "false"` is not paused. */
export function isPausedScaledObject({ metadata: { annotations = {} } }: ApiObject): boolean {
  return annotations[kedaPausedReplicas] !== undefined || /^(true|1|t)$/i.test(annotations[kedaPaused] ?? '');
}

/** The name of the ScaledObject that made an HPA; null when none did. */
export function scaledObjectOf({ metadata }: ApiHpa): string | null {
  return metadata.ownerReferences?.find(({ kind, controller }) => kind === 'ScaledObject' && controller)?.name ?? null;
}

/** True for whoever last set `spec.replicas`. */
export function setsReplicas({ fieldsV1 }: ManagedFieldsEntry): boolean {
  const spec = fieldsV1?.['f:spec'];
  return typeof spec === 'object' && spec !== null && 'f:replicas' in spec;
}

function holdsOn({ manager = '', operation, time }: ManagedFieldsEntry, createdAt: string | undefined): boolean {
  if (manager === fieldManager) return false;
  if (operation === 'Apply') return true;
  return !lettingGo.test(manager) && !isOfCreation(time, createdAt);
}

/** Kubernetes writes both times to the second, and not in the same moment. */
const creationMs = 2_000;

function isOfCreation(time: string | undefined, createdAt: string | undefined): boolean {
  if (time === undefined || createdAt === undefined) return false;
  return Math.abs(Date.parse(time) - Date.parse(createdAt)) <= creationMs;
}

function owner(kind: ReplicaOwner['kind'], name: string, pausable: boolean): ReplicaOwner {
  return { kind, name, pausable };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

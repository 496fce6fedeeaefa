import type { ClusterActor, ClusterReader, ClusterState, ClusterWorkload } from '../contracts/cluster.ts';
import type {
  ControlledService,
  ControlState,
  ControlStore,
  DeploymentRecord,
  DeploymentSpec,
  WorkloadLimitsSpec,
} from '../contracts/control.ts';
import { CoxswainError } from '../contracts/errors.ts';
import type { ArtifactReference, ModelRegistry, ModelVersion, RunRecord, RunStore } from '../contracts/stores.ts';
import { nearestName } from '../domain/nearest-name.ts';
import { flawsOfRules } from '../domain/guard/guard-rules.ts';
import { steeredServices } from '../rl/live/live-scaling.ts';
import type { SteeredApplication } from '../rl/twin/application-of.ts';
import { guardRulesOf, liveDeployment } from './live-deployment.ts';
import { putAutoscalers, removeAutoscalers } from './native-fallback.ts';
import { nodesUnread, placementOf } from './observe-placement.ts';
import { pauseOwners } from './pause-owners.ts';
import { placedWorkloads, undoPlacement } from './place-pods.ts';
import type { PlacedWorkload } from './place-pods.ts';
import { throwTogether, troublesWith } from './troubles.ts';

/** What opening and closing a deployment touches. */
export interface OpeningPorts {
  readonly store: ControlStore;
  readonly models: ModelRegistry;
  readonly runs: RunStore;
  readonly reader: ClusterReader;
  readonly actor: ClusterActor;
  /** The application that the policies of an environment steer. ENVIRONMENT_INVALID when it cannot be steered live. */
  readonly applicationOf: (environment: string, twin: ArtifactReference | null) => Promise<SteeredApplication>;
  readonly now: () => Date;
}

/**
 * Opens a deployment: finds model, environment and workloads, sees to it that nobody else sets the replicas, claims the
 * workloads, and pauses their owners where the spec says so. Idempotent: what is there already stays, and is returned.
 * @throws CoxswainError MODEL_NOT_FOUND, DEPLOYMENT_INVALID, WORKLOAD_OWNED, WORKLOAD_CLAIMED, DEPLOYMENT_CONFLICT,
 * ENVIRONMENT_INVALID, CLUSTER_UNAVAILABLE, CLUSTER_REFUSED.
 */
export async function openDeployment(
  ports: OpeningPorts,
  spec: DeploymentSpec,
  signal: AbortSignal,
): Promise<DeploymentRecord> {
  const version = await modelVersion(ports.models, spec);
  const run = await ports.runs.getRun(version.lineage.runId);
  const { environment, twin, hpaTargetPercent } = trainingOf(run, version, spec);
  const application = await ports.applicationOf(environment.name, twin);
  const cluster = await ports.reader.read({ namespaces: [spec.target.namespace] }, signal);
  const services = controlledServices(spec, application, cluster);
  const record: DeploymentRecord = {
    name: spec.name,
    spec,
    status: 'running',
    model: { name: version.model, version: version.version },
    policy: version.policy,
    environment,
    twin,
    hpaTargetPercent,
    services,
    pausedOwners: [],
    openedAt: ports.now(),
    closedAt: null,
    failure: null,
  };
  checkRecord(record, application);
  checkPlacement(record, cluster);
  refuseForeignOwners(spec, services, cluster);
  await ports.store.openDeployment(record);
  await pauseOwners(ports, record, spec.mode, cluster, signal);
  return (await ports.store.getDeployment(spec.name)) ?? record;
}

async function modelVersion(models: ModelRegistry, { model }: DeploymentSpec): Promise<ModelVersion> {
  const found = await models.getVersion(model.name, model.version);
  if (found !== null) return found;
  const what = typeof model.version === 'number' ? `version ${model.version}` : `alias ${model.version}`;
  throw new CoxswainError(
    'MODEL_NOT_FOUND',
    `Model ${model.name} has no ${what}. \`coxswain models\` shows what there is.`,
  );
}

/** What a policy was trained for. Of versions from before that was kept, the run that trained it tells. */
function trainingOf(
  run: RunRecord | null,
  { model, version, lineage, trainedFor }: ModelVersion,
  { fallback }: DeploymentSpec,
): Pick<DeploymentRecord, 'environment' | 'twin' | 'hpaTargetPercent'> {
  if (trainedFor !== undefined) {
    const { hpaTargetPercent, ...rest } = trainedFor;
    return { ...rest, hpaTargetPercent: fallback.hpaTargetPercent ?? hpaTargetPercent };
  }
  if (run?.spec == null) {
    const message = `Run ${lineage.runId}, which trained version ${version} of ${model}, is not in the store, so its environment is not known.`;
    throw new CoxswainError('DEPLOYMENT_INVALID', message);
  }
  const { environment } = run.spec;
  const hpaTargetPercent = fallback.hpaTargetPercent ?? run.report?.evaluation?.hpaTargetPercent ?? null;
  if (hpaTargetPercent === null) {
    const message = `Run ${lineage.runId} calibrated no HPA for the fallback; set fallback.hpaTargetPercent.`;
    throw new CoxswainError('DEPLOYMENT_INVALID', message);
  }
  // Reports of earlier versions know of no twin.
  return { environment, twin: run.report?.twin?.artifact ?? null, hpaTargetPercent };
}

function controlledServices(
  spec: DeploymentSpec,
  application: SteeredApplication,
  cluster: ClusterState,
): ControlledService[] {
  const steered = steeredServices(application);
  const names = steered.map(({ name }) => name);
  refuseUnknown('target.workloads', Object.keys(spec.target.workloads), names);
  refuseUnknown('guard.services', Object.keys(spec.guard.services), names);
  refuseUnknown('target.entry', spec.target.entry === null ? [] : [spec.target.entry], names);
  const found = steered.map((service) => {
    const { name, comesAndGoes } = service;
    const workload = `${spec.target.namespace}/${spec.target.workloads[name] ?? name}`;
    const there = cluster.workloads.find((entry) => entry.workload === workload);
    const limits = { ...spec.guard.limits, ...spec.guard.services[name] } satisfies WorkloadLimitsSpec;
    return {
      service: name,
      workload,
      kind: there?.kind ?? (comesAndGoes ? 'Deployment' : null),
      ...(comesAndGoes ? { comesAndGoes } : {}),
      limits: {
        ...limits,
        minReplicas: limits.minReplicas ?? service.minReplicas,
        maxReplicas: limits.maxReplicas ?? service.maxReplicas,
      },
    };
  });
  const missing = found.filter(({ kind }) => kind === null).map(({ workload }) => workload);
  if (missing.length === 0) return found as ControlledService[];
  const { namespace } = spec.target;
  const there = cluster.workloads.map(({ workload }) => workload.slice(namespace.length + 1));
  throw new CoxswainError(
    'DEPLOYMENT_INVALID',
    `The namespace ${namespace} has no Deployment or StatefulSet for ${missing.join(', ')}; there are: ` +
      `${there.join(', ') || 'none'}. Name the others in target.workloads.`,
  );
}

function refuseUnknown(path: string, given: readonly string[], services: readonly string[]): void {
  const unknown = given.find((name) => !services.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, services);
  throw new CoxswainError(
    'DEPLOYMENT_INVALID',
    `${path}: the policy has no service "${unknown}"; ${nearest ? `nearest: ${nearest}; ` : ''}it has: ${services.join(', ')}.`,
  );
}

function checkRecord(record: DeploymentRecord, application: SteeredApplication): void {
  const workloads = record.services.map(({ workload }) => workload);
  const twice = workloads.find((workload, i) => workloads.indexOf(workload) !== i);
  if (twice !== undefined) {
    throw new CoxswainError('DEPLOYMENT_INVALID', `target.workloads: ${twice} plays two services of the policy.`);
  }
  liveDeployment(record, application);
  const flaws = flawsOfRules(guardRulesOf(record));
  if (flaws.length > 0) throw new CoxswainError('DEPLOYMENT_INVALID', `guard: ${flaws.join('; ')}.`);
}

/** The nodes must be readable, and those that are named be there. */
function checkPlacement(record: DeploymentRecord, cluster: ClusterState): void {
  const placement = placementOf(record);
  if (placement === null) return;
  const services = record.services.map(({ service }) => service);
  refuseUnknown('placement.nodes', Object.keys(placement.nodes), services);
  const unread = nodesUnread(cluster);
  if (unread !== null) throw new CoxswainError('CLUSTER_REFUSED', `placement: the nodes could not be read: ${unread}`);
  const there = cluster.nodes.map(({ name }) => name);
  for (const [service, nodes] of Object.entries(placement.nodes)) {
    const unknown = nodes.find((node) => !there.includes(node));
    if (unknown !== undefined) throw unknownNode(service, unknown, there);
  }
}

/** Clusters may have thousands. */
const shownNodes = 20;

function unknownNode(service: string, unknown: string, there: readonly string[]): CoxswainError {
  const nearest = nearestName(unknown, there);
  const more = there.length > shownNodes ? ` and ${there.length - shownNodes} more` : '';
  const message =
    `placement.nodes.${service}: the cluster has no node "${unknown}"; ${nearest ? `nearest: ${nearest}; ` : ''}` +
    `it has: ${there.slice(0, shownNodes).join(', ') || 'none'}${more}.`;
  return new CoxswainError('DEPLOYMENT_INVALID', message);
}

/** In shadow mode nobody's replicas are touched, so owners are welcome. */
function refuseForeignOwners(
  spec: DeploymentSpec,
  services: readonly ControlledService[],
  cluster: ClusterState,
): void {
  if (spec.mode === 'shadow') return;
  const owned = services
    .map(({ workload }) => cluster.workloads.find((entry) => entry.workload === workload))
    .filter((entry): entry is ClusterWorkload => entry?.owner != null)
    .filter(({ owner }) => spec.owners === 'refuse' || !owner!.pausable);
  if (owned.length === 0) return;
  const sentences = owned.map(({ workload, owner }) => `${workload} is scaled by ${owner!.kind} ${owner!.name}`);
  const advice = owned.every(({ owner }) => owner!.pausable)
    ? 'Remove them, or set owners: pause.'
    : 'They must be removed: not all of them can be paused.';
  throw new CoxswainError('WORKLOAD_OWNED', `${sentences.join('; ')}. ${advice}`);
}

/** What closing has to know. */
export interface ClosingPorts {
  readonly store: ControlStore;
  readonly actor: ClusterActor;
  readonly now: () => Date;
}

/**
 * Ends a deployment: resumes paused owners, takes node affinities back and gives the workloads free. Where the fallback is
 * native, workloads that nobody owned keep an autoscaler of ours, so that nothing is left without a controller. Idempotent.
 * @param state null for a deployment that was never opened.
 * @throws CoxswainError CLUSTER_UNAVAILABLE, CLUSTER_REFUSED when the workloads could not be handed over: the deployment
 * then still runs, so that closing can be repeated.
 */
export async function closeDeployment(
  { store, actor, now }: ClosingPorts,
  name: string,
  state: ControlState | null,
  failure: string | null,
  signal: AbortSignal,
): Promise<void> {
  const record = await store.getDeployment(name);
  if (record === null || record.status !== 'running') return;
  const at = now();
  const step = state?.step ?? 0;
  const placed = await placedWorkloads(store, record);
  await handOver(actor, record, placed, state, signal);
  if (record.pausedOwners.length > 0) {
    const names = record.pausedOwners.map((owner) => `${owner.kind} ${owner.name}`);
    const message = `Resumed ${names.join(', ')}.`;
    await store.addEvent({ deployment: name, step, at, kind: 'owner-resumed', alert: false, message });
  }
  if (placed.length > 0) {
    const names = placed.map(({ workload }) => workload);
    const message = `Pods of ${names.join(', ')} may run on any node again.`;
    await store.addEvent({ deployment: name, step, at, kind: 'unplaced', alert: false, message });
  }
  const kind = failure === null ? 'stopped' : 'failed';
  const message = failure ?? 'The loop was stopped.';
  await store.addEvent({ deployment: name, step, at, kind, alert: failure !== null, message });
  await store.closeDeployment(name, { status: kind, failure, at });
}

async function handOver(
  actor: ClusterActor,
  record: DeploymentRecord,
  placed: readonly PlacedWorkload[],
  state: ControlState | null,
  signal: AbortSignal,
): Promise<void> {
  const { pausedOwners, services, spec } = record;
  const stays = ({ workload }: ControlledService): boolean =>
    spec.fallback.controller === 'native' &&
    state?.mode === 'live' &&
    !pausedOwners.some((owner) => owner.workload === workload);
  const kept = { ...record, services: services.filter(stays) };
  const left = { ...record, services: state?.nativeAutoscalers ? services.filter((service) => !stays(service)) : [] };
  const troubles = [...(await putAutoscalers(actor, kept, signal)), ...(await removeAutoscalers(actor, left, signal))];
  const unresumed = await troublesWith(
    pausedOwners,
    () => '',
    (owner) => actor.resumeOwner(owner, signal),
  );
  throwTogether([...troubles, ...unresumed, ...(await undoPlacement(actor, placed, signal))]);
}

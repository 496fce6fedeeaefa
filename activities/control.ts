import { Context } from '@temporalio/activity';
import type { ControlActivities, ControlState, DeploymentRecord, StepSummary } from '../src/contracts/control.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import { runControlStep } from '../src/control/control-step.ts';
import { liveDeployment } from '../src/control/live-deployment.ts';
import type { LiveDeployment } from '../src/control/live-deployment.ts';
import { closeDeployment, openDeployment } from '../src/control/open-deployment.ts';
import { ownersText } from '../src/control/pause-owners.ts';
import { withTranslatedErrors } from './failures.ts';
import { cancellationFailure, whileHeartbeating } from './heartbeat.ts';
import type { ControlPorts } from './ports.ts';

/** A step that fails by a defect is not worth many attempts: the next one is due. */
const maximumDefectAttempts = 3;

/** Activities of the control queue that steer clusters; see the contract for what each promises. */
export function createControlActivities(ports: ControlPorts): ControlActivities {
  const deployments = createDeploymentCache(ports);
  return withTranslatedErrors<ControlActivities>(
    {
      openControl: (input) => whileHeartbeating(() => cancellable((signal) => openControl(ports, input, signal))),
      controlStep: ({ state }) =>
        whileHeartbeating(() => cancellable((signal) => step(ports, deployments, state, signal))),
      recordControlEvent: (event) => ports.store.control.addEvent({ ...event, at: ports.now() }),
      closeControl: (input) => whileHeartbeating(() => cancellable((signal) => closeControl(ports, input, signal))),
    },
    maximumDefectAttempts,
  );
}

async function cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { cancellationSignal: signal } = Context.current();
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? cancellationFailure() : error;
  }
}

async function openControl(
  ports: ControlPorts,
  { deployment, spec: input }: Parameters<ControlActivities['openControl']>[0],
  signal: AbortSignal,
): ReturnType<ControlActivities['openControl']> {
  const spec = ports.readDeployment(input);
  if (spec.name !== deployment) {
    const message = `name: found "${spec.name}"; allowed: "${deployment}", as the id of its workflow says`;
    throw new CoxswainError('SPEC_INVALID', message);
  }
  const { control, models, runs } = ports.store;
  const record = await openDeployment({ ...ports, store: control, models, runs }, spec, signal);
  const step = ((await control.latestDecision(deployment))?.step ?? -1) + 1;
  const at = ports.now();
  const { name, version } = record.model;
  const message = `Version ${version} of ${name} steers ${workloadsText(record)} of ${spec.target.namespace} (${spec.mode}).`;
  await control.addEvent({ deployment, step, at, kind: 'opened', alert: false, message });
  const { pausedOwners } = record;
  if (pausedOwners.length > 0) {
    const paused = `Paused ${ownersText(pausedOwners)}.`;
    await control.addEvent({ deployment, step, at, kind: 'owner-paused', alert: false, message: paused });
  }
  const intervalMs = Math.round(spec.intervalSeconds * 1000);
  return { mode: spec.mode, intervalMs, model: name, environment: record.environment.name, step };
}

/** How many workloads a deployment steers. */
function workloadsText({ services }: DeploymentRecord): string {
  const temporary = services.filter(({ comesAndGoes }) => comesAndGoes).length;
  const always = `${services.length - temporary} workloads`;
  return temporary === 0 ? always : `${always}, and ${temporary} that come and go,`;
}

async function step(
  ports: ControlPorts,
  deployments: DeploymentCache,
  state: ControlState,
  signal: AbortSignal,
): Promise<StepSummary> {
  const live = await deployments.get(state.deployment);
  return runControlStep({ ...ports, store: ports.store.control }, live, state, signal);
}

async function closeControl(
  ports: ControlPorts,
  { deployment, state, failure }: Parameters<ControlActivities['closeControl']>[0],
  signal: AbortSignal,
): Promise<void> {
  await ports.policies.release(deployment);
  await closeDeployment({ ...ports, store: ports.store.control }, deployment, state, failure, signal);
}

interface DeploymentCache {
  /** DEPLOYMENT_NOT_FOUND when it is not open. */
  get(name: string): Promise<LiveDeployment>;
}

/** What a deployment's steps compute with does not change while it is open: opened again, it has another moment of opening. */
function createDeploymentCache({ store, applicationOf }: ControlPorts): DeploymentCache {
  const found = new Map<string, LiveDeployment>();
  return {
    async get(name) {
      const record = await store.control.getDeployment(name);
      if (record === null || record.status !== 'running') {
        found.delete(name);
        throw new CoxswainError(
          'DEPLOYMENT_NOT_FOUND',
          `No deployment ${name} is open. \`coxswain deployments\` shows them.`,
        );
      }
      const known = found.get(name);
      if (known?.record.openedAt.getTime() === record.openedAt.getTime()) return known;
      const live = liveDeployment(record, await applicationOf(record.environment.name, record.twin));
      found.set(name, live);
      return live;
    },
  };
}

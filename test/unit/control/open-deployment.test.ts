import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { PausedOwner, ReplicaOwner } from '../../../src/contracts/cluster.ts';
import type { ControlState, DeploymentSpec } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { ErrorCode } from '../../../src/contracts/errors.ts';
import type { RunSpec } from '../../../src/contracts/run-spec.ts';
import type { RunReport } from '../../../src/contracts/runs.ts';
import { closeDeployment, openDeployment } from '../../../src/control/open-deployment.ts';
import { firstState } from '../../../src/domain/control/fallback-rules.ts';
import { newRun, reference, someSpec } from '../../contracts/store-fixtures.ts';
import { FakeCluster } from '../../fakes/fake-cluster.ts';
import { MemoryControlStore } from '../../fakes/memory-control-store.ts';
import { MemoryModelRegistry } from '../../fakes/memory-model-registry.ts';
import { MemoryRunStore } from '../../fakes/memory-run-store.ts';
import { application, deploymentRecord, graphApplication } from './control-bench.ts';

const { signal } = new AbortController();
const now = (): Date => new Date('2026-11-02T12:00:00Z');
const hpa = (pausable: boolean): ReplicaOwner => ({ kind: 'HorizontalPodAutoscaler', name: 'web-hpa', pausable });

let log: string[];
let cluster: FakeCluster;
let store: MemoryControlStore;
let models: MemoryModelRegistry;
let runs: MemoryRunStore;

/** Notes what is done to the cluster and to the store, in order. */
class NotingCluster extends FakeCluster {
  override async pauseOwner(workload: string): Promise<PausedOwner | null> {
    log.push(`pause ${workload}`);
    return super.pauseOwner(workload);
  }

  override async resumeOwner(owner: PausedOwner): Promise<void> {
    log.push(`resume ${owner.workload}`);
    return super.resumeOwner(owner);
  }
}

class NotingStore extends MemoryControlStore {
  override async openDeployment(record: Parameters<MemoryControlStore['openDeployment']>[0]): Promise<void> {
    log.push('open');
    return super.openDeployment(record);
  }

  override async recordPausedOwners(name: string, owners: readonly PausedOwner[]): Promise<void> {
    log.push(`record ${owners.map(({ workload }) => workload).join(', ')}`);
    return super.recordPausedOwners(name, owners);
  }
}

beforeEach(async () => {
  log = [];
  cluster = new NotingCluster(['shop/web', 'shop/db'], now);
  store = new NotingStore();
  models = new MemoryModelRegistry();
  runs = new MemoryRunStore();
  await register('run-1', 60);
});

/** A run that trained a version of the model `shop`, which becomes the champion. */
async function register(
  runId: string,
  hpaTargetPercent: number | null,
  digit = '1',
  environment: RunSpec['environment'] = { name: 'online-boutique', parameters: { actionBase: 'hpa' } },
): Promise<void> {
  await runs.createRun({ ...newRun(runId), spec: { ...someSpec, environment } });
  const evaluation = hpaTargetPercent === null ? null : { hpaTargetPercent };
  const report = { evaluation } as unknown as RunReport;
  const at = now();
  await runs.finishRun(runId, { status: 'completed', step: 'register', failure: null, report, at });
  const lineage = { runId } as Parameters<MemoryModelRegistry['registerVersion']>[0]['lineage'];
  const gate = { passed: true, reasons: [] };
  const version = { model: 'shop', policy: reference(digit), metadata: reference('2'), lineage, gate, at };
  const { version: to } = await models.registerVersion(version);
  await models.moveAlias({ model: 'shop', alias: 'champion', expected: to === 1 ? null : to - 1, to, runId, at });
}

function specOf(changes: Partial<DeploymentSpec> = {}): DeploymentSpec {
  return deploymentRecord(changes).spec;
}

const ports = () => ({
  store,
  models,
  runs,
  reader: cluster,
  actor: cluster,
  applicationOf: async () => application,
  now,
});
const open = (changes: Partial<DeploymentSpec> = {}) => openDeployment(ports(), specOf(changes), signal);
const close = (state: ControlState | null, failure: string | null = null) =>
  closeDeployment({ store, actor: cluster, now }, 'shop', state, failure, signal);
const stateOf = (changes: Partial<ControlState> = {}): ControlState => ({
  ...firstState('shop', 'live', 7),
  ...changes,
});

/** Opening is refused, for this reason, and leaves nothing behind. */
async function assertRefused(changes: Partial<DeploymentSpec>, code: ErrorCode, sentence: string): Promise<void> {
  const error = await open(changes).catch((reason: unknown) => reason);
  assert.ok(error instanceof CoxswainError, String(error));
  assert.equal(error.code, code);
  assert.equal(error.message, sentence);
  assert.deepEqual(log, []);
  assert.equal(await store.getDeployment('shop'), null);
}

test('a deployment is opened with what its steps need', async () => {
  const record = await open();
  assert.deepEqual(record, {
    ...deploymentRecord(),
    model: { name: 'shop', version: 1 },
    policy: reference('1'),
    environment: { name: 'online-boutique', parameters: { actionBase: 'hpa' } },
    hpaTargetPercent: 60,
    openedAt: now(),
  });
  assert.deepEqual(await store.getDeployment('shop'), record);
});

test('a version that says what it was trained for needs no run that is over', async () => {
  const { lineage, gate, policy, metadata } = (await models.getVersion('shop', 'champion'))!;
  const trainedFor = {
    environment: { name: 'twin', parameters: { maxChange: 2 } },
    twin: reference('9'),
    hpaTargetPercent: 40,
  };
  const going = { ...lineage, runId: 'still-running' };
  const version = { model: 'shop', policy, metadata, lineage: going, gate, trainedFor, at: now() };
  const { version: number } = await models.registerVersion(version);
  const record = await open({ model: { name: 'shop', version: number } });
  const { environment, twin, hpaTargetPercent } = record;
  assert.deepEqual({ environment, twin, hpaTargetPercent }, trainedFor);
});

test('services may be played by workloads of other names, under limits of their own', async () => {
  cluster.workloads.set('shop/postgres', { ...cluster.workloads.get('shop/db')! });
  const { guard, target } = specOf();
  const limits = { ...guard.limits, minReplicas: null, maxReplicas: null };
  const { services } = await open({
    target: { ...target, workloads: { db: 'postgres' } },
    guard: { ...guard, limits, services: { db: { maxReplicas: 3, maxStepUp: 1 } } },
  });
  assert.deepEqual(
    services.map(({ service, workload }) => [service, workload]),
    [
      ['web', 'shop/web'],
      ['db', 'shop/postgres'],
    ],
  );
  assert.deepEqual(services[0].limits, { ...limits, minReplicas: 1, maxReplicas: 12 }, 'those of the policy');
  assert.deepEqual(services[1].limits, { ...limits, minReplicas: 1, maxReplicas: 3, maxStepUp: 1 });
});

test('the target of the fallback is the spec’s before the calibrated one', async () => {
  const { fallback } = specOf();
  assert.equal((await open({ fallback: { ...fallback, hpaTargetPercent: 35 } })).hpaTargetPercent, 35);
});

test('a model, version or alias that is not there is refused', async () => {
  const unknown = (what: string) => `Model shop has no ${what}. \`coxswain models\` shows what there is.`;
  await assertRefused({ model: { name: 'shop', version: 9 } }, 'MODEL_NOT_FOUND', unknown('version 9'));
  await assertRefused({ model: { name: 'shop', version: 'beta' } }, 'MODEL_NOT_FOUND', unknown('alias beta'));
});

test('a policy whose run is gone is refused: nobody knows what it was trained for', async () => {
  runs = new MemoryRunStore();
  const sentence = 'Run run-1, which trained version 1 of shop, is not in the store, so its environment is not known.';
  await assertRefused({}, 'DEPLOYMENT_INVALID', sentence);
});

test('without a calibrated HPA the fallback’s target must be in the spec', async () => {
  await register('run-2', null);
  const sentence = 'Run run-2 calibrated no HPA for the fallback; set fallback.hpaTargetPercent.';
  await assertRefused({}, 'DEPLOYMENT_INVALID', sentence);
  const { fallback } = specOf();
  assert.equal((await open({ fallback: { ...fallback, hpaTargetPercent: 50 } })).hpaTargetPercent, 50);
});

test('names that the policy does not know are refused with the nearest one', async () => {
  const { target, guard } = specOf();
  const of = (path: string, given: string, nearest: string) =>
    `${path}: the policy has no service "${given}"; ${nearest}it has: web, db.`;
  await assertRefused(
    { target: { ...target, workloads: { wep: 'x' } } },
    'DEPLOYMENT_INVALID',
    of('target.workloads', 'wep', 'nearest: web; '),
  );
  await assertRefused(
    { guard: { ...guard, services: { webb: {} } } },
    'DEPLOYMENT_INVALID',
    of('guard.services', 'webb', 'nearest: web; '),
  );
  await assertRefused(
    { target: { ...target, entry: 'frontend' } },
    'DEPLOYMENT_INVALID',
    of('target.entry', 'frontend', ''),
  );
});

test('a graph opens without the services that come and go, and claims them all the same', async () => {
  await register('run-2', 60, '2', { name: 'service-graph', parameters: {} });
  const graphPorts = () => ({ ...ports(), applicationOf: async () => graphApplication });
  const record = await openDeployment(graphPorts(), specOf(), signal);
  assert.deepEqual(
    record.services.map(({ workload, kind, comesAndGoes }) => [workload, kind, comesAndGoes]),
    [
      ['shop/web', 'Deployment', undefined],
      ['shop/db', 'Deployment', undefined],
      ['shop/reviews', 'Deployment', true],
    ],
  );
  const other = openDeployment(graphPorts(), { ...specOf(), name: 'other' }, signal);
  await assert.rejects(other, (error) => error instanceof CoxswainError && error.code === 'WORKLOAD_CLAIMED');
  cluster.workloads.delete('shop/db');
  const third = openDeployment(graphPorts(), { ...specOf(), name: 'third' }, signal);
  await assert.rejects(third, /has no Deployment or StatefulSet for shop\/db; there are: web\./);
});

test('workloads that are not in the namespace are refused with those that are', async () => {
  cluster.workloads.delete('shop/db');
  const sentence = (missing: string, there: string) =>
    `The namespace shop has no Deployment or StatefulSet for ${missing}; there are: ${there}. Name the others in target.workloads.`;
  await assertRefused({}, 'DEPLOYMENT_INVALID', sentence('shop/db', 'web'));
  cluster.workloads.delete('shop/web');
  await assertRefused({}, 'DEPLOYMENT_INVALID', sentence('shop/web, shop/db', 'none'));
});

test('a workload that would play two services is refused', async () => {
  const { target } = specOf();
  const sentence = 'target.workloads: shop/web plays two services of the policy.';
  await assertRefused({ target: { ...target, workloads: { db: 'web' } } }, 'DEPLOYMENT_INVALID', sentence);
});

test('limits that contradict each other are refused', async () => {
  const { guard } = specOf();
  const sentence = 'guard: workloads[shop/db].maxReplicas: found 0; allowed: a whole number from minReplicas.';
  await assertRefused({ guard: { ...guard, services: { db: { maxReplicas: 0 } } } }, 'DEPLOYMENT_INVALID', sentence);
});

test('an owner of the replicas is refused, and named, unless it may be paused', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  const owned = 'shop/web is scaled by HorizontalPodAutoscaler web-hpa';
  await assertRefused({}, 'WORKLOAD_OWNED', `${owned}. Remove them, or set owners: pause.`);
  cluster.workloads.get('shop/db')!.owner = { kind: 'field-manager', name: 'argocd', pausable: false };
  await assertRefused(
    {},
    'WORKLOAD_OWNED',
    `${owned}; shop/db is scaled by field-manager argocd. They must be removed: not all of them can be paused.`,
  );
  await assertRefused(
    { owners: 'pause' },
    'WORKLOAD_OWNED',
    'shop/db is scaled by field-manager argocd. They must be removed: not all of them can be paused.',
  );
});

test('in shadow mode owners stay as they are', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  for (const owners of ['refuse', 'pause'] as const) {
    await open({ mode: 'shadow', owners });
    await close(stateOf({ mode: 'shadow' }));
  }
  assert.deepEqual(cluster.workloads.get('shop/web')!.owner, hpa(true));
  assert.deepEqual(log, ['open', 'open']);
});

test('owners are recorded before they are paused, after the workloads are claimed', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  cluster.workloads.get('shop/db')!.owner = { kind: 'ScaledObject', name: 'db-scaler', pausable: true };
  const { pausedOwners } = await open({ owners: 'pause' });
  assert.deepEqual(log, ['open', 'record shop/web', 'pause shop/web', 'record shop/db', 'pause shop/db']);
  assert.deepEqual(pausedOwners, [
    { workload: 'shop/web', kind: 'HorizontalPodAutoscaler', name: 'web-hpa' },
    { workload: 'shop/db', kind: 'ScaledObject', name: 'db-scaler' },
  ]);
});

test('an opening that was killed while it paused is completed by the next attempt, and undone by closing', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  cluster.workloads.get('shop/db')!.owner = { kind: 'ScaledObject', name: 'db-scaler', pausable: true };
  const pause = cluster.pauseOwner.bind(cluster);
  cluster.pauseOwner = async (workload) => {
    if (workload === 'shop/db') throw new Error('killed');
    return pause(workload);
  };
  await assert.rejects(open({ owners: 'pause' }), /killed/);
  assert.equal((await store.getDeployment('shop'))?.pausedOwners.length, 2);
  cluster.pauseOwner = pause;
  const { pausedOwners } = await open({ owners: 'pause' });
  assert.deepEqual(cluster.paused, ['shop/web', 'shop/db']);
  assert.equal(pausedOwners.length, 2);
  await close(null, 'WORKLOAD_OWNED: planted');
  assert.deepEqual(cluster.workloads.get('shop/web')!.owner, hpa(true));
  assert.equal(cluster.workloads.get('shop/db')!.owner?.name, 'db-scaler');
});

test('a second attempt keeps what the first one recorded, although the alias has moved on', async () => {
  const first = await open();
  await register('run-2', 80, '3');
  assert.deepEqual(await open(), first);
});

test('a workload that another deployment claims is refused, and given free by its end', async () => {
  await open();
  const other = openDeployment(ports(), { ...specOf(), name: 'other' }, signal);
  await assert.rejects(other, (error) => error instanceof CoxswainError && error.code === 'WORKLOAD_CLAIMED');
  const changed = open({ intervalSeconds: 30 });
  await assert.rejects(changed, (error) => error instanceof CoxswainError && error.code === 'DEPLOYMENT_CONFLICT');
  await close(stateOf());
  assert.equal((await openDeployment(ports(), { ...specOf(), name: 'other' }, signal)).name, 'other');
});

test('what the environment or the cluster refuses, opening refuses', async () => {
  const applicationOf = async (): Promise<never> => {
    throw new CoxswainError('ENVIRONMENT_INVALID', 'cart-pole cannot be steered live.');
  };
  await assert.rejects(openDeployment({ ...ports(), applicationOf }, specOf(), signal), /cannot be steered live/);
  cluster.away = true;
  await assert.rejects(open(), (error) => error instanceof CoxswainError && error.code === 'CLUSTER_UNAVAILABLE');
  assert.equal(await store.getDeployment('shop'), null);
});

// Closing.

const eventsOf = async (): Promise<[string, boolean, string][]> =>
  (await store.listEvents('shop')).map(({ kind, alert, message }) => [kind, alert, message]);

test('closing resumes paused owners, says so, and ends the deployment', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  await open({ owners: 'pause' });
  assert.equal(cluster.workloads.get('shop/web')!.owner, null);
  await close(stateOf());
  assert.deepEqual(cluster.workloads.get('shop/web')!.owner, hpa(true));
  const { status, closedAt, failure } = (await store.getDeployment('shop'))!;
  assert.deepEqual([status, closedAt, failure], ['stopped', now(), null]);
  assert.deepEqual(
    new Set(await eventsOf()),
    new Set([
      ['owner-resumed', false, 'Resumed HorizontalPodAutoscaler web-hpa.'],
      ['stopped', false, 'The loop was stopped.'],
    ]),
  );
});

test('a failure is an alert and stays in the record', async () => {
  await open();
  await close(stateOf(), 'INTERNAL: planted');
  const { status, failure } = (await store.getDeployment('shop'))!;
  assert.deepEqual([status, failure], ['failed', 'INTERNAL: planted']);
  assert.deepEqual(await eventsOf(), [['failed', true, 'INTERNAL: planted']]);
});

test('closing again, or what was never opened, changes nothing', async () => {
  await close(null);
  assert.equal(await store.getDeployment('shop'), null);
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  await open({ owners: 'pause' });
  await close(stateOf());
  const [ended, events] = [await store.getDeployment('shop'), await eventsOf()];
  log.length = 0;
  await close(stateOf({ step: 9 }), 'INTERNAL: too late');
  assert.deepEqual([await store.getDeployment('shop'), await eventsOf(), log], [ended, events, []]);
});

test('closing while the API server is away leaves the deployment open, and works when it is repeated', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  await open({ owners: 'pause' });
  cluster.away = true;
  await assert.rejects(
    close(stateOf()),
    (error) => error instanceof CoxswainError && error.code === 'CLUSTER_UNAVAILABLE',
  );
  assert.equal((await store.getDeployment('shop'))?.status, 'running');
  assert.deepEqual(await eventsOf(), []);
  cluster.away = false;
  await close(stateOf());
  assert.deepEqual(cluster.workloads.get('shop/web')!.owner, hpa(true));
  assert.equal((await store.getDeployment('shop'))?.status, 'stopped');
});

test('trouble with one owner does not keep the others from being resumed', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  cluster.workloads.get('shop/db')!.owner = { kind: 'ScaledObject', name: 'db-scaler', pausable: true };
  await open({ owners: 'pause' });
  const resume = cluster.resumeOwner.bind(cluster);
  cluster.resumeOwner = async (owner) => {
    if (owner.workload === 'shop/web') throw new CoxswainError('CLUSTER_REFUSED', 'planted 403');
    return resume(owner);
  };
  await assert.rejects(close(stateOf()), (error) => error instanceof CoxswainError && error.code === 'CLUSTER_REFUSED');
  assert.equal(cluster.workloads.get('shop/db')!.owner?.name, 'db-scaler');
  assert.equal((await store.getDeployment('shop'))?.status, 'running');
});

const native = { fallback: { ...specOf().fallback, controller: 'native' as const } };

test('a native fallback leaves autoscalers behind, so that nothing is without a controller', async () => {
  await open(native);
  await close(stateOf());
  assert.deepEqual(cluster.autoscalers, new Set(['shop/web', 'shop/db']));
});

test('where somebody owned a workload, the owner comes back in the place of our autoscaler', async () => {
  cluster.workloads.get('shop/web')!.owner = hpa(true);
  await open({ ...native, owners: 'pause' });
  cluster.autoscalers.add('shop/web').add('shop/db');
  await close(stateOf({ nativeAutoscalers: true }));
  assert.deepEqual(cluster.workloads.get('shop/web')!.owner, hpa(true));
  assert.deepEqual(cluster.autoscalers, new Set(['shop/db']));
});

test('autoscalers of ours go with a deployment that ends in shadow mode, or was never opened', async () => {
  await open({ ...native, mode: 'shadow' });
  cluster.autoscalers.add('shop/web').add('shop/db');
  await close(stateOf({ mode: 'shadow', nativeAutoscalers: true }));
  assert.deepEqual(cluster.autoscalers, new Set());
  await open(native);
  await close(null, 'CLUSTER_REFUSED: planted');
  assert.deepEqual(cluster.autoscalers, new Set());
});

test('autoscalers that cannot be put there keep the deployment open', async () => {
  await open(native);
  cluster.away = true;
  await assert.rejects(close(stateOf()), /autoscaler of shop\/web: .*autoscaler of shop\/db: /);
  assert.equal((await store.getDeployment('shop'))?.status, 'running');
});

test('where the right to put them there is missing, that is said at once and not tried for ever', async () => {
  await open(native);
  cluster.putAutoscaler = () => Promise.reject(new CoxswainError('CLUSTER_REFUSED', 'planted 403'));
  await assert.rejects(close(stateOf()), { code: 'CLUSTER_REFUSED', message: /shop\/web: planted 403.*shop\/db/ });
  assert.equal((await store.getDeployment('shop'))?.status, 'running');
});

test('closing with our own HPA as the fallback touches no autoscaler', async () => {
  await open();
  await close(stateOf());
  assert.deepEqual(cluster.autoscalers, new Set());
});

const placing = (changes: object = {}) => ({
  placement: { nodes: {}, leaveCordoned: true, movesPerStep: 1, coolDownSeconds: 60, ...changes },
});

test('a deployment that places is opened with its nodes, and places nothing yet', async () => {
  cluster.nodes.set('node-1', { ready: true, unschedulable: true });
  const { spec } = await open(placing({ nodes: { web: ['node-0', 'node-1'] } }));
  assert.deepEqual(spec.placement?.nodes, { web: ['node-0', 'node-1'] });
  await close(null, 'CLUSTER_REFUSED: planted');
  assert.deepEqual([cluster.placements, cluster.evicted], [[], []], 'nor is anything left behind');
});

test('services and nodes of a placement that are not there are refused with the nearest ones', async () => {
  cluster.nodes.set('node-1', { ready: true, unschedulable: false });
  await assertRefused(
    placing({ nodes: { wep: ['node-1'] } }),
    'DEPLOYMENT_INVALID',
    'placement.nodes: the policy has no service "wep"; nearest: web; it has: web, db.',
  );
  await assertRefused(
    placing({ nodes: { web: ['node-1', 'mode-1'] } }),
    'DEPLOYMENT_INVALID',
    'placement.nodes.web: the cluster has no node "mode-1"; nearest: node-1; it has: node-0, node-1.',
  );
  for (let i = 2; i < 30; i++) cluster.nodes.set(`node-${i}`, { ready: true, unschedulable: false });
  await assert.rejects(open(placing({ nodes: { db: ['elsewhere'] } })), /node-19 and 10 more\.$/);
});

test('without the right to list nodes there is no placement, and that is said at once', async () => {
  const reason = 'the right to list nodes for the whole cluster is missing';
  cluster.gaps = [{ what: 'nodes', code: 'CLUSTER_REFUSED', reason }];
  await assertRefused(placing(), 'CLUSTER_REFUSED', `placement: the nodes could not be read: ${reason}`);
  await open();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createControlActivities } from '../../activities/control.ts';
import type { ControlPorts } from '../../activities/ports.ts';
import type { ClusterState } from '../../src/contracts/cluster.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type { RunReport } from '../../src/contracts/runs.ts';
import { firstState } from '../../src/domain/control/fallback-rules.ts';
import { newRun, reference, someSpec } from '../contracts/store-fixtures.ts';
import { FakeCluster } from '../fakes/fake-cluster.ts';
import { createMemoryStore } from '../fakes/memory-store.ts';
import { application, deploymentRecord, FakeMetrics, FakePolicy } from '../unit/control/control-bench.ts';

const { spec } = deploymentRecord();

/** The activities on fakes, with a model `shop` in the registry. */
async function createBench(overrides: Partial<ControlPorts> = {}) {
  let timeMs = Date.UTC(2026, 10, 2, 12);
  const now = (): Date => new Date((timeMs += 15_000));
  const store = createMemoryStore();
  const cluster = new FakeCluster(['shop/web', 'shop/db'], now);
  const policies = new FakePolicy();
  const ports: ControlPorts = {
    store,
    reader: cluster,
    actor: cluster,
    snapshots: new FakeMetrics(),
    policies,
    readDeployment: (input) => ({ ...spec, ...(input as object) }),
    applicationOf: async () => application,
    now,
    ...overrides,
  };
  const environment = { name: 'online-boutique', parameters: {} };
  await store.runs.createRun({ ...newRun('run-1'), spec: { ...someSpec, environment } });
  const report = { evaluation: { hpaTargetPercent: 50 } } as unknown as RunReport;
  const at = now();
  await store.runs.finishRun('run-1', { status: 'completed', step: 'register', failure: null, report, at });
  const lineage = { runId: 'run-1' } as Parameters<typeof store.models.registerVersion>[0]['lineage'];
  const gate = { passed: true, reasons: [] };
  const files = { policy: reference('1'), metadata: reference('2') };
  await store.models.registerVersion({ model: 'shop', ...files, lineage, gate, at });
  await store.models.moveAlias({ model: 'shop', alias: 'champion', expected: null, to: 1, runId: 'run-1', at });
  const mock = new MockActivityEnvironment();
  const call = <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> => mock.run(activity, input);
  const activities = createControlActivities(ports);
  const steps = async (from: number, count: number): Promise<void> => {
    for (let step = from; step < from + count; step++) {
      await call(activities.controlStep, { state: firstState('shop', 'live', step) });
    }
  };
  return { store, cluster, policies, mock, call, activities, steps };
}

const failure = (type: string, nonRetryable: boolean) => (error: unknown) => {
  assert.ok(error instanceof ApplicationFailure, String(error));
  assert.deepEqual([error.type, error.nonRetryable], [type, nonRetryable]);
  return true;
};

test('opening gives the loop what it needs, and says who steers what', async () => {
  const { store, call, activities } = await createBench();
  assert.deepEqual(await call(activities.openControl, { deployment: 'shop', spec: {} }), {
    mode: 'live',
    intervalMs: 15_000,
    model: 'shop',
    environment: 'online-boutique',
    step: 0,
  });
  const [{ kind, message, alert }] = await store.control.listEvents('shop');
  assert.deepEqual([kind, message, alert], ['opened', 'Version 1 of shop steers 2 workloads of shop (live).', false]);
});

test('paused owners are an event', async () => {
  const { store, cluster, call, activities } = await createBench();
  cluster.workloads.get('shop/web')!.owner = { kind: 'ScaledObject', name: 'web-scaler', pausable: true };
  await call(activities.openControl, { deployment: 'shop', spec: { owners: 'pause' } });
  const messages = (await store.control.listEvents('shop')).map(({ message }) => message);
  assert.ok(messages.includes('Paused ScaledObject web-scaler of shop/web.'), messages.join(' '));
});

test('a deployment that is opened again goes on counting its steps', async () => {
  const { store, call, activities, steps } = await createBench();
  await call(activities.openControl, { deployment: 'shop', spec: {} });
  await steps(0, 3);
  await call(activities.closeControl, { deployment: 'shop', state: firstState('shop', 'live', 3), failure: null });
  assert.equal((await call(activities.openControl, { deployment: 'shop', spec: {} })).step, 3);
  await steps(3, 1);
  const decisions = await store.control.readDecisions({ deployment: 'shop' });
  assert.deepEqual(
    decisions.map(({ step }) => step),
    [0, 1, 2, 3],
  );
});

test('a deployment that is opened again with another spec is steered by that one', async () => {
  const { store, policies, call, activities, steps } = await createBench();
  policies.action = () => [1, 1];
  await call(activities.openControl, { deployment: 'shop', spec: {} });
  await steps(0, 1);
  await call(activities.closeControl, { deployment: 'shop', state: firstState('shop', 'live', 1), failure: null });
  const guard = { ...spec.guard, frozen: [{ days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 0, toMinute: 1440 }] };
  await call(activities.openControl, { deployment: 'shop', spec: { guard } });
  await steps(1, 1);
  const reasons = (step: number) =>
    store.control.getDecision('shop', step).then((decision) => decision!.guarded.map((one) => one.reasons[0]?.reason));
  assert.ok(!(await reasons(0)).includes('frozen'));
  assert.deepEqual(new Set(await reasons(1)), new Set(['frozen']));
});

test('a spec with another name than the loop’s is refused', async () => {
  const { store, call, activities } = await createBench();
  const opened = call(activities.openControl, { deployment: 'other', spec: {} });
  await assert.rejects(opened, (error) => {
    assert.ok(error instanceof ApplicationFailure);
    assert.equal(error.message, 'name: found "shop"; allowed: "other", as the id of its workflow says');
    return failure('SPEC_INVALID', true)(error);
  });
  assert.equal(await store.control.getDeployment('shop'), null);
});

test('a step of a deployment that is not open is refused for good', async () => {
  const { activities, call, steps } = await createBench();
  await assert.rejects(steps(0, 1), failure('DEPLOYMENT_NOT_FOUND', true));
  await call(activities.openControl, { deployment: 'shop', spec: {} });
  await steps(0, 1);
  await call(activities.closeControl, { deployment: 'shop', state: firstState('shop', 'live', 1), failure: null });
  await assert.rejects(steps(1, 1), failure('DEPLOYMENT_NOT_FOUND', true));
});

test('an outage of the cluster is waited for when a loop is opened', async () => {
  const { cluster, call, activities } = await createBench();
  cluster.away = true;
  const opened = call(activities.openControl, { deployment: 'shop', spec: {} });
  await assert.rejects(opened, failure('CLUSTER_UNAVAILABLE', false));
});

test('closing ends the policy’s process before it hands the workloads over', async () => {
  const order: string[] = [];
  const { cluster, policies, store, call, activities } = await createBench();
  policies.release = async () => void order.push('release');
  cluster.resumeOwner = async ({ workload }) => void order.push(`resume ${workload}`);
  cluster.workloads.get('shop/web')!.owner = { kind: 'ScaledObject', name: 'web-scaler', pausable: true };
  await call(activities.openControl, { deployment: 'shop', spec: { owners: 'pause' } });
  await call(activities.closeControl, { deployment: 'shop', state: firstState('shop', 'live', 0), failure: null });
  assert.deepEqual(order, ['release', 'resume shop/web']);
  assert.equal((await store.control.getDeployment('shop'))?.status, 'stopped');
});

test('a change that somebody asked for is recorded once, with its moment', async () => {
  const { store, call, activities } = await createBench();
  const change = { deployment: 'shop', step: 4, kind: 'paused' as const, message: 'Somebody paused it.', alert: false };
  await call(activities.recordControlEvent, change);
  await call(activities.recordControlEvent, change);
  const events = await store.control.listEvents('shop');
  assert.equal(events.length, 1);
  assert.deepEqual(events[0], { ...change, at: events[0].at });
  assert.ok(events[0].at instanceof Date);
});

test('a step that is cancelled while it observes is cancelled, and records nothing', async () => {
  const bench = await createBench();
  await bench.call(bench.activities.openControl, { deployment: 'shop', spec: {} });
  bench.cluster.read = (...[, signal]: [unknown?, AbortSignal?]): Promise<ClusterState> =>
    new Promise((_, reject) => {
      signal!.addEventListener('abort', () => reject(new CoxswainError('CLUSTER_UNAVAILABLE', 'aborted')));
      bench.mock.cancel();
    });
  await assert.rejects(bench.steps(0, 1), (error) => error instanceof CancelledFailure);
  assert.equal(await bench.store.control.getDecision('shop', 0), null);
});

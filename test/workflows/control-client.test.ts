import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCoxswainClient } from '../../src/client/coxswain-client.ts';
import type { CoxswainClient } from '../../src/client/coxswain-client.ts';
import type { ControlActivities } from '../../src/contracts/control.ts';
import { controlWorkflowId } from '../../src/contracts/pipeline.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { createMemoryStore } from '../fakes/memory-store.ts';
import { fakeControlActivities, serveControl } from './control-fixture.ts';
import type { ControlCalls } from './control-fixture.ts';
import { openWorkflowServer, stopWorkers } from './workflow-server.ts';
import type { RunningWorkers, WorkflowServer } from './workflow-server.ts';

/*
 * The SDK against the real workflow on a real Temporal server. The activities are played; what they leave in the store is
 * not looked at here (test/unit/client/deployments.test.ts).
 */

let server: WorkflowServer;
let client: CoxswainClient;
const running: RunningWorkers[] = [];

before(async () => {
  server = await openWorkflowServer();
  const limits = { callTimeoutMs: 4_000, queryTimeoutMs: 2_000 };
  client = createCoxswainClient({ temporal: server.client, store: createMemoryStore(), ...limits });
});
afterEach(() => stopWorkers(running));
after(() => server.close());

const specOf = (name: string) => ({ version: 1, name, model: { name: 'm' }, target: { namespace: 'n' } });

async function serve(overrides: Partial<ControlActivities> = {}): Promise<ControlCalls> {
  const calls: ControlCalls = [];
  running.push(await serveControl(server, fakeControlActivities(calls, overrides)));
  return calls;
}

async function untilStatus(name: string, wanted: string): Promise<void> {
  while ((await client.deployments.status(name)).status !== wanted) await sleep(20);
}

test(
  'a deployment is opened once, steered and stopped, and opened again after its end',
  { timeout: 60_000 },
  async () => {
    const calls = await serve();
    const name = uniqueName('d');
    const { deployments } = client;
    const opened = await Promise.all([1, 2, 3].map(() => deployments.open(specOf(name))));
    assert.deepEqual(opened.map(({ created }) => created).sort(), [false, false, true]);
    await assert.rejects(deployments.open({ ...specOf(name), owners: 'pause' }), { code: 'DEPLOYMENT_CONFLICT' });
    await untilStatus(name, 'running');
    assert.equal((await deployments.setMode(name, 'shadow')).mode, 'shadow');
    assert.equal((await deployments.fallBack(name, 'it flaps')).fallback?.detail, 'it flaps');
    const paused = await deployments.pause(name);
    assert.deepEqual([paused.status, paused.paused], ['paused', true]);
    const resumed = await deployments.resume(name);
    assert.deepEqual([resumed.status, resumed.fallback], ['running', null]);
    assert.equal((await deployments.status(name)).loop?.mode, 'shadow');
    await deployments.stop(name);
    await untilStatus(name, 'stopped');
    assert.ok(calls.includes('closeControl stopped'));
    assert.equal((await deployments.stop(name)).status, 'stopped');
    await assert.rejects(deployments.pause(name), { code: 'DEPLOYMENT_NOT_RUNNING' });
    assert.equal((await deployments.open({ ...specOf(name), owners: 'pause' })).created, true);
    await untilStatus(name, 'running');
    await deployments.stop(name);
  },
);

test('what could not be opened is failed, and says why', { timeout: 60_000 }, async () => {
  const { ApplicationFailure } = await import('@temporalio/common');
  await serve({
    openControl: () =>
      Promise.reject(
        ApplicationFailure.nonRetryable('n/web is scaled by HorizontalPodAutoscaler web.', 'WORKLOAD_OWNED'),
      ),
  });
  const name = uniqueName('d');
  await client.deployments.open(specOf(name));
  await untilStatus(name, 'failed');
  assert.match((await client.deployments.status(name)).failure ?? '', /n\/web is scaled by HorizontalPodAutoscaler/);
});

test('a loop that is still being opened refuses changes, but can be stopped', { timeout: 60_000 }, async () => {
  let letIn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (letIn = resolve));
  await serve({
    openControl: async () => {
      await gate;
      return { mode: 'live', intervalMs: 20, model: 'm', environment: 'online-boutique', step: 0 };
    },
  });
  const name = uniqueName('d');
  await client.deployments.open(specOf(name));
  await untilStatus(name, 'opening');
  await assert.rejects(client.deployments.pause(name), {
    code: 'DEPLOYMENT_NOT_RUNNING',
    message: /being opened/,
  });
  await client.deployments.stop(name);
  letIn();
  await untilStatus(name, 'stopped');
});

test(
  'without a worker changes end in bounded time, and the status is what Temporal knows',
  { timeout: 60_000 },
  async () => {
    const name = uniqueName('d');
    await client.deployments.open(specOf(name));
    const before = performance.now();
    await assert.rejects(client.deployments.pause(name), { code: 'TEMPORAL_UNAVAILABLE', message: /may still happen/ });
    assert.ok(performance.now() - before < 10_000);
    const { status, loop } = await client.deployments.status(name);
    assert.deepEqual([status, loop], ['opening', null]);
    await server.client.workflow.getHandle(controlWorkflowId(name)).terminate('end of the test');
  },
);

test('loops that only Temporal knows are in the list', { timeout: 60_000 }, async () => {
  await serve();
  const name = uniqueName('d');
  await client.deployments.open(specOf(name));
  // Temporal's list lags.
  while (!(await client.deployments.list()).some((deployment) => deployment.name === name)) await sleep(100);
  await client.deployments.stop(name);
});

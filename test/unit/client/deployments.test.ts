import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOn } from '../../../src/client/coxswain-client.ts';
import { parseDeploymentSpec } from '../../../src/spec/deployment-spec.ts';
import { someDecision, someDeployment, someSummary } from '../../contracts/control-fixtures.ts';
import { moment } from '../../contracts/store-fixtures.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';
import { FakeControlEngine } from './fake-control-engine.ts';
import { FakeRunEngine } from './fake-run-engine.ts';

const rawSpec = { version: 1, name: 'shop', model: { name: 'boutique' }, target: { namespace: 'shop' } };
const spec = parseDeploymentSpec(rawSpec);

function setUp() {
  const engine = new FakeControlEngine();
  const store = createMemoryStore();
  const { deployments } = clientOn(new FakeRunEngine(), engine, store);
  /** Plays the loop's opening. */
  const opened = async (name = 'shop', seconds = 0): Promise<void> => {
    await store.control.openDeployment({ ...someDeployment(name, [name], seconds), spec: { ...spec, name } });
    const loop = engine.loops.get(name);
    if (loop) loop.status = { ...loop.status, status: 'running' };
  };
  return { engine, store, deployments, opened };
}

test('a deployment is opened with the normalised spec, once', async () => {
  const { engine, deployments } = setUp();
  const opened = await Promise.all([1, 2, 3].map(() => deployments.open(rawSpec)));
  assert.deepEqual(opened.map(({ created }) => created).sort(), [false, false, true]);
  assert.match(opened[0]!.specSha256, /^[0-9a-f]{64}$/);
  assert.deepEqual(engine.loops.get('shop')?.input, { spec });
});

test('another spec under the name of a running deployment is a conflict, by the memo, the input and the record', async () => {
  for (const start of ['memo', 'input', 'record'] as const) {
    const { engine, deployments, opened } = setUp();
    if (start === 'memo') await deployments.open(rawSpec);
    else engine.startBare('shop', start === 'input' ? { spec: rawSpec } : { resume: {} });
    if (start === 'record') await opened();
    await assert.rejects(deployments.open({ ...rawSpec, mode: 'live' }), { code: 'DEPLOYMENT_CONFLICT' }, start);
    assert.equal((await deployments.open(rawSpec)).created, false, start);
  }
});

test('after its end a deployment is opened again, also with another spec', async () => {
  const { engine, deployments } = setUp();
  await deployments.open(rawSpec);
  engine.end('shop', 'completed');
  assert.equal((await deployments.open({ ...rawSpec, mode: 'live' })).created, true);
});

test('a bad spec opens nothing', async () => {
  const { engine, deployments } = setUp();
  await assert.rejects(deployments.open({ ...rawSpec, mod: 'live' }), { code: 'SPEC_INVALID' });
  assert.equal(engine.loops.size, 0);
});

test('the status is the loop’s own answer, and what the store has when no worker answers', async () => {
  const { engine, deployments, opened } = setUp();
  await assert.rejects(deployments.status('shop'), { code: 'DEPLOYMENT_NOT_FOUND' });
  await deployments.open(rawSpec);
  assert.deepEqual(await statusOf(deployments, 'shop'), ['opening', null, null]);
  await opened();
  const paused = await deployments.pause('shop');
  assert.equal(paused.paused, true);
  assert.deepEqual(await statusOf(deployments, 'shop'), ['paused', 'running', null]);
  engine.worker = false;
  assert.deepEqual(await statusOf(deployments, 'shop'), ['running', 'running', null]);
  assert.equal((await deployments.status('shop')).loop, null);
});

test('a deployment that could not be opened says why, also when there is a record of an earlier one', async () => {
  const { engine, store, deployments, opened } = setUp();
  await deployments.open(rawSpec);
  engine.end('shop', 'failed', 'shop/frontend is scaled by HorizontalPodAutoscaler web.');
  const failure = 'shop/frontend is scaled by HorizontalPodAutoscaler web.';
  assert.deepEqual(await statusOf(deployments, 'shop'), ['failed', null, failure]);
  await opened();
  await store.control.closeDeployment('shop', { status: 'stopped', failure: null, at: moment(5) });
  assert.deepEqual(await statusOf(deployments, 'shop'), ['failed', 'stopped', failure]);
  await store.control.openDeployment({ ...someDeployment('shop', ['shop']), spec });
  await store.control.closeDeployment('shop', { status: 'failed', failure: 'gave up', at: new Date() });
  assert.deepEqual(await statusOf(deployments, 'shop'), ['failed', 'failed', 'gave up']);
});

test('a loop that was terminated is lost, and stopping it starts one that cleans up', async () => {
  const { engine, deployments, opened } = setUp();
  await deployments.open(rawSpec);
  await opened();
  engine.end('shop', 'terminated', 'by mistake');
  const [status, stored, failure] = await statusOf(deployments, 'shop');
  assert.deepEqual([status, stored], ['lost', 'running']);
  assert.match(failure!, /terminated \(by mistake\).*Stop the deployment/);
  await assert.rejects(deployments.pause('shop'), { code: 'DEPLOYMENT_NOT_RUNNING' });
  assert.equal((await deployments.stop('shop')).status, 'stopping');
  assert.deepEqual(engine.loops.get('shop')?.input, { spec });
  assert.deepEqual(engine.changes.at(-1)?.change, { kind: 'stop' });
});

test('changes reach the loop; what is over or unknown cannot be changed, but stopped again', async () => {
  const { engine, store, deployments, opened } = setUp();
  for (const change of [deployments.pause, deployments.resume, deployments.stop]) {
    await assert.rejects(change('shop'), { code: 'DEPLOYMENT_NOT_FOUND' });
  }
  await deployments.open(rawSpec);
  await assert.rejects(deployments.setMode('shop', 'live'), { code: 'DEPLOYMENT_NOT_RUNNING' });
  await opened();
  assert.equal((await deployments.setMode('shop', 'live')).mode, 'live');
  await assert.rejects(deployments.setMode('shop', 'canary' as 'live'), { code: 'REQUEST_INVALID' });
  assert.equal((await deployments.fallBack('shop', 'it flaps')).fallback?.detail, 'it flaps');
  assert.equal((await deployments.resume('shop')).fallback, null);
  assert.equal((await deployments.stop('shop')).status, 'stopping');
  await store.control.closeDeployment('shop', { status: 'stopped', failure: null, at: new Date() });
  engine.end('shop', 'completed');
  await assert.rejects(deployments.resume('shop'), {
    code: 'DEPLOYMENT_NOT_RUNNING',
    message: /is stopped.*Open it again/,
  });
  assert.equal((await deployments.stop('shop')).status, 'stopped');
});

test('another kind of workflow under the id is no deployment', async () => {
  const { engine, deployments } = setUp();
  engine.startBare('shop', {}, 'somethingElse');
  await assert.rejects(deployments.status('shop'), { code: 'DEPLOYMENT_NOT_FOUND' });
  await assert.rejects(deployments.open(rawSpec), { code: 'DEPLOYMENT_CONFLICT' });
});

test('the list has those that go on first, also those that are only in Temporal', async () => {
  const { store, deployments, opened } = setUp();
  await opened('old', 0);
  await store.control.closeDeployment('old', { status: 'stopped', failure: null, at: moment(9) });
  for (const name of ['first', 'second', 'new']) await deployments.open({ ...rawSpec, name });
  await opened('first', 10);
  await opened('second', 20);
  const listed = (await deployments.list()).map(({ name, status }) => [name, status]);
  assert.deepEqual(listed, [
    ['new', 'opening'],
    ['second', 'running'],
    ['first', 'running'],
    ['old', 'stopped'],
  ]);
});

test('decisions are read from a step on or from the end', async () => {
  const { store, deployments, opened } = setUp();
  await assert.rejects(deployments.decisions('shop'), { code: 'DEPLOYMENT_NOT_FOUND' });
  await opened();
  assert.deepEqual(await deployments.decisions('shop', { last: 3 }), []);
  for (const step of [0, 1, 2, 4, 5]) await store.control.writeDecision(someDecision('shop', step));
  await store.control.completeDecision('shop', 5, { result: [], summary: someSummary('shop', 5) });
  const steps = async (request?: object): Promise<number[]> =>
    (await deployments.decisions('shop', request)).map(({ step }) => step);
  assert.deepEqual(await steps(), [0, 1, 2, 4, 5]);
  assert.deepEqual(await steps({ afterStep: 1, limit: 2 }), [2, 4]);
  assert.deepEqual(await steps({ last: 2 }), [4, 5]);
  await assert.rejects(deployments.decisions('shop', { last: 0 }), { code: 'REQUEST_INVALID' });
});

test('events are read, also of a deployment that is only just being opened', async () => {
  const { store, deployments, opened } = setUp();
  await assert.rejects(deployments.events('shop'), { code: 'DEPLOYMENT_NOT_FOUND' });
  await deployments.open(rawSpec);
  assert.deepEqual(await deployments.events('shop'), []);
  await opened();
  const event = { deployment: 'shop', step: 0, at: moment(0), kind: 'opened', alert: false, message: '' } as const;
  await store.control.addEvent(event);
  assert.deepEqual(await deployments.events('shop'), [event]);
});

test('a Temporal that is away is said by every call that needs it', async () => {
  const { engine, deployments, opened } = setUp();
  await opened();
  engine.down = true;
  for (const call of [
    deployments.open(rawSpec),
    deployments.status('shop'),
    deployments.list(),
    deployments.stop('shop'),
  ]) {
    await assert.rejects(call, { code: 'TEMPORAL_UNAVAILABLE' });
  }
  assert.deepEqual(await deployments.decisions('shop'), []);
});

async function statusOf(
  deployments: ReturnType<typeof setUp>['deployments'],
  name: string,
): Promise<readonly [string, string | null, string | null]> {
  const { status, record, failure } = await deployments.status(name);
  return [status, record?.status ?? null, failure];
}

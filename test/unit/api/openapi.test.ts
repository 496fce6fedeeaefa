import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signWebhook } from '../../../src/api/webhook-operation.ts';
import { someDecision, someDeployment, someSummary } from '../../contracts/control-fixtures.ts';
import { sampleProgress } from '../cli/sample-run.ts';
import { hash, rawSpec, startApiFixture } from './api-fixture.ts';
import type { ApiFixture } from './api-fixture.ts';
import { assertAnnounced, assertFits } from './openapi-answers.ts';

const secret = 'a-secret-of-ci-systems';
let api: ApiFixture;

before(async () => {
  api = await startApiFixture({ webhookSecret: secret });
  await api.addRun('going');
  api.engine.answer('going', sampleProgress);
  await api.addRun('done');
  await api.finishRun('done');
  await api.store.metrics.appendPoints([
    { runId: 'going', series: 'train/seed-1', step: 10, at: new Date(), values: { loss: 0.5 } },
  ]);
  const artifact = { sha256: 'a'.repeat(64), bytes: 3 };
  const lineage = { runId: 'done', recordingSha256: 'b', gitSha: null, specSha256: hash, seed: 1, step: 1 };
  await api.store.models.registerVersion({
    model: 'scaler',
    policy: artifact,
    metadata: artifact,
    lineage: { ...lineage, weightsSha256: 'c', versions: { node: '24' } },
    gate: { passed: true, reasons: ['better'] },
    at: new Date(),
  });
  const move = { model: 'scaler', alias: 'champion', expected: null, to: 1, runId: 'done', at: new Date() };
  await api.store.models.moveAlias(move);
  await addDeployments(api);
});
after(() => api.close());

/** One that goes on with decisions and events, one that is over, and one whose loop was terminated. */
async function addDeployments({ store, control }: ApiFixture): Promise<void> {
  for (const name of ['going', 'over', 'lost']) {
    await store.control.openDeployment(someDeployment(name, [name]));
    control.startBare(name, { spec: someDeployment(name, [name]).spec });
  }
  const loop = control.loops.get('going')!;
  loop.status = { ...loop.status, status: 'running', last: someSummary('going', 1) };
  for (const step of [0, 1]) await store.control.writeDecision(someDecision('going', step));
  const result = [{ workload: 'shop/going', outcome: 'scaled', replicas: 4, detail: '' }] as const;
  await store.control.completeDecision('going', 0, { result, summary: someSummary('going', 0) });
  const event = { deployment: 'going', step: 0, at: new Date(), kind: 'opened', alert: false, message: '' } as const;
  await store.control.addEvent(event);
  await store.control.closeDeployment('over', { status: 'failed', failure: 'gave up', at: new Date() });
  control.end('over', 'completed');
  control.end('lost', 'terminated');
}

test('every answer of every operation is one that the document announces', async () => {
  const document = api.api.document;
  const seen = new Set<string>();
  const expect = async (
    method: 'get' | 'post',
    path: string,
    url: string,
    status: number,
    send?: () => Promise<Response>,
  ) => {
    const response = await (send ?? (() => (method === 'get' ? api.get(url) : api.post(url))))();
    assert.equal(response.status, status, `${method} ${url}`);
    seen.add(`${method} ${path}`);
    return assertAnnounced(document, method, path, response);
  };
  const run = '/api/v1/runs/{id}';
  await expect('post', '/api/v1/runs', '', 202, () => api.post('/api/v1/runs', { id: 'new', spec: rawSpec }));
  await expect('post', '/api/v1/runs', '', 409, () =>
    api.post('/api/v1/runs', { id: 'new', spec: { ...rawSpec, device: 'cpu' } }),
  );
  await expect('post', '/api/v1/runs', '', 400, () => api.post('/api/v1/runs', { spec: { version: 1, nmae: 'x' } }));
  await expect('post', '/api/v1/runs', '', 415, () => api.post('/api/v1/runs', 'x', { 'Content-Type': 'text/plain' }));
  await expect('get', '/api/v1/runs', '/api/v1/runs?limit=1', 200);
  await expect('get', '/api/v1/runs', '/api/v1/runs?limit=0', 400);
  await expect('get', run, '/api/v1/runs/going', 200);
  await expect('get', run, '/api/v1/runs/done', 200);
  await expect('get', run, '/api/v1/runs/nobody', 404);
  await expect('get', `${run}/metrics`, '/api/v1/runs/going/metrics', 200);
  await expect('get', `${run}/events`, '/api/v1/runs/done/events', 200);
  await expect('get', `${run}/events`, '', 204, () => api.get('/api/v1/runs/done/events', { 'Last-Event-ID': 'end' }));
  await expect('get', `${run}/events`, '/api/v1/runs/nobody/events', 404);
  for (const verb of ['pause', 'resume', 'cancel']) {
    await expect('post', `${run}/${verb}`, `/api/v1/runs/going/${verb}`, 202);
    await expect('post', `${run}/${verb}`, `/api/v1/runs/done/${verb}`, 409);
  }
  await expect('get', '/api/v1/models', '/api/v1/models', 200);
  await expect('get', '/api/v1/models/{name}', '/api/v1/models/scaler', 200);
  await expect('get', '/api/v1/models/{name}', '/api/v1/models/none', 404);
  const deployment = '/api/v1/deployments/{name}';
  const deploymentSpec = { version: 1, name: 'new', model: { name: 'scaler' }, target: { namespace: 'shop' } };
  const open = (spec: unknown) => () => api.post('/api/v1/deployments', spec);
  await expect('post', '/api/v1/deployments', '', 202, open(deploymentSpec));
  await expect('post', '/api/v1/deployments', '', 409, open({ ...deploymentSpec, mode: 'live' }));
  await expect('post', '/api/v1/deployments', '', 400, open({ ...deploymentSpec, mods: 'live' }));
  await expect('post', '/api/v1/deployments', '', 415, () => api.post('/api/v1/deployments'));
  await expect('get', '/api/v1/deployments', '/api/v1/deployments', 200);
  for (const name of ['new', 'going', 'over', 'lost']) {
    await expect('get', deployment, `/api/v1/deployments/${name}`, 200);
    await expect('get', `${deployment}/decisions`, `/api/v1/deployments/${name}/decisions`, 200);
    await expect('get', `${deployment}/events`, `/api/v1/deployments/${name}/events`, 200);
  }
  await expect('get', deployment, '/api/v1/deployments/nobody', 404);
  await expect('get', `${deployment}/decisions`, '/api/v1/deployments/nobody/decisions', 404);
  await expect('get', `${deployment}/decisions`, '/api/v1/deployments/going/decisions?last=0', 400);
  await expect('get', `${deployment}/events`, '/api/v1/deployments/nobody/events', 404);
  const bodies = { pause: undefined, resume: undefined, mode: { mode: 'live' }, fallback: { reason: 'slow' } };
  for (const [verb, body] of Object.entries(bodies)) {
    const send = (name: string) => () => api.post(`/api/v1/deployments/${name}/${verb}`, body);
    await expect('post', `${deployment}/${verb}`, '', 200, send('going'));
    await expect('post', `${deployment}/${verb}`, '', 409, send('over'));
    await expect('post', `${deployment}/${verb}`, '', 404, send('nobody'));
  }
  await expect('post', `${deployment}/mode`, '', 400, () =>
    api.post('/api/v1/deployments/going/mode', { mode: 'canary' }),
  );
  for (const name of ['going', 'over', 'lost']) {
    await expect('post', `${deployment}/stop`, `/api/v1/deployments/${name}/stop`, 200);
  }
  await expect('post', '/api/v1/webhooks/ci', '/api/v1/webhooks/ci', 401);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const body = JSON.stringify({ id: 'from-ci', spec: rawSpec });
  const signature = signWebhook(secret, timestamp, Buffer.from(body));
  const headers = { 'X-Coxswain-Timestamp': timestamp, 'X-Coxswain-Signature': signature };
  await expect('post', '/api/v1/webhooks/ci', '', 202, () => api.post('/api/v1/webhooks/ci', body, headers));
  await expect('get', '/healthz', '/healthz', 200);
  await expect('get', '/readyz', '/readyz', 200);
  await expect('get', '/metrics', '/metrics', 200);

  const announced = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual([...seen].sort(), announced.sort());
});

test('a run that was refused, or that nobody has begun, still fits its schema', async () => {
  const document = api.api.document;
  api.engine.startBare('refused', { version: 1, nmae: 'x' });
  await assertAnnounced(document, 'get', '/api/v1/runs/{id}', await api.get('/api/v1/runs/refused'));
  api.engine.end('refused', 'failed', 'bad spec');
  await assertAnnounced(document, 'get', '/api/v1/runs/{id}', await api.get('/api/v1/runs/refused'));
});

test('the data of each event fits its schema', async () => {
  const at = new Date();
  await api.store.metrics.appendPoints([
    { runId: 'done', series: 'train/seed-1', step: 10, at, values: { loss: 0.5 } },
  ]);
  const text = await (await api.get('/api/v1/runs/done/events')).text();
  const schemas = api.api.document.paths['/api/v1/runs/{id}/events'].get['x-events'] ?? {};
  const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)];
  assert.deepEqual(
    events.map(([, name]) => name),
    ['progress', 'metrics', 'end'],
  );
  for (const [, name, data] of events) {
    assertFits(api.api.document, schemas[name], JSON.parse(data));
  }
});

test('the example of the document is accepted', async () => {
  const body = api.api.document.paths['/api/v1/runs'].post.requestBody;
  const example = body?.content['application/json'].example;
  const response = await api.post('/api/v1/runs', example);
  assert.equal(response.status, 202);
  assertFits(api.api.document, { $ref: '#/components/schemas/RunRequest' }, example);
});

test('the examples of requests about deployments are accepted', async () => {
  const { document } = api.api;
  for (const [path, methods] of Object.entries(document.paths)) {
    const content = methods.post?.requestBody?.content['application/json'];
    if (!path.startsWith('/api/v1/deployments') || content === undefined) continue;
    assertFits(document, content.schema, content.example);
    const response = await api.post(path.replace('{name}', 'shop'), content.example);
    assert.ok(response.ok || response.status === 409, `${path} ${response.status}`);
  }
});

test('the schema of a request refuses what the API refuses', async () => {
  const schema = { $ref: '#/components/schemas/RunRequest' };
  for (const bad of [{ spec: { version: 1, nmae: 'x' } }, { id: 'a/b', spec: rawSpec }, { spec: rawSpec, more: 1 }]) {
    assert.throws(() => assertFits(api.api.document, schema, bad), { code: 'ERR_ASSERTION' }, JSON.stringify(bad));
    assert.equal((await api.post('/api/v1/runs', bad)).status, 400, JSON.stringify(bad));
  }
});

test('every reference in the document leads somewhere', () => {
  const text = JSON.stringify(api.api.document);
  const names = new Set(
    [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to.replace('#/components/schemas/', '')),
  );
  for (const name of names) assert.ok(Object.hasOwn(api.api.document.components.schemas, name), name);
  assert.ok(names.size > 10);
});

test('the documentation page shows every operation and every error, without scripts and without outside assets', async () => {
  const response = await api.get('/docs');
  const page = await response.text();
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /^default-src 'none'; style-src 'sha256-/);
  for (const methods of Object.values(api.api.document.paths)) {
    for (const { operationId } of Object.values(methods)) assert.ok(page.includes(`id="${operationId}"`), operationId);
  }
  assert.ok(page.includes('id="SPEC_INVALID"'));
  assert.doesNotMatch(page, /<script|<link|src=|@import|undefined|\[object/);
});

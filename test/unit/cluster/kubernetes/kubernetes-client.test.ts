import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { apiResources } from '../../../../src/cluster/kubernetes/api-resources.ts';
import { createClusterActor } from '../../../../src/cluster/kubernetes/cluster-actor.ts';
import { createKubernetesClient } from '../../../../src/cluster/kubernetes/kubernetes-client.ts';
import type { ApiCall, KubernetesClient, Patience } from '../../../../src/cluster/kubernetes/kubernetes-client.ts';
import { answeringServer, sendJson } from '../answering-server.ts';
import type { Arrived } from '../answering-server.ts';

const pods = { resource: apiResources.pods, namespace: 'shop' };
const secret = 'a-token-that-nobody-may-see';

type Answer = (response: ServerResponse, request: Arrived, count: number) => void;

/** A client of a server that answers as it is told; `count` is the number of requests before. */
async function clientOf(t: TestContext, answer: Answer, patience: Patience = {}): Promise<KubernetesClient> {
  let count = 0;
  const server = await answeringServer(t, (request, response) => answer(response, request, count++));
  return createKubernetesClient({ kubeconfig: kubeconfig(t, server), context: null, namespaces: ['shop'] }, patience);
}

function kubeconfig(t: TestContext, server: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'config');
  const cluster = { server, 'insecure-skip-tls-verify': true };
  const content = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: secret } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const status = (response: ServerResponse, code: number, body: object = {}, headers: Record<string, string> = {}) =>
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const listNames = (api: ApiCall) =>
  api.list<{ metadata: { name: string } }, string>(pods, ({ metadata }) => metadata.name);
const page = (names: string[], next = '') => ({
  metadata: { continue: next },
  items: names.map((name) => ({ metadata: { name } })),
});

test('a list is read page by page', async (t) => {
  const asked: (string | null)[][] = [];
  const client = await clientOf(t, (response, { url, headers }, count) => {
    assert.equal(url.pathname, '/api/v1/namespaces/shop/pods');
    assert.equal(headers.authorization, `Bearer ${secret}`);
    asked.push([url.searchParams.get('limit'), url.searchParams.get('continue')]);
    sendJson(response, [page(['a', 'b'], 'one'), page(['c'], 'two'), { metadata: {}, items: null }][count]);
  });
  assert.deepEqual(await client.call(undefined, listNames), ['a', 'b', 'c']);
  assert.deepEqual(asked, [
    ['500', null],
    ['500', 'one'],
    ['500', 'two'],
  ]);
});

test('a list that grew too old on the way is read again from the start, but not for ever', async (t) => {
  const gone = { kind: 'Status', reason: 'Expired', message: 'The provided continue parameter is too old' };
  const once = await clientOf(t, (response, { url }, count) => {
    if (url.searchParams.has('continue') && count === 1) status(response, 410, gone);
    else sendJson(response, url.searchParams.has('continue') ? page(['b']) : page(['a'], 'next'));
  });
  assert.deepEqual(await once.call(undefined, listNames), ['a', 'b']);
  const always = await clientOf(t, (response, { url }) =>
    url.searchParams.has('continue') ? status(response, 410, gone) : sendJson(response, page(['a'], 'next')),
  );
  await assert.rejects(always.call(undefined, listNames), { code: 'CLUSTER_UNAVAILABLE', message: /too old 3 times/ });
});

test('overload and lost connections are tried again, as long as the call lasts', async (t) => {
  const troubles: Answer[] = [
    (response) => status(response, 429, {}, { 'retry-after': '0' }),
    (response) => status(response, 503),
    (response) => response.socket!.resetAndDestroy(),
    (response) => status(response, 500),
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"items": [');
      setTimeout(() => response.socket!.destroy(), 20);
    },
    (response) => sendJson(response, page(['a'])),
  ];
  const client = await clientOf(t, (response, request, count) => troubles[count](response, request, count));
  assert.deepEqual(await client.call(undefined, listNames), ['a']);

  const never = await clientOf(t, (response) => status(response, 503), { callMs: 400 });
  const startedMs = performance.now();
  const message = /did not answer for pods in shop: status 503; a call may take 400 ms/;
  await assert.rejects(never.call(undefined, listNames), { code: 'CLUSTER_UNAVAILABLE', message });
  assert.ok(performance.now() - startedMs < 1500);
});

test('Retry-After is obeyed, and ends the call at once when it is longer than the call may take', async (t) => {
  const times: number[] = [];
  const patient = await clientOf(t, (response, _request, count) => {
    times.push(performance.now());
    if (count === 0) status(response, 429, {}, { 'retry-after': '1' });
    else sendJson(response, page([]));
  });
  await patient.call(undefined, listNames);
  assert.ok(times[1] - times[0] >= 950, `asked again after ${times[1] - times[0]} ms`);

  const later = new Date(Date.now() + 120_000).toUTCString();
  for (const wait of ['120', later]) {
    let asked = 0;
    const client = await clientOf(t, (response) => {
      asked++;
      status(response, 429, {}, { 'retry-after': wait });
    });
    const message = /wants to be left alone for 1[12]\d s/;
    await assert.rejects(client.call(undefined, listNames), { code: 'CLUSTER_UNAVAILABLE', message });
    assert.equal(asked, 1);
  }
});

test('a slow answer is given up after its time and asked for again', async (t) => {
  const client = await clientOf(
    t,
    (response, _request, count) => (count === 0 ? undefined : sendJson(response, page(['a']))),
    { requestMs: 150 },
  );
  assert.deepEqual(await client.call(undefined, listNames), ['a']);
  const silent = await clientOf(t, () => undefined, { requestMs: 100, callMs: 350 });
  const message = /no answer within \d+ ms; a call may take 350 ms/;
  await assert.rejects(silent.call(undefined, listNames), { code: 'CLUSTER_UNAVAILABLE', message });
});

test('credentials that are not accepted are read again once, and then refused without showing them', async (t) => {
  let asked = 0;
  const renewed = await clientOf(t, (response, _request, count) =>
    count === 0 ? status(response, 401) : sendJson(response, page(['a'])),
  );
  assert.deepEqual(await renewed.call(undefined, listNames), ['a']);
  const refused = await clientOf(t, (response) => {
    asked++;
    status(response, 401, { message: 'Unauthorized' });
  });
  const error: unknown = await refused.call(undefined, listNames).catch((caught: unknown) => caught);
  assert.ok(error instanceof Error && 'code' in error && error.code === 'CLUSTER_REFUSED');
  assert.match(error.message, /does not accept the credentials.* asked for pods in shop/);
  assert.ok(!`${error.stack} ${JSON.stringify(error)}`.includes(secret));
  assert.equal(asked, 2);
});

test('a missing right is named as a role would say it; what was refused otherwise is told in the words of the server', async (t) => {
  const forbidden = await clientOf(t, (response) =>
    status(response, 403, { reason: 'Forbidden', message: 'pods is forbidden: User "x" cannot list resource "pods"' }),
  );
  const right = /the right to list pods in namespace shop is missing\. pods is forbidden: User "x"/;
  await assert.rejects(forbidden.call(undefined, listNames), { code: 'CLUSTER_REFUSED', message: right });
  const ending = await clientOf(t, (response) =>
    status(response, 403, { message: 'the namespace is being terminated' }),
  );
  await assert.rejects(ending.call(undefined, listNames), {
    message: /GET pods in shop with status 403: the namespace/,
  });
  const page404 = await clientOf(t, (response) => response.writeHead(404).end('404 page not found'));
  await assert.rejects(page404.call(undefined, listNames), { message: /does not serve pods in shop/ });
  const html = await clientOf(t, (response) => response.writeHead(200).end('<html>'));
  await assert.rejects(html.call(undefined, listNames), { code: 'CLUSTER_REFUSED', message: /no JSON.*address/ });
});

test('a write that failed on the side of the server is not repeated, and a lost one is', async (t) => {
  const target = { ...pods, name: 'p', subresource: 'eviction' };
  let asked = 0;
  const failing = await clientOf(t, (response) => {
    asked++;
    status(response, 500, { message: 'etcdserver: no leader' });
  });
  const write = (api: ApiCall) => api.request({ method: 'POST', target, body: {} });
  await assert.rejects(failing.call(undefined, write), {
    code: 'CLUSTER_UNAVAILABLE',
    message: /etcdserver: no leader/,
  });
  assert.equal(asked, 1);
  const resetting = await clientOf(t, (response, _request, count) =>
    count === 0 ? response.socket!.resetAndDestroy() : sendJson(response, { kind: 'Status' }, 201),
  );
  assert.deepEqual(await resetting.call(undefined, write), { kind: 'Status' });
});

test('a 429 for the sake of a disruption budget is an answer, any other is overload', async (t) => {
  const budget = { details: { causes: [{ reason: 'DisruptionBudget' }] } };
  let asked = 0;
  const client = await clientOf(t, (response) => {
    asked++;
    status(response, 429, budget, { 'retry-after': '10' });
  });
  assert.equal(await createClusterActor(client).evict({ namespace: 'shop', name: 'p' }), 'budget');
  assert.equal(asked, 1);
  const busy = await clientOf(t, (response, _request, count) =>
    count === 0 ? status(response, 429) : sendJson(response, { kind: 'Status' }, 201),
  );
  assert.equal(await createClusterActor(busy).evict({ namespace: 'shop', name: 'p' }), 'evicted');
});

test('a call ends with what it was aborted with, and takes its requests with it', async (t) => {
  let closed = 0;
  const client = await clientOf(t, (response) => response.on('close', () => closed++));
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('told to stop')), 50);
  await assert.rejects(
    client.call(abort.signal, (api) => Promise.all([listNames(api), listNames(api)])),
    /told to stop/,
  );
  await assert.rejects(client.call(abort.signal, listNames), /told to stop/);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, 2);
});

test('when one request of a call fails, the others end with it', async (t) => {
  let closed = 0;
  const client = await clientOf(t, (response, { url }) => {
    if (url.searchParams.has('fail')) status(response, 403);
    else response.on('close', () => closed++);
  });
  const work = (api: ApiCall) => Promise.all([listNames(api), api.list(pods, String, { query: { fail: '1' } })]);
  await assert.rejects(client.call(undefined, work), { code: 'CLUSTER_REFUSED' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(closed, 1);
});

test('a namespace that the configuration does not allow is refused before anything is asked', async (t) => {
  const client = await clientOf(t, () => assert.fail('it was asked'));
  const message = 'Namespace kube-system may not be touched: COXSWAIN_CLUSTER_NAMESPACES of this worker allows shop.';
  assert.throws(() => client.allow('kube-system'), { code: 'NOT_ALLOWED', message });
  client.allow('shop');
});

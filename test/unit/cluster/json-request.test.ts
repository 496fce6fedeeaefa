import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { requestJson } from '../../../src/cluster/json-request.ts';
import { answeringServer, sendJson } from './answering-server.ts';
import type { Arrived } from './answering-server.ts';

const request = { path: '/api/graph', parameters: { namespaces: 'shop & co' } };

test('a request carries its parameters and the token of the moment, behind a path prefix', async (t) => {
  const seen: Arrived[] = [];
  const url = await answeringServer(t, (arrived, response) => {
    seen.push(arrived);
    sendJson(response, { ok: true });
  });
  let renewals = 0;
  const server = { name: 'Kiali', url: `${url}/kiali/`, token: () => `token-${++renewals}` };
  assert.deepEqual(await requestJson(server, request), { status: 200, body: { ok: true } });
  await requestJson(server, { ...request, method: 'post' });
  const [got, posted] = seen;
  assert.equal(got.url.pathname, '/kiali/api/graph');
  assert.equal(got.url.searchParams.get('namespaces'), 'shop & co');
  assert.equal(got.headers.authorization, 'Bearer token-1');
  assert.deepEqual([posted.method, posted.form.get('namespaces')], ['POST', 'shop & co']);
  assert.equal(posted.headers.authorization, 'Bearer token-2');
});

test('a server that is not there is OBSERVATION_UNAVAILABLE with the reason', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await assert.rejects(requestJson({ name: 'Kiali', url: `http://127.0.0.1:${port}` }, request), {
    code: 'OBSERVATION_UNAVAILABLE',
    message: /Kiali did not answer \/api\/graph: .*ECONNREFUSED/,
  });
});

test('a server that is silent is given up after the time limit', async (t) => {
  const url = await answeringServer(t, () => {});
  await assert.rejects(requestJson({ name: 'Kiali', url, timeoutMs: 50 }, request), {
    code: 'OBSERVATION_UNAVAILABLE',
    message: /no answer within 50 ms/,
  });
});

test('an answer that stops half-way is given up after the time limit', async (t) => {
  const url = await answeringServer(t, (_request, response) => void response.write('{"half":'));
  await assert.rejects(requestJson({ name: 'Kiali', url, timeoutMs: 80 }, request), {
    code: 'OBSERVATION_UNAVAILABLE',
  });
});

test('a cancellation ends the request with its own reason', async (t) => {
  const url = await answeringServer(t, () => {});
  const stop = new AbortController();
  const asked = requestJson({ name: 'Kiali', url }, { ...request, signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
});

for (const status of [429, 502, 503, 504]) {
  test(`status ${status} may pass: OBSERVATION_UNAVAILABLE`, async (t) => {
    const url = await answeringServer(t, (_request, response) => sendJson(response, {}, status));
    await assert.rejects(requestJson({ name: 'Kiali', url }, request), { code: 'OBSERVATION_UNAVAILABLE' });
  });
}

test('missing rights are OBSERVATION_REFUSED, and the message shows no token', async (t) => {
  const url = await answeringServer(t, (_request, response) => sendJson(response, {}, 403));
  const server = { name: 'Kiali', url, token: () => 'very-secret' };
  await assert.rejects(requestJson(server, request), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'OBSERVATION_REFUSED');
    assert.match(error.message, /status 403: the token is missing, expired or lacks the right/);
    assert.doesNotMatch(JSON.stringify(error) + error.stack, /very-secret/);
    return true;
  });
});

test('a page that is no JSON, and one that is too large, are refused', async (t) => {
  const url = await answeringServer(t, ({ url: { pathname } }, response) =>
    response.end(pathname === '/large' ? `"${'x'.repeat(5000)}"` : '<html>'),
  );
  const server = { name: 'Kiali', url, maxAnswerBytes: 1000 };
  await assert.rejects(requestJson(server, request), { code: 'OBSERVATION_REFUSED', message: /no JSON/ });
  await assert.rejects(requestJson(server, { ...request, path: '/large' }), {
    code: 'OBSERVATION_REFUSED',
    message: /more than 1000 bytes/,
  });
});

test('a redirect is not followed: it could carry the token elsewhere', async (t) => {
  let reached = false;
  const elsewhere = await answeringServer(t, (_request, response) => {
    reached = true;
    sendJson(response, {});
  });
  const url = await answeringServer(t, (_request, response) =>
    response.writeHead(302, { location: `${elsewhere}/login` }).end(),
  );
  await assert.rejects(requestJson({ name: 'Kiali', url, token: () => 'secret' }, request), {
    code: 'OBSERVATION_UNAVAILABLE',
  });
  assert.equal(reached, false);
});

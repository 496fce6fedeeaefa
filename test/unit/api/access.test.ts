import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { startApiServer } from '../../../src/api/api-server.ts';
import { startApiFixture } from './api-fixture.ts';
import type { ApiFixture } from './api-fixture.ts';

const token = 'a-token-of-16-characters';
let open: ApiFixture;
let guarded: ApiFixture;

before(async () => {
  open = await startApiFixture({
    allowedHosts: ['coxswain.example', 'other.example:99'],
    allowedOrigins: ['https://ci.example'],
  });
  guarded = await startApiFixture({ token });
});
after(() => Promise.all([open.close(), guarded.close()]));

/** Like fetch, which would not let us set the Host header. */
function statusWithHost(api: ApiFixture, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { Host: host };
    request(`${api.url}/api/v1/runs`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

test('a Host that is neither ours nor an address is refused: DNS rebinding', async () => {
  assert.equal(await statusWithHost(open, 'evil.example'), 403);
  assert.equal(await statusWithHost(open, 'localhost.evil.example'), 403);
  assert.equal(await statusWithHost(open, '127.0.0.1.evil.example:80'), 403);
});

test('loopback names, IP addresses and allowed hosts are answered', async () => {
  for (const host of [
    'localhost:1',
    '127.0.0.1',
    '[::1]:8230',
    '10.0.0.7:8230',
    'coxswain.example:5',
    'COXSWAIN.example',
  ]) {
    assert.equal(await statusWithHost(open, host), 200, host);
  }
  assert.equal(await statusWithHost(open, 'other.example:99'), 200);
  assert.equal(await statusWithHost(open, 'other.example:98'), 403);
});

test('a page of another origin is refused, our own is not', async () => {
  const foreign = await open.post('/api/v1/runs/x/cancel', undefined, { Origin: 'https://evil.example' });
  assert.equal(foreign.status, 403);
  assert.equal((await open.get('/api/v1/runs', { Origin: 'null' })).status, 403);
  assert.equal((await open.get('/api/v1/runs', { Origin: open.url })).status, 200);
});

test('an allowed origin gets the CORS headers and its preflight an answer', async () => {
  const headers = { Origin: 'https://ci.example' };
  const response = await open.get('/api/v1/runs', headers);
  assert.equal(response.headers.get('access-control-allow-origin'), 'https://ci.example');
  const preflight = await fetch(`${open.url}/api/v1/runs`, { method: 'OPTIONS', headers });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /Authorization/);
});

test('without the right token nothing under /api and no metrics are given', async () => {
  for (const path of ['/api/v1/runs', '/api/v1/models', '/metrics']) {
    const none = await guarded.get(path);
    assert.equal(none.status, 401);
    assert.equal(none.headers.get('www-authenticate'), 'Bearer');
    assert.match(await none.text(), /"UNAUTHENTICATED"/);
    for (const wrong of ['Bearer wrong', `Bearer ${token}x`, `Basic ${token}`, token, 'Bearer']) {
      assert.equal((await guarded.get(path, { Authorization: wrong })).status, 401, wrong);
    }
    assert.equal((await guarded.get(path, { Authorization: `Bearer ${token}` })).status, 200);
  }
});

test('health, readiness and the documentation need no token', async () => {
  for (const path of ['/healthz', '/readyz', '/docs', '/openapi.json']) {
    assert.equal((await guarded.get(path)).status, 200, path);
  }
});

test('an address that other machines reach is refused without a token', async () => {
  const settings = { host: '0.0.0.0', port: 0, token: null, webhookSecret: null, allowedHosts: [], allowedOrigins: [] };
  await assert.rejects(startApiServer(open.api, settings), { code: 'CONFIG_INVALID', message: /COXSWAIN_API_TOKEN/ });
  const server = await startApiServer(open.api, { ...settings, token });
  assert.match(server.url, /^http:\/\/0\.0\.0\.0:\d+$/);
  await server.close();
});

test('every answer carries the security headers and does not name its software', async () => {
  for (const path of ['/api/v1/runs', '/nowhere', '/docs']) {
    const { headers } = await open.get(path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-powered-by'), null);
  }
});

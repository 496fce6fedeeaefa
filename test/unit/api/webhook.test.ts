import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { rawSpec, startApiFixture } from './api-fixture.ts';
import type { ApiFixture } from './api-fixture.ts';

const secret = 'a-secret-of-ci-systems';
let api: ApiFixture;
before(async () => (api = await startApiFixture({ webhookSecret: secret, token: 'a-token-of-16-characters' })));
after(() => api.close());

/** Signs as the documentation says, independently of the code. */
function sign(timestamp: string, body: string, key = secret): string {
  return `sha256=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`;
}

const now = (shiftSeconds = 0): string => String(Math.floor(Date.now() / 1000) + shiftSeconds);

function send(timestamp: string, body: string, signature: string): Promise<Response> {
  const headers = { 'X-Coxswain-Timestamp': timestamp, 'X-Coxswain-Signature': signature };
  return api.post('/api/v1/webhooks/ci', body, headers);
}

async function assertRefused(response: Response, reason: RegExp): Promise<void> {
  const problem = (await response.json()) as { code: string; detail: string };
  assert.deepEqual([response.status, problem.code], [401, 'SIGNATURE_INVALID']);
  assert.match(problem.detail, reason);
}

const bodyOf = (id: string): string => JSON.stringify({ id, spec: rawSpec });

test('a signed request starts a run, without the bearer token', async () => {
  const timestamp = now();
  const response = await send(timestamp, bodyOf('signed'), sign(timestamp, bodyOf('signed')));
  assert.equal(response.status, 202);
  assert.ok(api.engine.workflows.has('signed'));
});

test('the same signed request works once; signed again it is the same run', async () => {
  const timestamp = now(-10);
  const body = bodyOf('replayed');
  assert.equal((await send(timestamp, body, sign(timestamp, body))).status, 202);
  await assertRefused(await send(timestamp, body, sign(timestamp, body)), /used before/);
  const again = await send(now(-9), body, sign(now(-9), body));
  assert.equal(((await again.json()) as { created: boolean }).created, false);
});

test('of two copies that arrive at the same moment one is refused', async () => {
  const timestamp = now(-20);
  const body = bodyOf('raced');
  const answers = await Promise.all([1, 2].map(() => send(timestamp, body, sign(timestamp, body))));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 401]);
});

test('another body, timestamp, key or form of signature is refused', async () => {
  const timestamp = now(-30);
  const body = bodyOf('forged');
  const good = sign(timestamp, body);
  await assertRefused(await send(timestamp, `${body} `, good), /does not fit/);
  await assertRefused(await send(now(-31), body, good), /does not fit/);
  await assertRefused(await send(timestamp, body, sign(timestamp, body, 'another-secret-of-ci')), /does not fit/);
  await assertRefused(await send(timestamp, body, good.slice('sha256='.length)), /does not fit/);
  await assertRefused(await send(timestamp, body, good.toUpperCase()), /does not fit/);
  await assertRefused(await api.post('/api/v1/webhooks/ci', body), /lacks/);
  assert.ok(!api.engine.workflows.has('forged'));
});

test('a timestamp more than five minutes away is refused, in both directions and in other forms', async () => {
  for (const timestamp of [now(-301), now(301), 'NaN', '1e9', '']) {
    const response = await send(timestamp, bodyOf('late'), sign(timestamp, bodyOf('late')));
    await assertRefused(response, /seconds away/);
  }
  assert.ok(!api.engine.workflows.has('late'));
});

test('a signed request with a bad body is told what is wrong with it and may be sent again', async () => {
  const timestamp = now(-40);
  const body = '{"spec":';
  assert.equal((await send(timestamp, body, sign(timestamp, body))).status, 400);
  assert.equal((await send(timestamp, body, sign(timestamp, body))).status, 400);
});

test('without a secret there is no webhook', async () => {
  const own = await startApiFixture();
  assert.equal((await own.post('/api/v1/webhooks/ci', bodyOf('x'))).status, 404);
  await own.close();
});

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { TrackerFailure } from '../../../src/tracking/tracker.ts';
import { createWandbTransport } from '../../../src/tracking/wandb-transport.ts';
import type { WandbTransport } from '../../../src/tracking/wandb-transport.ts';

interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

const apiKey = 'secret-key-0123456789';
const call = { operationName: 'Viewer', query: 'query Viewer { viewer { id } }', variables: {} };
const never = new AbortController().signal;

/** Answers in turn; the last one for ever. `null` never answers, `drop` closes the connection. */
let replies: (Reply | null | 'drop')[] = [];
let seen: { method?: string; url?: string; headers: IncomingHttpHeaders; body: string }[] = [];
let server: Server;
let url = '';

before(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      seen.push({ method, url: path, headers, body: Buffer.concat(chunks).toString() });
      const reply = replies.length > 1 ? replies.shift()! : replies[0];
      if (reply === 'drop') request.socket.destroy();
      if (reply === null || reply === 'drop') return;
      response.writeHead(reply.status, reply.headers).end(reply.body ?? '{"data":{"ok":true}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close().closeAllConnections());
beforeEach(() => {
  seen = [];
});

function transport(limits = {}): WandbTransport {
  const quick = { attemptMs: 5_000, callMs: 10_000, attempts: 3, backoffMs: 1, ...limits };
  return createWandbTransport({ apiKey, baseUrl: `${url}/`, limits: quick, random: () => 0 });
}

async function failureOf(work: Promise<unknown>): Promise<TrackerFailure> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TrackerFailure, String(error));
  return error;
}

test('a call carries the key as basic authentication, and gives the data', async () => {
  replies = [{ status: 200, body: '{"data":{"viewer":{"id":"v"}}}' }];
  assert.deepEqual(await transport().graphql(call, never), { viewer: { id: 'v' } });
  const [{ method, url: path, headers, body }] = seen;
  assert.deepEqual([method, path], ['POST', '/graphql']);
  assert.equal(headers.authorization, `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`);
  assert.deepEqual(JSON.parse(body), call);
});

for (const status of [408, 429, 500, 502, 503, 504])
  test(`after ${status} the call is tried again`, async () => {
    replies = [{ status }, { status }, { status: 200 }];
    assert.deepEqual(await transport().graphql(call, never), { ok: true });
    assert.equal(seen.length, 3);
  });

for (const status of [302, 400, 404, 409, 410, 413, 422, 501])
  test(`${status} is a refusal and is not tried again`, async () => {
    replies = [{ status, body: 'no', headers: { location: `${url}/elsewhere` } }];
    const { kind, message } = await failureOf(transport().graphql(call, never));
    assert.equal(kind, 'refused');
    assert.equal(message, `W&B answered Viewer with ${status}: no`);
    assert.equal(seen.length, 1);
  });

for (const status of [401, 403])
  test(`${status} says that the key is not accepted`, async () => {
    replies = [{ status }];
    assert.equal((await failureOf(transport().graphql(call, never))).kind, 'unauthorized');
    assert.equal(seen.length, 1);
  });

test('a refusal that the call wants repeated is repeated', async () => {
  replies = [{ status: 409 }, { status: 200 }];
  await transport().graphql({ ...call, alsoRetry: [409] }, never);
  assert.equal(seen.length, 2);
});

test('a GraphQL error inside a 200 is a refusal', async () => {
  replies = [{ status: 200, body: '{"data":null,"errors":[{"message":"permission denied"},{"message":"really"}]}' }];
  const { kind, message } = await failureOf(transport().graphql(call, never));
  assert.deepEqual([kind, message], ['refused', 'W&B refused Viewer: permission denied; really']);
});

test('a dropped connection is tried again, and what stays away is unavailable', async () => {
  replies = ['drop', { status: 200 }];
  await transport().graphql(call, never);
  replies = ['drop'];
  assert.equal((await failureOf(transport().graphql(call, never))).kind, 'unavailable');
});

test('a page of a proxy in place of JSON is unavailable', async () => {
  replies = [{ status: 200, body: '<html>Log in to the hotel</html>' }];
  assert.equal((await failureOf(transport().graphql(call, never))).kind, 'unavailable');
  assert.equal(seen.length, 3);
});

test('a server that hangs ends the attempt, and the attempts the call', async () => {
  replies = [null];
  const { kind, message } = await failureOf(transport({ attemptMs: 30, attempts: 2 }).graphql(call, never));
  assert.deepEqual([kind, message], ['unavailable', 'W&B did not take Viewer: no answer within 0.03 s']);
  assert.equal(seen.length, 2);
});

test('the time of a whole call is bounded, whatever its attempts may take', async () => {
  replies = [null];
  const { kind } = await failureOf(transport({ callMs: 40, attempts: 1_000 }).graphql(call, never));
  assert.equal(kind, 'unavailable');
  replies = [{ status: 503, headers: { 'retry-after': '50' } }];
  assert.equal((await failureOf(transport({ callMs: 40 }).graphql(call, never))).kind, 'unavailable');
});

test("the caller's signal ends a call with its reason, in an attempt and in a pause", async () => {
  for (const reply of [null, { status: 500, headers: { 'retry-after': '60' } }]) {
    replies = [reply];
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 30);
    await assert.rejects(transport().graphql(call, controller.signal), /^Error: enough$/);
  }
});

test('an upload sends the bytes with the given headers and without credentials', async () => {
  replies = [{ status: 200, body: '' }];
  const file = {
    name: 'm.bin',
    url: `${url}/put`,
    headers: ['Content-MD5:qS4D==', 'x-a: b:c'],
    bytes: Buffer.from('hi'),
  };
  await transport().upload(file, never);
  const [{ method, headers, body }] = seen;
  assert.deepEqual([method, headers['content-md5'], headers['x-a'], body], ['PUT', 'qS4D==', 'b:c', 'hi']);
  assert.deepEqual([headers.authorization, headers['content-type']], [undefined, undefined]);
});

test('a signed address that is refused says nothing about the key', async () => {
  replies = [{ status: 403 }];
  const file = { name: 'm.bin', url: `${url}/put?signature=s3cr3t`, headers: [], bytes: Buffer.from('hi') };
  const { kind, message } = await failureOf(transport().upload(file, never));
  assert.equal(kind, 'refused');
  assert.equal(message.includes('s3cr3t'), false);
});

test('the key is in no message, also when the server echoes it', async () => {
  const encoded = Buffer.from(`api:${apiKey}`).toString('base64');
  const echo = `${'x'.repeat(280)} ${apiKey} ${encoded}`;
  for (const reply of [
    { status: 400, body: echo },
    { status: 503, body: echo },
    { status: 200, body: JSON.stringify({ errors: [{ message: echo }] }) },
  ]) {
    replies = [reply];
    const { message, stack } = await failureOf(transport().graphql(call, never));
    for (const secret of [apiKey.slice(0, 12), encoded.slice(0, 12)])
      assert.equal(`${message} ${stack}`.includes(secret), false, message);
  }
});

for (const baseUrl of ['ftp://api.wandb.ai', 'api.wandb.ai', 'https://user:pass@api.wandb.ai', ''])
  test(`"${baseUrl}" is no address of W&B`, () => {
    assert.throws(() => createWandbTransport({ apiKey, baseUrl }), { code: 'CONFIG_INVALID' });
  });

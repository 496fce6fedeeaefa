import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { rawSpec, startApiFixture } from './api-fixture.ts';
import type { ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
before(async () => (api = await startApiFixture()));
after(() => api.close());

/** A raw connection; `read` gives all that came until it closed. */
function rawConnection(): { socket: Socket; read: Promise<string> } {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  const read = new Promise<string>((resolve) => socket.on('close', () => resolve(text)).on('error', () => undefined));
  return { socket, read };
}

interface ProblemBody {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly issues?: readonly { readonly path: string }[];
}

async function problemOf(response: Response): Promise<ProblemBody> {
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  return (await response.json()) as ProblemBody;
}

interface StartedBody {
  readonly id: string;
  readonly created: boolean;
  readonly specSha256: string;
  readonly links: { readonly events: string };
}

async function startedOf(response: Response): Promise<StartedBody> {
  return (await response.json()) as StartedBody;
}

test('a run starts from JSON, from YAML, with the id in the envelope or in the query', async () => {
  const yaml = 'version: 1\nname: shop\n';
  const started = [
    await api.post('/api/v1/runs', { id: 'json-1', spec: rawSpec }),
    await api.post('/api/v1/runs?id=json-2', rawSpec),
    await api.post('/api/v1/runs?id=yaml-1', yaml, { 'Content-Type': 'application/yaml' }),
    await api.post('/api/v1/runs', `id: yaml-2\nspec:\n  version: 1\n  name: shop\n`, {
      'Content-Type': 'text/yaml; charset=utf-8',
    }),
  ];
  const hashes = new Set<string>();
  for (const [index, id] of ['json-1', 'json-2', 'yaml-1', 'yaml-2'].entries()) {
    assert.equal(started[index].status, 202);
    assert.equal(started[index].headers.get('location'), `/api/v1/runs/${id}`);
    const body = await startedOf(started[index]);
    assert.deepEqual([body.id, body.created, body.links.events], [id, true, `/api/v1/runs/${id}/events`]);
    hashes.add(body.specSha256);
  }
  assert.equal(hashes.size, 1);
});

test('the same id and spec twice is the same run, at the same moment too; another spec is 409', async () => {
  const body = { id: 'twice', spec: rawSpec };
  const answers = await Promise.all([1, 2, 3].map(async () => startedOf(await api.post('/api/v1/runs', body))));
  assert.deepEqual(answers.map(({ created }) => created).sort(), [false, false, true]);
  const conflict = await problemOf(
    await api.post('/api/v1/runs', { id: 'twice', spec: { ...rawSpec, device: 'cpu' } }),
  );
  assert.deepEqual([conflict.status, conflict.code], [409, 'RUN_CONFLICT']);
});

test('a bad spec is 400 with each broken rule', async () => {
  const response = await api.post('/api/v1/runs', { spec: { version: 2, name: 'Shop', trian: {} } });
  const problem = await problemOf(response);
  assert.equal(problem.code, 'SPEC_INVALID');
  assert.deepEqual(problem.issues?.map(({ path }) => path).sort(), ['name', 'trian', 'version']);
  assert.match(problem.detail, /nearest valid name: train/);
});

test('unknown fields, parameters and contradictions are refused, not ignored', async () => {
  const cases: [string, () => Promise<Response>, RegExp][] = [
    ['envelope field', () => api.post('/api/v1/runs', { spec: rawSpec, force: true }), /unknown "force"/],
    ['query of a start', () => api.post('/api/v1/runs?di=x', rawSpec), /unknown "di"/],
    ['query of a list', () => api.get('/api/v1/runs?state=failed'), /unknown "state"/],
    ['bad value', () => api.get('/api/v1/runs?limit=many'), /query limit: a whole number from 1 to 200/],
    ['repeated parameter', () => api.get('/api/v1/runs?limit=1&limit=2'), /limit/],
    ['two ids', () => api.post('/api/v1/runs?id=a', { id: 'b', spec: rawSpec }), /say it once/],
    ['bad id', () => api.post('/api/v1/runs', { id: '../x', spec: rawSpec }), /id/],
    ['body where none belongs', () => api.post('/api/v1/runs/x/cancel', { force: true }), /takes none/],
    ['broken JSON', () => api.post('/api/v1/runs', '{"spec":'), /no JSON/],
    ['empty body', () => api.post('/api/v1/runs', ''), /JSON|Content-Type/],
    ['broken percent code', () => api.get('/api/v1/runs/%zz'), /decode/i],
  ];
  for (const [name, send, expected] of cases) {
    const problem = await problemOf(await send());
    assert.ok([400, 415].includes(problem.status), `${name}: ${problem.status}`);
    assert.match(problem.detail, expected, name);
  }
});

test('nesting without end, a YAML bomb and a name twice are refused in no time', async () => {
  const yaml = { 'Content-Type': 'application/yaml' };
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...[...'bcdefghi'].map((name, index) => {
      const before = 'abcdefgh'[index];
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
    }),
  ].join('\n');
  for (const [name, send] of [
    ['deep JSON', () => api.post('/api/v1/runs', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
    ['deep YAML', () => api.post('/api/v1/runs', '['.repeat(20_000), yaml)],
    ['YAML bomb', () => api.post('/api/v1/runs', bomb, yaml)],
    ['name twice', () => api.post('/api/v1/runs', '{"version":1,"version":2}')],
    ['prototype', () => api.post('/api/v1/runs', '{"spec":{"version":1,"name":"x","__proto__":{}}}')],
    [
      'not UTF-8',
      () => fetch(`${api.url}/api/v1/runs`, { method: 'POST', headers: yaml, body: new Uint8Array([0xff, 0xfe]) }),
    ],
  ] as const) {
    const problem = await problemOf(await send());
    assert.equal(problem.status, 400, `${name}: ${problem.detail}`);
  }
});

test('a body above the limit is 413 although the caller still sends, and is not read to its end', async () => {
  const { socket, read } = rawConnection();
  const total = 50_000_000;
  socket.write(
    `POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${total}\r\n\r\n`,
  );
  const chunk = Buffer.alloc(65_536, 0x20);
  let sent = 0;
  const send = (): void => {
    while (sent < total && !socket.destroyed) {
      sent += chunk.length;
      if (!socket.write(chunk)) return void socket.once('drain', send);
    }
  };
  send();
  socket.once('data', () => setTimeout(() => socket.destroy(), 50));
  const text = await read;
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /BODY_TOO_LARGE/);
  assert.ok(socket.bytesWritten < 20_000_000, `${socket.bytesWritten} bytes were taken`);
});

test('a body without a length is cut off at the limit', async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(200_000).fill(0x20)),
  });
  const init = { method: 'POST', body, duplex: 'half', headers: { 'Content-Type': 'application/json' } } as RequestInit;
  const response = await fetch(`${api.url}/api/v1/runs`, init);
  assert.equal((await problemOf(response)).code, 'BODY_TOO_LARGE');
});

test('a caller that asks before it sends a large body is refused at once', async () => {
  const { socket, read } = rawConnection();
  socket.write(
    'POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n',
  );
  socket.once('data', () => socket.end());
  const text = await read;
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.doesNotMatch(text, /100 Continue/);
});

test('a compressed body is refused', async () => {
  const response = await api.post('/api/v1/runs', '{}', { 'Content-Encoding': 'gzip' });
  assert.equal((await problemOf(response)).code, 'UNSUPPORTED_MEDIA_TYPE');
});

test('unknown addresses are 404, other methods 405 with the allowed ones', async () => {
  assert.equal((await problemOf(await api.get('/api/v2/runs'))).status, 404);
  const response = await fetch(`${api.url}/api/v1/runs/x`, { method: 'DELETE' });
  assert.equal(response.headers.get('allow'), 'GET, HEAD');
  assert.equal((await problemOf(response)).code, 'METHOD_NOT_ALLOWED');
});

test('a list is read page by page', async () => {
  const own = await startApiFixture();
  for (const runId of ['r1', 'r2', 'r3']) {
    await own.addRun(runId);
    await own.finishRun(runId);
  }
  const seen: string[] = [];
  let next: string | null = '/api/v1/runs?status=completed&limit=2';
  while (next !== null) {
    const response = await own.get(next);
    const page = (await response.json()) as { runs: { id: string }[]; next: string | null };
    seen.push(...page.runs.map(({ id }) => id));
    next = page.next;
  }
  assert.deepEqual(seen.sort(), ['r1', 'r2', 'r3']);
  await own.close();
});

test('what fails inside is hidden from the caller and logged under the id that the caller got', async () => {
  const own = await startApiFixture();
  own.store.runs.getRun = async () => {
    throw new CoxswainError('STORE_UNAVAILABLE', 'mongodb://admin:secret@db refused');
  };
  const problem = await problemOf(await own.get('/api/v1/runs/x'));
  assert.equal(problem.status, 503);
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
  const line = own.log.find(({ fields }) => fields.requestId === problem.requestId && fields.code !== undefined);
  assert.match(line?.message ?? '', /refused/);
  own.store.runs.getRun = async () => {
    throw new Error('a defect');
  };
  const defect = await problemOf(await own.get('/api/v1/runs/x'));
  assert.deepEqual([defect.status, defect.code], [500, 'INTERNAL']);
  assert.doesNotMatch(defect.detail, /a defect/);
  await own.close();
});

test('each request is one log line without query, headers and body', async () => {
  const own = await startApiFixture();
  await own.get('/api/v1/runs?pipeline=hush', { Authorization: 'Bearer hush-token' });
  await own.post('/api/v1/runs', { id: 'x', spec: { ...rawSpec, description: 'hush' } });
  await own.close();
  const lines = own.log.filter(({ message }) => message === 'request');
  assert.deepEqual(
    lines.map(({ fields }) => [fields.method, fields.path, fields.status]),
    [
      ['GET', '/api/v1/runs', 200],
      ['POST', '/api/v1/runs', 202],
    ],
  );
  assert.doesNotMatch(JSON.stringify(own.log), /hush/);
});

test('readiness follows the services and names no more than codes', async () => {
  const own = await startApiFixture();
  own.engine.down = true;
  own.store.ping = () => new Promise(() => undefined);
  const slow = await startApiFixture({}, { readinessTimeoutMs: 20 });
  slow.store.ping = own.store.ping;
  const response = await slow.get('/readyz');
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), {
    ready: false,
    temporal: { ok: true, code: null },
    store: { ok: false, code: 'STORE_UNAVAILABLE' },
  });
  assert.equal((await slow.get('/healthz')).status, 200);
  await Promise.all([own.close(), slow.close()]);
});

test('the metrics count requests by route, not by id, and started runs', async () => {
  const own = await startApiFixture();
  await own.post('/api/v1/runs', { id: 'counted', spec: rawSpec });
  await own.post('/api/v1/runs', { id: 'counted', spec: rawSpec });
  await own.get('/api/v1/runs/counted');
  const text = await (await own.get('/metrics')).text();
  assert.match(
    text,
    /coxswain_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/runs\/:id",status="200"\} 1/,
  );
  assert.match(text, /coxswain_runs_started_total\{source="api"\} 1/);
  assert.match(text, /coxswain_event_streams 0/);
  assert.doesNotMatch(text, /counted/);
  await own.close();
});

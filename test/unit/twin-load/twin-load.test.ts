import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterReader, ClusterState } from '../../../src/contracts/cluster.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { onlineBoutiqueApplication } from '../../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { Load } from '../../../src/twin-load/load.ts';
import { startTwinLoad } from '../../../src/twin-load/twin-load.ts';
import type { TwinLoadOptions, TwinState } from '../../../src/twin-load/twin-load.ts';
import { clusterState, namespace, pods } from './cluster-states.ts';
import { scrapedSeries, sumOf } from './scraped-series.ts';

const names = onlineBoutiqueApplication.services.map(({ name }) => name);

/** A cluster that answers with `state`, or fails. */
class SettableReader implements ClusterReader {
  state: ClusterState | Error = clusterState(Object.fromEntries(names.map((name) => [name, pods(4)])));

  async read(): Promise<ClusterState> {
    if (this.state instanceof Error) throw this.state;
    return this.state;
  }
}

async function start(t: TestContext, changes: Partial<TwinLoadOptions> = {}) {
  const reader = new SettableReader();
  const notices: string[] = [];
  const twin = await startTwinLoad({
    reader,
    namespace,
    application: onlineBoutiqueApplication,
    load: new Load(() => 60),
    speed: 50,
    controlPort: 0,
    notice: (sentence) => notices.push(sentence),
    ...changes,
  });
  t.after(() => twin.stop());
  return { reader, notices, twin };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let attempt = 0; !isSo(); attempt++) {
    if (attempt > 200) assert.fail(`not within 10 s: ${what}`);
    await sleep(50);
  }
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

test('it plays in real time, serves what it counts, and tells the truth about it', async (t) => {
  const { twin } = await start(t);
  await until('some steps', () => twin.state().seconds >= 60);
  const response = await fetch(twin.metricsUrl);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const series = scrapedSeries(await response.text());
  const requests = sumOf(series, 'istio_requests_total', { source_workload: 'unknown' });
  const { totals, services, steps, speed } = twin.state();
  assert.ok(requests * speed > 0.5 * totals.requests && requests * speed <= totals.requests + 1);
  assert.ok(Math.abs(totals.requests / twin.state().seconds - 60) < 10);
  assert.deepEqual(
    services.map(({ service, replicas, servingPods }) => [service, replicas, servingPods]),
    names.map((name) => [name, 4, 4]),
  );
  assert.ok(steps.length >= 4 && steps.every(({ p95Seconds, pods }) => p95Seconds! > 0 && pods === 44));
});

test('the cluster away: it goes on with the pods last seen, says so once, and says when it is back', async (t) => {
  const { reader, notices, twin } = await start(t);
  const good = reader.state;
  reader.state = new CoxswainError('CLUSTER_UNAVAILABLE', 'The API server is not there.');
  await until('a notice', () => notices.length > 0);
  const { seconds } = twin.state();
  assert.equal(twin.state().cluster.error, 'The API server is not there.');
  await until('further steps', () => twin.state().seconds > seconds + 60);
  assert.equal(twin.state().totals.failed, 0);
  assert.equal(twin.state().services[0].servingPods, 4);
  reader.state = good;
  await until('the second notice', () => notices.length > 1);
  assert.match(
    notices[0],
    /^The cluster cannot be read; the load goes on with the pods last seen\. The API server is not there\.$/,
  );
  assert.match(notices[1], /^The cluster can be read again, after \d+ s\.$/);
  assert.equal(notices.length, 2);
  assert.equal(twin.state().cluster.error, null);
});

test('a cluster that cannot be read at the beginning, and a port that is taken, end it with an error', async (t) => {
  const broken = new SettableReader();
  broken.state = new CoxswainError('CLUSTER_REFUSED', 'The token is not accepted.');
  await assert.rejects(start(t, { reader: broken }), { code: 'CLUSTER_REFUSED' });
  const { twin } = await start(t);
  const port = Number(new URL(twin.metricsUrl).port);
  await assert.rejects(start(t, { port }), {
    code: 'CONFIG_INVALID',
    message: new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}`),
  });
});

test('workloads come and go while it plays', async (t) => {
  const { reader, notices, twin } = await start(t);
  const good = reader.state;
  const without = Object.fromEntries(names.filter((name) => name !== 'adservice').map((name) => [name, pods(4)]));
  reader.state = clusterState(without);
  await until('a notice', () => notices.length === 1);
  assert.equal(notices[0], 'No pod serves adservice: calls there are refused.');
  await until('failures', () => twin.state().totals.failed > 0);
  assert.equal(twin.state().services[1].replicas, null);
  reader.state = good;
  await until('a second notice', () => notices.length === 2);
  assert.equal(notices[1], 'Served again: adservice.');
});

test('the controls set the load, let a crowd come, and refuse the rest', async (t) => {
  const { twin } = await start(t);
  const url = twin.controlUrl!;
  assert.deepEqual(await (await post(`${url}/load`, { requestsPerSecond: 100 })).json(), { requestsPerSecond: 100 });
  const state = (await (await fetch(`${url}/state`)).json()) as TwinState;
  assert.equal(state.requestsPerSecond, 100);
  assert.deepEqual(await (await post(`${url}/load`, { requestsPerSecond: null })).json(), { requestsPerSecond: 60 });
  assert.equal((await post(`${url}/flash-crowd`, { peak: 3, minutes: 60 })).status, 200);
  await until('the crowd', () => twin.state().requestsPerSecond > 100);
  for (const [path, body, status, message] of [
    ['/load', { requestsPerSecond: -1 }, 400, /requestsPerSecond: found -1; allowed: a number from 0/],
    ['/load', { requestsPerSecond: 'many' }, 400, /found "many"/],
    ['/load', '{', 400, /must be a JSON object with requestsPerSecond/],
    ['/load', { rate: 1 }, 400, /must be a JSON object with requestsPerSecond/],
    ['/flash-crowd', { peak: 0.5, minutes: 5 }, 400, /peak: found 0.5/],
    ['/load', 'x'.repeat(20_000), 413, /above/],
    ['/lode', {}, 404, /there are .*POST \/load/],
    ['/state', {}, 405, /POST \/state/],
  ] as const) {
    const response = await post(`${url}${path}`, body);
    const { error } = (await response.json()) as { error: { message: string } };
    assert.deepEqual([response.status, message.test(error.message)], [status, true], error.message);
  }
  const plain = await fetch(`${url}/load`, { method: 'POST', body: '{"requestsPerSecond": 1}' });
  assert.equal(plain.status, 415);
  assert.equal(await statusFor(`${url}/load`, 'evil.example'), 403);
  assert.equal((await post(twin.metricsUrl.replace('/metrics', '/load'), { requestsPerSecond: 1 })).status, 404);
});

test('it ends at once, twice if need be, and with the signal that it was given', async () => {
  const ending = new AbortController();
  const reader = new SettableReader();
  const options = { reader, namespace, application: onlineBoutiqueApplication, load: new Load(() => 10) };
  const twin = await startTwinLoad(options, ending.signal);
  ending.abort();
  await twin.stop();
  await twin.stop();
  await assert.rejects(fetch(twin.metricsUrl));
});

/** The status of a POST that a browser was led to send: `fetch` sets the header Host itself. */
function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { method: 'POST', headers: { host, 'content-type': 'application/json' } },
      (response) => {
        response.resume();
        resolve(response.statusCode!);
      },
    );
    asked.on('error', reject);
    asked.end('{"requestsPerSecond": 1}');
  });
}

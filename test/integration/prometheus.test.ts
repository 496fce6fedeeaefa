import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { prometheusOrSkip, startTestPrometheus } from '../../scripts/local-services/test-prometheus.ts';
import { startedAt } from '../../scripts/process-identity.mjs';
import { quantileOf, selector, summedRate } from '../../src/cluster/prometheus/expressions.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { refusedWith } from '../contracts/refused-with.ts';
import { answeringServer } from '../unit/cluster/answering-server.ts';

const { skip, programs } = await prometheusOrSkip();

test('a real Prometheus collects series, and our client reads them', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-prometheus-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'scrape-secret');
  const scraped: { path: string; headers: IncomingHttpHeaders }[] = [];
  const series = new SteadySeries();
  const target = await answeringServer(t, ({ url, headers }, response) => {
    scraped.push({ path: url.pathname, headers });
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(series.text());
  });
  const { host } = new URL(target);
  const server = await startTestPrometheus({
    scrape: [
      { job: 'twin', targets: [host], intervalSeconds: 1 },
      { job: 'closed', targets: [host], intervalSeconds: 1, path: '/closed', bearerTokenFile: tokenFile },
      { job: 'absent', targets: ['127.0.0.1:1'], intervalSeconds: 1 },
    ],
  });
  t.after(() => server.stop());
  const client = createPrometheusClient({ url: server.url });
  const now = () => Math.floor(Date.now() / 1000);
  const valuesOf = async (expression: string) =>
    (await client.query(expression, now())).series.map((one) => one.values[0]);
  const untilValue = async (expression: string, holds: (value: number | undefined) => boolean) => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const [value] = await valuesOf(expression);
      if (holds(value)) return value;
      assert.ok(Date.now() < deadline, `${expression} is ${value} after 30 s`);
      await sleep(250);
    }
  };

  await t.test(
    'targets are asked on their path, with the token where there is one, and the absent one is down',
    async () => {
      await untilValue('sum(up{job=~"twin|closed"})', (value) => value === 2);
      // Each target's first scrape comes at a moment of its own within the interval.
      await untilValue('up{job="absent"}', (value) => value === 0);
      const headers = (path: string) => scraped.find((request) => request.path === path)!.headers;
      assert.equal(headers('/metrics').authorization, undefined);
      assert.equal(headers('/closed').authorization, 'Bearer scrape-secret');
    },
  );

  const rate = summedRate(selector('requests_total', { job: 'twin' }), 5, ['service']);
  await t.test('the rate of a counter is what it grows by', async () => {
    const value = await untilValue(rate, (found) => found !== undefined && Math.abs(found - series.perSecond) < 2);
    assert.ok(value! > 0);
  });

  await t.test('a quantile of a histogram lies within its bucket', async () => {
    const p95 = await untilValue(quantileOf(0.95, 'latency_seconds_bucket{job="twin"}', 5, []), Number.isFinite);
    assert.ok(p95! > 0.1 && p95! <= 0.25, `p95 is ${p95}`);
  });

  await t.test('a counter that starts again from zero keeps its rate', async () => {
    series.restart();
    await sleep(3_000);
    for (const value of await valuesOf(rate))
      assert.ok(value! > 0 && value! < 2 * series.perSecond, `rate is ${value}`);
    await untilValue('resets(requests_total{job="twin"}[20s])', (value) => value !== undefined && value >= 1);
  });

  await t.test('NaN stays NaN at a moment, and counts as missing on a grid', async () => {
    assert.deepEqual(await valuesOf('broken{job="twin"}'), [NaN]);
    const grid = { startSeconds: now() - 3, stepSeconds: 1, points: 3 };
    const { series: found } = await client.queryGrid('broken{job="twin"}', grid);
    assert.equal(found[0]!.missing, 3);
  });

  await t.test('a series that nobody has is none; one that vanishes is gone at the next scrape', async () => {
    assert.deepEqual(await valuesOf('requests_total{service="nobody"}'), []);
    assert.ok((await untilValue('fleeting{job="twin"}', (value) => value !== undefined))! > 0);
    const vanishedAt = now();
    series.withFleeting = false;
    await untilValue('fleeting{job="twin"}', (value) => value === undefined);
    const grid = { startSeconds: vanishedAt - 2, stepSeconds: 1, points: 3 + (now() - vanishedAt) };
    const { series: found } = await client.queryGrid('fleeting{job="twin"}', grid);
    assert.ok(Number.isFinite(found[0]!.values[0]));
    assert.ok(Number.isNaN(found[0]!.values.at(-1)));
  });

  await t.test('an expression that is none is refused with what Prometheus says of it', async () => {
    assert.match((await refusedWith('OBSERVATION_REFUSED', client.query('rate(', now()))).message, /parse error/);
  });

  await t.test('down it is unavailable; after a crash and a restart it has kept what it had', async () => {
    const before = now();
    await server.kill();
    await refusedWith('OBSERVATION_UNAVAILABLE', client.query('up', now()));
    await server.restart();
    const { series: kept } = await client.query('up{job="twin"}', before);
    assert.deepEqual(kept[0]!.values, [1]);
    await untilValue('up{job="twin"}', (value) => value === 1);
  });

  await t.test('its promtool finds nothing wrong with what it scraped', async () => {
    const file = join(folder, 'metrics.txt');
    writeFileSync(file, series.text());
    await promisify(execFile)('sh', ['-c', '"$0" check metrics < "$1"', programs!.promtool, file]);
  });

  await t.test('stop leaves no process', async () => {
    const { pid } = server.program();
    assert.ok(startedAt(pid) !== undefined);
    await server.stop();
    assert.equal(startedAt(pid), undefined);
  });
});

/** Series as a service would export them, growing steadily with time. */
class SteadySeries {
  readonly perSecond = 20;
  withFleeting = true;
  #since = Date.now() - 100_000;

  restart(): void {
    this.#since = Date.now();
  }

  text(): string {
    const requests = Math.round(((Date.now() - this.#since) / 1000) * this.perSecond);
    return [
      '# HELP requests_total Requests served.',
      '# TYPE requests_total counter',
      `requests_total{service="cart"} ${requests}`,
      '# HELP latency_seconds How long requests took.',
      '# TYPE latency_seconds histogram',
      `latency_seconds_bucket{le="0.1"} ${Math.round(requests * 0.9)}`,
      `latency_seconds_bucket{le="0.25"} ${requests}`,
      `latency_seconds_bucket{le="+Inf"} ${requests}`,
      `latency_seconds_sum ${requests * 0.08}`,
      `latency_seconds_count ${requests}`,
      '# HELP broken Nobody can tell.',
      '# TYPE broken gauge',
      'broken NaN',
      ...(this.withFleeting ? ['# HELP fleeting Soon gone.', '# TYPE fleeting gauge', 'fleeting 7'] : []),
      '',
    ].join('\n');
  }
}

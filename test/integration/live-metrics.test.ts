import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCollectActivities } from '../../activities/collect.ts';
import type { PrometheusServer } from '../../scripts/local-services/prometheus-server.ts';
import { prometheusOrSkip, startTestPrometheus } from '../../scripts/local-services/test-prometheus.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../src/cluster/workload-metrics/metric-names.ts';
import { createSeriesReader } from '../../src/cluster/workload-metrics/series-reader.ts';
import { createSnapshotReader } from '../../src/cluster/workload-metrics/snapshot-reader.ts';
import type { ClusterReader, ClusterState } from '../../src/contracts/cluster.ts';
import type { SeriesReader, SeriesRequest, SnapshotRequest } from '../../src/contracts/cluster-metrics.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { CollectedRecording } from '../../src/contracts/runs.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import { decodeRecording } from '../../src/recordings/recording.ts';
import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { cpuSecondsPerCall, memoryBytes, MetricShop } from '../fakes/metric-shop.ts';
import { answeringServer } from '../unit/cluster/answering-server.ts';
import { prometheusWithHistory } from './shop-history.ts';

const { skip } = await prometheusOrSkip();

/** A Prometheus that scrapes a shop every second, as it is. */
async function prometheusOf(t: TestContext, shop: MetricShop): Promise<PrometheusServer> {
  const target = await answeringServer(t, (_request, response) => {
    const text = `${shop.linesAt(Date.now() / 1000).join('\n')}\n`;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
  });
  const scrape = [{ job: 'shop', targets: [new URL(target).host], intervalSeconds: 1 }];
  const server = await startTestPrometheus({ scrape });
  t.after(() => server.stop());
  return server;
}

const near = (found: number | null, expected: number, share: number, what: string): void =>
  assert.ok(
    found !== null && Math.abs(found - expected) <= share * expected,
    `${what} is ${found}, expected ${expected} ± ${share * 100} %`,
  );

const bin = 15;
/** Half an hour, two hours ago, on a whole bin. */
const end = Math.floor((Date.now() / 1000 - 7200) / 60) * 60;
const begin = end - 1800;
const binOf = (seconds: number): number => (seconds - begin) / bin;

test('the history of a real Prometheus becomes a recording', { skip }, async (t) => {
  const shop = new MetricShop(2);
  const [down, downEnds] = [begin + 600, begin + 720];
  const [brokenFrom, brokenTo] = [begin + 1200, begin + 1260];
  const goneAt = begin + 900;
  const comesAt = begin + 450;
  shop.restarts = [{ pod: 'web-5d8f9c7b4-bbbbb', seconds: begin + 320 }];
  shop.isBroken = (service, at) => service === 'cart' && at >= brokenFrom && at < brokenTo;
  shop.isThere = (service, at) => (service === 'service-0' ? at < goneAt : service !== 'service-1' || at >= comesAt);
  shop.replicas = (_service, at) => (at < begin + 1000 ? 2 : 3);
  const isUp = (at: number): boolean => at < down || at >= downEnds;
  const url = await prometheusWithHistory(t, shop, { from: begin - 120, to: end, every: bin, isUp });
  const client = createPrometheusClient({ url });
  const reader = createSeriesReader(client, standardMetricNames);
  const request: SeriesRequest = {
    ...{ namespace: 'shop', dialect: 'istio', startSeconds: begin, binSeconds: bin, bins: 120 },
    ...{ windowSeconds: 60, workloads: [] },
  };
  const { services, edges } = await reader.read(request);
  const seriesOf = (workload: string) => services.find((service) => service.workload === workload)!.series;
  const web = seriesOf('shop/web');

  await t.test('calls are the rates behind the counters, through a counter that began again', () => {
    const expected = (at: number): number => shop.usersAt(begin + (at + 0.5) * bin);
    web.callsPerSecond.forEach((rate, at) => {
      if (Number.isNaN(rate)) return;
      // What a pod counted between its last scrape and its restart is lost.
      const tolerance = Math.abs(at - binOf(begin + 320)) < 4 ? 0.6 : 0.12;
      near(rate, expected(at), tolerance, `calls in bin ${at}`);
    });
    const known = web.callsPerSecond.filter((rate) => !Number.isNaN(rate));
    near(known.length, 120 - 8, 0.03, 'bins with calls');
    near(known.reduce((sum, rate) => sum + rate, 0) / known.length, 20, 0.08, 'mean of the calls');
  });

  await t.test('durations, own time, errors, CPU, memory and network are those of the shop', () => {
    const at = 90;
    near(web.meanSeconds[at], shop.meanSeconds('web'), 0.01, 'mean');
    // service-0 is gone by then, and web still waits for it.
    near(web.ownSeconds[at], 0.03, 0.02, 'own time');
    near(web.errorRate[at], 0.05, 0.01, 'error rate');
    near(web.p95Seconds[at], 0.25 + 0.25 * (0.05 / 0.08), 0.01, 'p95');
    near(web.cpuMillicores[at], 1000 * cpuSecondsPerCall * web.callsPerSecond[at], 0.01, 'CPU');
    near(web.memoryBytes[at], 2 * memoryBytes, 0, 'memory');
    near(web.sentBytesPerSecond[at], 900 * web.callsPerSecond[at], 0.01, 'sent');
    near(seriesOf('shop/cart').ownSeconds[at], 0.02, 0.01, 'own time of a leaf');
  });

  await t.test('replicas are those of kube-state-metrics', () => {
    assert.deepEqual([web.replicas[50], web.readyReplicas[50], web.replicas[100]], [2, 2, 3]);
  });

  await t.test('while Prometheus was down nothing is known', () => {
    const [from, to] = [binOf(down) + 4, binOf(downEnds)];
    for (const { series, workload } of services)
      for (const [name, values] of Object.entries(series))
        assert.ok(
          values.subarray(from, to).every((value) => Number.isNaN(value)),
          `${name} of ${workload}`,
        );
  });

  await t.test('a service that went or came has no replicas outside of its time', () => {
    const [gone, came] = [seriesOf('shop/service-0'), seriesOf('shop/service-1')];
    assert.ok(gone.replicas[binOf(goneAt) - 1] === 2 && Number.isNaN(gone.replicas[binOf(goneAt) + 8]));
    assert.ok(Number.isNaN(came.replicas[binOf(comesAt) - 2]) && came.replicas[binOf(comesAt) + 2] === 2);
  });

  await t.test('edges carry calls and what the caller waited', () => {
    const edge = edges.find(({ target }) => target === 'shop/cart')!;
    assert.equal(edge.source, 'shop/web');
    near(edge.callsPerSecond[30], 2 * web.callsPerSecond[30], 0.01, 'calls of cart');
    near(edge.meanSeconds[30], 0.022, 0.01, 'wait for cart');
    near(edge.errorRate[30], 0.05, 0.01, 'errors of cart');
    assert.deepEqual(
      edges.map(({ source, target }) => `${source} ${target}`),
      ['shop/web shop/cart', 'shop/web shop/service-0', 'shop/web shop/service-1', 'unknown shop/web'],
    );
  });

  const bench = createBench(reader);
  const spec = specOf({ minutes: 30, startMinutesAgo: 0, maxMissingShare: 0.15 }, bin);
  const expected = await bench.run(spec, { scheduledMs: begin * 1000 });

  await t.test('the activity stores it in the usual format, with its gaps', async () => {
    const { arrivals } = decodeRecording(await bench.artifacts.get(expected.artifact));
    assert.equal(arrivals.length, 120);
    near(arrivals[90], bin * shop.usersAt(begin + 90.5 * bin), 0.12, 'arrivals');
    const recording = decodeClusterRecording(await bench.artifacts.get(expected.cluster!));
    assert.equal(recording.entry, 'shop/web');
    const named = (what: string) => recording.gaps.filter((gap) => gap.what === what);
    const [blind] = named('everything');
    assert.ok(blind.from <= binOf(down) + 4 && blind.to >= binOf(downEnds), JSON.stringify(blind));
    // The others are beside the time that Prometheus was down, when there was one scrape but no rate.
    const broken = named('cpuMillicores of shop/cart').at(-1)!;
    assert.ok(broken.from >= binOf(brokenFrom) && broken.to <= binOf(brokenTo) + 3, JSON.stringify(recording.gaps));
    assert.ok(expected.repairs.interpolatedBins >= 4);
  });

  await t.test('killed in the middle, another attempt goes on and ends with the same bytes', async () => {
    const killed = createBench({
      async read(chunk, signal) {
        if (chunk.startSeconds >= begin + 900) throw new CoxswainError('INTERNAL', 'killed');
        return reader.read(chunk, signal);
      },
    });
    await assert.rejects(killed.run(spec, { scheduledMs: begin * 1000 }), { type: 'INTERNAL' });
    const asked: number[] = [];
    const next = createBench(
      { read: (chunk, signal) => (asked.push(chunk.startSeconds), reader.read(chunk, signal)) },
      killed.artifacts,
    );
    const heartbeatDetails = killed.heartbeats.at(-1);
    assert.deepEqual(await next.run(spec, { scheduledMs: begin * 1000, heartbeatDetails }), expected);
    assert.deepEqual(asked, [begin + 900, begin + 1200, begin + 1500]);
  });

  await t.test('with more missing than is allowed it is refused', async () => {
    await assert.rejects(
      bench.run(specOf({ minutes: 30, maxMissingShare: 0.01 }, bin), { scheduledMs: begin * 1000 }),
      {
        type: 'RECORDING_INCOMPLETE',
        message: /requests to shop\/web in \d of 120 bins.*Gaps, by bins: everything 4\d–48/,
      },
    );
  });
});

test("what OpenTelemetry's connector makes of traces gives the same figures", { skip }, async (t) => {
  const shop = new MetricShop(1, 'opentelemetry');
  const url = await prometheusWithHistory(t, shop, { from: begin - 120, to: end, every: bin });
  const client = createPrometheusClient({ url });
  const common = { dialect: 'opentelemetry', windowSeconds: 60 } as const;
  const p95 = 0.25 + 0.25 * (0.05 / 0.08);

  await t.test('as a recording', async () => {
    const { services, edges } = await createSeriesReader(client, standardMetricNames).read({
      ...{ ...common, namespace: 'shop', startSeconds: begin, binSeconds: bin, bins: 60, workloads: [] },
    });
    const web = services.find(({ workload }) => workload === 'shop/web')!.series;
    const cart = services.find(({ workload }) => workload === 'shop/cart')!.series;
    for (const at of [4, 30, 55]) {
      near(web.callsPerSecond[at], shop.usersAt(begin + (at + 0.5) * bin), 0.12, `calls in bin ${at}`);
      near(web.meanSeconds[at], shop.meanSeconds('web'), 0.01, 'mean');
      near(web.ownSeconds[at], 0.03, 0.02, 'own time');
      near(web.errorRate[at], 0.05, 0.01, 'error rate');
      near(web.p95Seconds[at], p95, 0.01, 'p95');
      near(cart.ownSeconds[at], 0.02, 0.01, 'own time of a leaf');
    }
    assert.deepEqual(
      edges.map(({ source, target }) => `${source} ${target}`),
      ['shop/web shop/cart', 'shop/web shop/service-0', 'unknown shop/web'],
    );
    near(edges[0].callsPerSecond[30], 2 * web.callsPerSecond[30], 0.01, 'calls of cart');
    near(edges[0].meanSeconds[30], 0.022, 0.01, 'wait for cart');
  });

  await t.test('as a snapshot, with the graph', async () => {
    const snapshot = await createSnapshotReader(client, standardMetricNames).read({
      ...{ ...common, workloads: ['shop/web', 'shop/cart', 'shop/service-0'], entry: 'shop/web', graph: true },
      ...{ stepSeconds: bin, rateSteps: 3, sloSeconds: 0.25, at: new Date(1000 * (begin + 900)) },
    });
    assert.deepEqual(snapshot.missing, []);
    near(snapshot.violationShare, 0.1, 0.01, 'violation share');
    near(snapshot.p95Seconds, p95, 0.01, 'p95');
    const [web, cart] = snapshot.services;
    near(web.ownSeconds, 0.03, 0.05, 'own time');
    near(cart.callsPerSecond, 2 * web.callsPerSecond!, 0.02, 'calls of cart');
    const [edge, other] = snapshot.graph!.edges;
    assert.deepEqual([edge.source, edge.target, other.source, other.target], [0, 1, 0, 2]);
    near(edge.callsPerSecond, cart.callsPerSecond!, 0.02, 'calls along the edge');
    near(edge.p95Seconds, p95, 0.01, 'p95 along the edge');
    near(edge.errorRate, 0.05, 0.01, 'errors along the edge');
    assert.equal(edge.mutualTlsShare, null);
  });
});

test('a running shop is recorded through a crash of Prometheus', { skip }, async (t) => {
  const shop = new MetricShop(1);
  const server = await prometheusOf(t, shop);
  const reader = createSeriesReader(createPrometheusClient({ url: server.url }), standardMetricNames);
  let looks = 0;
  const bench = createBench(reader, createMemoryArtifactStore(), {
    read: async () => ((looks += 1), clusterState(looks === 1 ? 4 : 5)),
  });
  const spec = specOf({ minutes: 0.8, startMinutesAgo: 0, windowSeconds: 8, maxMissingShare: 0.8 }, 2);
  const running = bench.run(spec, { scheduledMs: Date.now() });
  await sleep(14_000);
  await server.kill();
  await sleep(10_000);
  await server.restart();
  const { bins, cluster, repairs } = await running;
  assert.equal(bins, 24);
  const { gaps, services, requestsPerSecond, startSeconds } = decodeClusterRecording(
    await bench.artifacts.get(cluster!),
  );
  // The first bins are a gap as well: Prometheus had just begun.
  const gap = gaps.filter(({ what }) => what === 'requests to shop/web').at(-1)!;
  assert.ok(gap.from >= 7 && gap.to <= 23 && gap.to - gap.from >= 2, JSON.stringify(gaps));
  assert.ok(repairs.interpolatedBins >= gap.to - gap.from);
  // Beside the gap, rates are of the few samples that were left.
  const isQuiet = (at: number): boolean => (at > 3 && at < gap.from - 1) || at > gap.to + 1;
  requestsPerSecond.forEach((rate, at) => {
    if (isQuiet(at)) near(rate, shop.usersAt(startSeconds + 2 * at), 0.3, `requests in bin ${at}`);
  });
  const { replicas } = services.find(({ workload }) => workload === 'shop/web')!.series;
  // There is no kube-state-metrics: what was seen of the cluster is known even while Prometheus was down.
  assert.equal(replicas[gap.from], 5);
});

test('cancelled, a recording of a running shop ends within a second', { skip }, async (t) => {
  const server = await prometheusOf(t, new MetricShop(1));
  const reader = createSeriesReader(createPrometheusClient({ url: server.url }), standardMetricNames);
  const mock = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() });
  const running = createBench(reader).run(specOf({ minutes: 30 }, 15), {}, mock);
  await sleep(200);
  const cancelled = performance.now();
  mock.cancel();
  await assert.rejects(running, CancelledFailure);
  assert.ok(performance.now() - cancelled < 1000);
});

test('a snapshot of twenty services is right, and quick enough for a control step', { skip }, async (t) => {
  const shop = new MetricShop(18);
  const server = await prometheusOf(t, shop);
  const reader = createSnapshotReader(createPrometheusClient({ url: server.url }), standardMetricNames);
  const request = (): SnapshotRequest => ({
    ...{ workloads: shop.services.map((name) => `shop/${name}`), entry: 'shop/web', dialect: 'istio' },
    ...{ stepSeconds: 2, rateSteps: 3, windowSeconds: 6, sloSeconds: 0.25, at: new Date() },
  });
  for (;;) {
    const { missing } = await reader.read(request());
    if (missing.length === 0) break;
    await sleep(500);
  }
  await sleep(4_000);

  await t.test('it is what the shop did', async () => {
    const { requestsPerSecond, violationShare, p95Seconds, services, missing, endSeconds } =
      await reader.read(request());
    assert.deepEqual(missing, []);
    requestsPerSecond.forEach((rate, i) =>
      near(rate, shop.usersAt(endSeconds - 2 * (2 - i) - 1), 0.1, `requests of step ${i}`),
    );
    near(violationShare, 0.1, 0.01, 'violation share');
    near(p95Seconds, 0.25 + 0.25 * (0.05 / 0.08), 0.01, 'p95');
    const [web, cart] = services;
    near(web.ownSeconds, 0.03, 0.05, 'own time');
    near(cart.callsPerSecond, 2 * web.callsPerSecond!, 0.02, 'calls of cart');
    near(web.cpuMillicores, 1000 * cpuSecondsPerCall * web.callsPerSecond!, 0.02, 'CPU');
  });

  await t.test('asked for a graph, it tells the calls between services', async () => {
    const from = performance.now();
    const { graph, missing, services } = await reader.read({ ...request(), graph: true });
    const milliseconds = performance.now() - from;
    assert.deepEqual(missing, []);
    assert.deepEqual(
      graph!.edges.map(({ source, target }) => [source, target]),
      shop.services.slice(1).map((_, i) => [0, i + 1]),
    );
    const [toCart] = graph!.edges;
    near(toCart.callsPerSecond, services[1].callsPerSecond!, 0.02, 'calls to cart');
    near(toCart.p95Seconds, 0.25 + 0.25 * (0.05 / 0.08), 0.01, 'p95 of calls to cart');
    near(toCart.errorRate, 0.05, 0.01, 'errors of calls to cart');
    near(toCart.mutualTlsShare, 1, 0.02, 'calls to cart under mutual TLS');
    assert.ok(graph!.podMemoryBytes.every((bytes) => bytes === memoryBytes));
    t.diagnostic(`a snapshot of 20 services with their calls took ${milliseconds.toFixed(0)} ms`);
  });

  await t.test('it takes less than 150 ms', async () => {
    const times: number[] = [];
    for (let i = 0; i < 21; i++) {
      const from = performance.now();
      await reader.read(request());
      times.push(performance.now() - from);
    }
    const [fastest, median] = [0, 10].map((place) => times.toSorted((a, b) => a - b)[place]);
    t.diagnostic(`a snapshot of 20 services takes ${fastest.toFixed(0)} ms, median ${median.toFixed(0)} ms of 21`);
    // The fastest, since other tests run beside this one.
    assert.ok(fastest < 150, `${fastest} ms`);
  });

  await t.test('when the shop is not scraped any more, it says what is missing', async () => {
    shop.isThere = (service) => service !== 'cart';
    await sleep(8_000);
    const { missing, services } = await reader.read(request());
    assert.equal(services[1].memoryBytes, null);
    assert.ok(
      missing.some((sentence) => sentence.includes('shop/cart')),
      missing.join('\n'),
    );
  });

  await t.test('when Prometheus is gone, that is an outage', async () => {
    await server.kill();
    await assert.rejects(reader.read(request()), { code: 'OBSERVATION_UNAVAILABLE' });
  });
});

const clusterState = (replicas: number): ClusterState => ({
  ...{ at: new Date(), nodes: [], pods: [], podsLeft: {}, events: [], gaps: [] },
  workloads: [
    {
      ...{ workload: 'shop/web', kind: 'Deployment', uid: '', resourceVersion: '', replicas, readyReplicas: replicas },
      ...{ cpuRequestMillicores: 100, cpuLimitMillicores: null, memoryRequestBytes: 64, memoryLimitBytes: 128 },
      ...{ owner: null, autoscaler: null, disruptionsAllowed: null, scaledAt: null },
    },
  ],
});

const specOf = (source: object, binSeconds: number): RunSpec =>
  ({
    collect: {
      source: {
        ...{ kind: 'cluster', namespace: 'shop', entry: null, dialect: 'istio', startMinutesAgo: 0 },
        ...{ windowSeconds: 60, maxMissingShare: 0.05 },
        ...source,
      },
      ...{ binSeconds, seed: 1, split: { train: 0.6, validate: 0.2, heldOut: 0.2 } },
    },
  }) as unknown as RunSpec;

function createBench(
  series: SeriesReader,
  artifacts = createMemoryArtifactStore(),
  cluster: ClusterReader = { read: async () => clusterState(2) },
) {
  const heartbeats: unknown[] = [];
  const activities = createCollectActivities({
    ...{ store: createMemoryStore(), artifacts, series, cluster, client: null },
    ...{ episodeSteps: () => 2, retryMs: 500, settleMs: 1_500 },
  });
  return {
    artifacts,
    heartbeats,
    run: (
      spec: RunSpec,
      { scheduledMs = Date.now(), heartbeatDetails }: { scheduledMs?: number; heartbeatDetails?: unknown } = {},
      mock = new MockActivityEnvironment({ scheduledTimestampMs: scheduledMs, heartbeatDetails }),
    ): Promise<CollectedRecording> => {
      mock.on('heartbeat', (details: unknown) => heartbeats.push(details));
      return mock.run(activities.recordCluster, { runId: 'run', spec });
    },
  };
}

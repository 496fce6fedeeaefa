import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { GridSeries, PrometheusClient, TimeGrid } from '../../../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../../../src/cluster/workload-metrics/metric-names.ts';
import { createSnapshotReader } from '../../../../src/cluster/workload-metrics/snapshot-reader.ts';
import type { SnapshotRequest } from '../../../../src/contracts/cluster-metrics.ts';

type Sample = readonly [labels: Record<string, string>, value: number | readonly number[]];

/** Answers a query by the first key all of whose words it holds; notes every query. */
function prometheus(answers: Readonly<Record<string, readonly Sample[]>>) {
  const asked: { expression: string; grid: TimeGrid }[] = [];
  const client: PrometheusClient = {
    query: () => Promise.reject(new Error('not asked for')),
    async queryGrid(expression, grid) {
      asked.push({ expression, grid });
      const found = Object.entries(answers).find(([key]) => key.split(' ').every((word) => expression.includes(word)));
      const series = (found?.[1] ?? []).map(([labels, value]): GridSeries => {
        const values = Float64Array.from(typeof value === 'number' ? Array(grid.points).fill(value) : value);
        return { labels, values, missing: values.filter(Number.isNaN).length };
      });
      return { series, warnings: [] };
    },
  };
  return { client, asked };
}

const edge = (source: string, target: string): Record<string, string> => ({
  source_workload: source,
  source_workload_namespace: source === 'unknown' ? 'unknown' : 'shop',
  destination_workload: target,
  destination_workload_namespace: 'shop',
  request_protocol: 'http',
});
const pods = (value: number): Sample[] =>
  ['web-5d8f9c7b4-x2k9p', 'web-5d8f9c7b4-bbbbb', 'cart-6f7f8f9f4-ccccc', 'idle-0', 'other-6f7f8f9f4-ccccc'].map(
    (pod) => [{ namespace: 'shop', pod }, value],
  );
const buckets = (counts: readonly number[]): Sample[] =>
  counts.map((count, i) => [
    { ...{ destination_workload: 'web', destination_workload_namespace: 'shop' }, le: ['100', '500', '+Inf'][i] },
    count,
  ]);

/** 20 requests/s to `web`, each of which calls `cart` 1.5 times; `idle` gets none. */
const shop = {
  'requests_total [15s]': [[{ destination_workload: 'web' }, [18, 22]]],
  'requests_total response_code=~': [[edge('unknown', 'web'), 1]],
  'requests_total grpc_response_status': [[edge('web', 'cart'), 3]],
  'requests_total reporter="destination"': [
    [edge('unknown', 'web'), 15],
    [edge('web', 'web'), 5],
    [edge('web', 'cart'), 30],
  ],
  'requests_total reporter="source"': [[edge('web', 'cart'), 30]],
  // Milliseconds a second: 20 requests of 200 ms; 30 calls of 40 ms at the server, 60 ms at the caller.
  'milliseconds_sum reporter="destination"': [
    [edge('unknown', 'web'), 4000],
    [edge('web', 'cart'), 1200],
  ],
  'milliseconds_sum reporter="source"': [[edge('web', 'cart'), 1800]],
  'milliseconds_count reporter="destination"': [
    [edge('unknown', 'web'), 20],
    [edge('web', 'cart'), 30],
  ],
  'milliseconds_count reporter="source"': [[edge('web', 'cart'), 30]],
  milliseconds_bucket: [
    ...buckets([10, 18, 20]),
    ...buckets([30, 30, 30]).map(([labels, value]): Sample => [{ ...labels, destination_workload: 'cart' }, value]),
  ],
  cpu_usage: pods(0.25),
  memory_working: pods(1000),
  receive: pods(7),
  transmit: pods(9),
} satisfies Record<string, readonly Sample[]>;

const request: SnapshotRequest = {
  workloads: ['shop/web', 'shop/cart', 'shop/idle'],
  entry: 'shop/web',
  dialect: 'istio',
  stepSeconds: 15,
  rateSteps: 2,
  windowSeconds: 60,
  sloSeconds: 0.3,
  at: new Date(1_000_007_000),
};

const read = (answers: Readonly<Record<string, readonly Sample[]>>, change: Partial<SnapshotRequest> = {}) => {
  const { client, asked } = prometheus(answers);
  return { asked, snapshot: createSnapshotReader(client, standardMetricNames).read({ ...request, ...change }) };
};

test('a snapshot says what users saw and what each service did, at the end of the last complete step', async () => {
  const { snapshot, asked } = read(shop);
  const { services, ...whole } = await snapshot;
  assert.deepEqual(whole, {
    endSeconds: 999_990 + 15,
    stepSeconds: 15,
    requestsPerSecond: [18, 22],
    p95Seconds: 0.5,
    violationShare: 1 - (10 + 8 * 0.5) / 20,
    missing: [],
  });
  const used = { cpuMillicores: 250, memoryBytes: 1000, receivedBytesPerSecond: 7, sentBytesPerSecond: 9 };
  const [web, cart, idle] = services;
  assert.deepEqual(web, {
    cpuMillicores: 500,
    memoryBytes: 2000,
    callsPerSecond: 20,
    errorRate: 0.05,
    meanSeconds: 0.2,
    // 0.2 s without 1.5 calls of 60 ms each
    ownSeconds: 0.2 - 1.8 / 20,
    p50Seconds: 0.1,
    p95Seconds: 0.5,
    p99Seconds: 0.5,
    receivedBytesPerSecond: 14,
    sentBytesPerSecond: 18,
  });
  assert.deepEqual([cart.callsPerSecond, cart.errorRate, cart.meanSeconds, cart.ownSeconds], [30, 0.1, 0.04, 0.04]);
  assert.deepEqual(idle, {
    ...used,
    ...{ callsPerSecond: 0, errorRate: 0, meanSeconds: null, ownSeconds: null },
    ...{ p50Seconds: null, p95Seconds: null, p99Seconds: null },
  });
  assert.equal(asked.length, 15);
  const steps = asked.filter(({ grid }) => grid.points === 2);
  assert.deepEqual(steps, [
    {
      expression:
        'sum by (destination_workload) (rate(istio_requests_total{reporter="destination",destination_workload="web",destination_workload_namespace="shop"}[15s])' +
        ' or rate(istio_requests_total{reporter="destination",destination_workload="web",destination_workload_namespace="shop"}[30s]))',
      grid: { startSeconds: 999_990, stepSeconds: 15, points: 2 },
    },
  ]);
});

/** 95th percentiles of calls in milliseconds, and calls under mutual TLS. */
const graphOfShop = {
  'histogram_quantile reporter="source"': [[edge('web', 'cart'), 90]],
  'histogram_quantile reporter="destination"': [
    [edge('unknown', 'web'), 400],
    [edge('web', 'cart'), 70],
    [edge('web', 'web'), 20],
  ],
  'requests_total mutual_tls': [[edge('web', 'cart'), 24]],
  ...shop,
} satisfies Record<string, readonly Sample[]>;

test('a graph’s edges have rate, p95, errors and mutual TLS, and its pods their memory', async () => {
  const grpc = { ...edge('web', 'cart'), request_protocol: 'grpc' };
  const { snapshot, asked } = read(
    {
      ...graphOfShop,
      'requests_total reporter="destination"': [
        ...shop['requests_total reporter="destination"'],
        [grpc, 10],
        [edge('cart', 'idle'), 0],
      ],
    },
    { graph: true },
  );
  const { graph, missing } = await snapshot;
  assert.deepEqual(missing, []);
  assert.deepEqual(graph!.edges, [
    // Of its own calls the caller tells nothing; nobody calls `idle`.
    { source: 0, target: 0, callsPerSecond: 5, errorRate: 0, p95Seconds: 0.02, mutualTlsShare: 0 },
    // Of 30 + 10 calls 3 failed; the caller's percentile counts.
    { source: 0, target: 1, callsPerSecond: 40, errorRate: 3 / 40, p95Seconds: 0.09, mutualTlsShare: 24 / 40 },
  ]);
  assert.deepEqual(graph!.podMemoryBytes, [1000, 1000, 1000]);
  assert.equal(asked.length, 18);
});

test('an edge without percentile is named; a service that comes and goes is not missing once it is gone', async () => {
  const workloads = [...request.workloads, 'shop/gone'];
  const answers = {
    ...graphOfShop,
    'histogram_quantile reporter="source"': [],
    'histogram_quantile reporter="destination"': [],
  };
  const { snapshot } = read(answers, { workloads, graph: true, comingAndGoing: ['shop/idle', 'shop/gone'] });
  const { graph, missing } = await snapshot;
  assert.equal(graph!.podMemoryBytes[3], null);
  assert.deepEqual(missing, [
    'The 95th percentile of calls from shop/web to shop/web is missing.',
    'The 95th percentile of calls from shop/web to shop/cart is missing.',
  ]);
  assert.match((await read(answers, { workloads }).snapshot).missing.join(), /of shop\/gone are missing/);
});

test('where nobody tells of mutual TLS, its share is not known', async () => {
  const call = (client: string, server: string) => ({ client, server });
  const { snapshot, asked } = read(
    {
      'request_total [15s]': [[{ server: 'web' }, [3, 4]]],
      request_total: [
        [call('user', 'web'), 4],
        [call('web', 'cart'), 8],
      ],
      'histogram_quantile client_seconds': [[call('web', 'cart'), 0.3]],
    },
    { dialect: 'opentelemetry', graph: true },
  );
  const [cart] = (await snapshot).graph!.edges;
  assert.deepEqual([cart.target, cart.callsPerSecond, cart.p95Seconds, cart.mutualTlsShare], [1, 8, 0.3, null]);
  assert.equal(asked.length, 15);
});

test('where callers tell nothing of an edge, the time at its server is what the caller waited', async () => {
  const { snapshot } = read({
    ...shop,
    'requests_total reporter="source"': [],
    'milliseconds_sum reporter="source"': [],
    'milliseconds_count reporter="source"': [],
  });
  const { services, missing } = await snapshot;
  assert.deepEqual(missing, []);
  assert.ok(Math.abs(services[0].ownSeconds! - (0.2 - 1.2 / 20)) < 1e-12);
});

test('time that is waited for in parallel leaves no negative own time', async () => {
  const { snapshot } = read({ ...shop, 'milliseconds_sum reporter="source"': [[edge('web', 'cart'), 9000]] });
  assert.equal((await snapshot).services[0].ownSeconds, 0);
});

test('a service whose own series are gone has the calls that its callers count, and the rest is missing', async () => {
  const gone = (samples: readonly Sample[]): Sample[] =>
    samples.filter(([labels]) => labels.destination_workload !== 'cart');
  const { snapshot } = read({
    ...shop,
    'requests_total grpc_response_status': [],
    'requests_total reporter="destination"': gone(shop['requests_total reporter="destination"']),
    'milliseconds_sum reporter="destination"': gone(shop['milliseconds_sum reporter="destination"']),
    'milliseconds_count reporter="destination"': gone(shop['milliseconds_count reporter="destination"']),
    milliseconds_bucket: gone(shop.milliseconds_bucket),
  });
  const { services, missing } = await snapshot;
  assert.equal(services[1].callsPerSecond, 30);
  assert.deepEqual(missing, ['meanSeconds, ownSeconds, p50Seconds, p95Seconds, p99Seconds of shop/cart are missing.']);
});

test('a number that is none, and a service without pods, are null and named', async () => {
  const { snapshot } = read({
    ...shop,
    cpu_usage: pods(0.25).map(([labels, value]) => [labels, labels.pod.startsWith('cart') ? NaN : value]),
    memory_working: pods(1000).filter(([labels]) => labels.pod !== 'idle-0'),
  });
  const { services, missing } = await snapshot;
  assert.equal(services[1].cpuMillicores, null);
  assert.deepEqual([services[2].memoryBytes, services[2].callsPerSecond], [null, null]);
  assert.deepEqual(missing, [
    'cpuMillicores of shop/cart is missing.',
    'memoryBytes, callsPerSecond, errorRate, meanSeconds, ownSeconds, p50Seconds, p95Seconds, p99Seconds of shop/idle are missing.',
  ]);
});

test('without any series of the mesh nobody has calls, not even none, and it says so', async () => {
  const { cpu_usage, memory_working, receive, transmit } = shop;
  const { snapshot } = read({ cpu_usage, memory_working, receive, transmit });
  const { requestsPerSecond, violationShare, services, missing } = await snapshot;
  assert.deepEqual([requestsPerSecond, violationShare], [[null, null], null]);
  assert.ok(services.every(({ callsPerSecond }) => callsPerSecond === null));
  assert.deepEqual(missing.slice(0, 3), [
    'istio_requests_total has no series with a rate for calls into the namespaces asked for.',
    'The request rate of shop/web is missing in 2 of 2 steps.',
    'The histogram istio_request_duration_milliseconds_bucket of shop/web is missing.',
  ]);
});

test('steps that are missing at the end hint at the clock, others do not', async () => {
  const rates = async (values: readonly number[]) => {
    const answers = { ...shop, 'requests_total [15s]': [[{ destination_workload: 'web' }, values]] as const };
    return (await read(answers, { rateSteps: values.length }).snapshot).missing;
  };
  assert.deepEqual(await rates([4, 5, NaN, NaN]), [
    'The request rate of shop/web is missing in 2 of 4 steps, the newest: scrapes are late, or this clock is ahead of Prometheus.',
  ]);
  assert.deepEqual(await rates([NaN, 5, 6, NaN]), ['The request rate of shop/web is missing in 2 of 4 steps.']);
});

test('without users nobody is violated and no percentile is missing', async () => {
  const { snapshot } = read({
    ...shop,
    'requests_total [15s]': [[{ destination_workload: 'web' }, [0, 0]]],
    'requests_total response_code=~': [],
    'requests_total reporter="destination"': [[edge('unknown', 'web'), 0]],
    'requests_total reporter="source"': [],
    milliseconds_sum: [],
    milliseconds_count: [],
    milliseconds_bucket: buckets([0, 0, 0]),
  });
  const { p95Seconds, violationShare, missing } = await snapshot;
  assert.deepEqual([p95Seconds, violationShare, missing], [null, 0, []]);
});

test('the series of OpenTelemetry carry no namespace, and `user` is nobody of the mesh', async () => {
  const call = (client: string, server: string) => ({ client, server });
  const histogram = [1, 3, 4].map((count, i): Sample => [{ server: 'web', le: ['0.1', '0.5', '+Inf'][i] }, count]);
  const { snapshot } = read(
    {
      'request_total [15s]': [[{ server: 'web' }, [3, 4]]],
      request_total: [
        [call('user', 'web'), 4],
        [call('web', 'cart'), 8],
      ],
      failed_total: [[call('user', 'web'), 1]],
      server_seconds_bucket: histogram,
      server_seconds_sum: [
        [call('user', 'web'), 2],
        [call('web', 'cart'), 0.8],
      ],
      server_seconds_count: [
        [call('user', 'web'), 4],
        [call('web', 'cart'), 8],
      ],
      client_seconds_sum: [[call('web', 'cart'), 1.2]],
      client_seconds_count: [[call('web', 'cart'), 8]],
    },
    { dialect: 'opentelemetry' },
  );
  const { services, requestsPerSecond, violationShare } = await snapshot;
  assert.deepEqual(requestsPerSecond, [3, 4]);
  assert.equal(violationShare, 1 - 2 / 4);
  const [web, cart] = services;
  assert.deepEqual([web.callsPerSecond, web.errorRate, web.meanSeconds, web.ownSeconds], [4, 0.25, 0.5, 0.5 - 1.2 / 4]);
  assert.deepEqual([cart.callsPerSecond, cart.meanSeconds], [8, 0.1]);
});

test('all queries together have one time limit, and the others end with the first that fails', async () => {
  const ended: unknown[] = [];
  const client: PrometheusClient = {
    query: () => Promise.reject(new Error('not asked for')),
    async queryGrid(expression, _grid, signal) {
      if (expression.includes('transmit') && fails) throw new Error('broken');
      await sleep(60_000, undefined, { signal }).catch((error: unknown) => {
        ended.push(expression);
        throw error;
      });
      return { series: [], warnings: [] };
    },
  };
  let fails = false;
  const reader = createSnapshotReader(client, standardMetricNames, { timeoutMs: 20 });
  await assert.rejects(reader.read(request), { code: 'OBSERVATION_UNAVAILABLE', message: /within 20 ms/ });
  assert.equal(ended.length, 15);
  fails = true;
  await assert.rejects(createSnapshotReader(client, standardMetricNames).read(request), /broken/);
  await sleep(5);
  assert.equal(ended.length, 29);
});

test('a snapshot can be given up', async () => {
  const client: PrometheusClient = {
    query: () => Promise.reject(new Error('not asked for')),
    queryGrid: (_expression, _grid, signal) => sleep(60_000, { series: [], warnings: [] }, { signal }),
  };
  const reason = new Error('stop');
  await assert.rejects(
    createSnapshotReader(client, standardMetricNames).read(request, AbortSignal.timeout(10)),
    (error: unknown) => (error as Error).name === 'TimeoutError',
  );
  await assert.rejects(
    createSnapshotReader(client, standardMetricNames).read(request, AbortSignal.abort(reason)),
    reason,
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PrometheusClient, TimeGrid } from '../../../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../../../src/cluster/workload-metrics/metric-names.ts';
import { createSeriesReader } from '../../../../src/cluster/workload-metrics/series-reader.ts';
import type { SeriesRequest } from '../../../../src/contracts/cluster-metrics.ts';

type Sample = readonly [labels: Record<string, string>, values: readonly number[]];

/** Answers a query by the first key all of whose words it holds. */
function prometheus(answers: Readonly<Record<string, readonly Sample[]>>) {
  const asked: { expression: string; grid: TimeGrid }[] = [];
  const client: PrometheusClient = {
    query: () => Promise.reject(new Error('not asked for')),
    async queryGrid(expression, grid) {
      asked.push({ expression, grid });
      const found = Object.entries(answers).find(([key]) => key.split(' ').every((word) => expression.includes(word)));
      const series = (found?.[1] ?? []).map(([labels, values]) => ({
        ...{ labels, values: Float64Array.from(values), missing: values.filter(Number.isNaN).length },
      }));
      return { series, warnings: [] };
    },
  };
  return { client, asked };
}

const call = (source: string, target: string, more: Record<string, string> = {}) => ({
  source_workload: source,
  source_workload_namespace: source === 'unknown' ? 'unknown' : 'shop',
  destination_workload: target,
  destination_workload_namespace: target === 'unknown' ? 'unknown' : 'shop',
  request_protocol: 'http',
  ...more,
});
const request: SeriesRequest = {
  ...{ namespace: 'shop', dialect: 'istio', startSeconds: 900, binSeconds: 15, bins: 2, windowSeconds: 60 },
  workloads: ['shop/quiet', 'shop/nothing'],
};
const pod = (name: string) => ({ namespace: 'shop', pod: name });
const gauge = (label: string, name: string) => ({ namespace: 'shop', [label]: name });

const answers = {
  'response_code=~': [[call('unknown', 'web'), [1, NaN]]],
  grpc_response_status: [],
  'requests_total destination"': [
    [call('unknown', 'web'), [10, 20]],
    [call('web', 'cart', { request_protocol: 'grpc' }), [NaN, 5]],
  ],
  'requests_total source"': [
    [call('web', 'cart', { request_protocol: 'grpc' }), [4, 5]],
    [call('web', 'unknown'), [2, 2]],
  ],
  'sum{reporter="source"': [
    [call('web', 'cart', { request_protocol: 'grpc' }), [100, 500]],
    [call('web', 'unknown'), [600, 600]],
  ],
  'count{reporter="source"': [
    [call('web', 'cart', { request_protocol: 'grpc' }), [4, 5]],
    [call('web', 'unknown'), [2, 2]],
  ],
  'sum{reporter="destination"': [[call('unknown', 'web'), [2000, 4000]]],
  'count{reporter="destination"': [[call('unknown', 'web'), [10, 20]]],
  tcp_connections: [[call('cart', 'redis'), [0.5, 0.5]]],
  kube_deployment_spec: [[gauge('deployment', 'web'), [2, 3]]],
  kube_deployment_status: [[gauge('deployment', 'web'), [2, 2]]],
  kube_statefulset_replicas: [[gauge('statefulset', 'redis'), [1, 1]]],
  memory_working: [
    [pod('web-5d8f9c7b4-bbbbb'), [10, 10]],
    [pod('web-5d8f9c7b4-ccccc'), [NaN, 20]],
    [pod('redis-0'), [7, 7]],
    [pod('quiet-5d8f9c7b4-ddddd'), [5, 5]],
  ],
} satisfies Record<string, readonly Sample[]>;

test('a stretch of time has every service of the namespace, from whatever tells of it', async () => {
  const { client, asked } = prometheus(answers);
  const { services } = await createSeriesReader(client, standardMetricNames).read(request);
  const figure = (name: 'replicas' | 'callsPerSecond' | 'memoryBytes' | 'readyReplicas' | 'ownSeconds') =>
    Object.fromEntries(services.map(({ workload, series }) => [workload.slice(5), [...series[name]]]));
  assert.deepEqual(figure('replicas'), {
    ...{ cart: [NaN, NaN], quiet: [NaN, NaN], redis: [1, 1], web: [2, 3] },
  });
  assert.deepEqual(figure('readyReplicas').web, [2, 2]);
  // In its first bin cart counted nothing, but its caller did; nobody called redis and quiet over HTTP.
  assert.deepEqual(figure('callsPerSecond'), { cart: [4, 5], quiet: [0, 0], redis: [0, 0], web: [10, 20] });
  assert.deepEqual(figure('memoryBytes'), { cart: [NaN, NaN], quiet: [5, 5], redis: [7, 7], web: [10, 30] });
  // 0.2 s less 0.01 s for cart and 0.06 s outside of the mesh, for each request; then 0.2 - 0.025 - 0.03.
  assert.deepEqual(figure('ownSeconds').web, [...Float32Array.of(0.2 - 0.07, 0.2 - 0.055)]);
  assert.deepEqual(
    services.map(({ runningPods }) => [...runningPods]),
    [
      [NaN, NaN],
      [1, 1],
      [1, 1],
      [1, 2],
    ],
  );
  // A bin's number is asked for at its end.
  assert.ok(asked.every(({ grid }) => grid.startSeconds === 915 && grid.stepSeconds === 15 && grid.points === 2));
  const { expression } = asked.find((query) => query.expression.includes('kube_deployment_spec'))!;
  const metric = 'kube_deployment_spec_replicas{namespace=~"shop"}';
  assert.equal(expression, `max by (namespace, deployment) (${metric} and last_over_time(${metric}[30s]))`);
});

test('edges are those that servers count, those of which only callers tell, and TCP', async () => {
  const { edges } = await createSeriesReader(prometheus(answers).client, standardMetricNames).read(request);
  assert.deepEqual(
    edges.map(({ source, target, protocol, callsPerSecond, errorRate, meanSeconds }) => [
      `${source} ${target} ${protocol}`,
      ...[callsPerSecond, errorRate, meanSeconds].map((values) => [...values]),
    ]),
    [
      ['shop/cart shop/redis tcp', [0.5, 0.5], [NaN, NaN], [NaN, NaN]],
      ['shop/web shop/cart grpc', [4, 5], [0, 0], [...Float32Array.of(0.025, 0.1)]],
      ['shop/web unknown http', [2, 2], [0, 0], [...Float32Array.of(0.3, 0.3)]],
      ['unknown shop/web http', [10, 20], [...Float32Array.of(0.1, 0)], [...Float32Array.of(0.2, 0.2)]],
    ],
  );
});

test('where nothing is scraped there is nothing, not even services that are known', async () => {
  const found = await createSeriesReader(prometheus({}).client, standardMetricNames).read(request);
  assert.deepEqual(found, { services: [], edges: [] });
});

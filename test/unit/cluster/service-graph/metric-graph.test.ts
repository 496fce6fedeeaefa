import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PrometheusClient } from '../../../../src/cluster/prometheus/prometheus-client.ts';
import {
  istioEdgeMetrics,
  openTelemetryEdgeMetrics,
  readMetricGraph,
} from '../../../../src/cluster/service-graph/metric-graph.ts';

type Sample = readonly [labels: Record<string, string>, value: number];

/** Answers the queries whose text contains a key; every query that was asked is noted. */
function prometheus(answers: Readonly<Record<string, readonly Sample[]>>): {
  client: PrometheusClient;
  asked: string[];
} {
  const asked: string[] = [];
  const client: PrometheusClient = {
    async query(expression, at) {
      asked.push(expression);
      const [, samples] = Object.entries(answers).find(([part]) => expression.includes(part)) ?? ['', []];
      return { series: samples.map(([labels, value]) => ({ labels, times: [at], values: [value] })), warnings: [] };
    },
    queryGrid: () => Promise.reject(new Error('not asked for')),
  };
  return { client, asked };
}

const request = { namespaces: ['shop', 'it'], atSeconds: 600, windowSeconds: 60 };
const call = (protocol: string): Record<string, string> => ({
  source_workload: 'frontend',
  source_workload_namespace: 'shop',
  destination_workload: 'cart',
  destination_workload_namespace: 'shop',
  request_protocol: protocol,
});

test("Istio's series become edges with rate, errors, time and encryption", async () => {
  const outside = { ...call('http'), source_workload: 'unknown', source_workload_namespace: 'unknown' };
  const { client, asked } = prometheus({
    'response_code=~"500|501|502|503|504"': [[call('http'), 1]],
    'grpc_response_status=~"2|4|12|13|14|15"': [[call('grpc'), 2]],
    'connection_security_policy="mutual_tls"': [[call('http'), 10]],
    istio_tcp_sent_bytes_total: [[{ ...call('http'), request_protocol: '' }, 900]],
    histogram_quantile: [
      [call('http'), 250],
      [outside, NaN],
    ],
    istio_requests_total: [
      [call('http'), 20],
      [call('grpc'), 4],
      [outside, 3],
    ],
  });
  const { workloads, edges } = await readMetricGraph(client, istioEdgeMetrics, request);
  assert.deepEqual(workloads, ['shop/cart', 'shop/frontend', 'unknown']);
  const cart = { source: 'shop/frontend', target: 'shop/cart' };
  assert.deepEqual(edges, [
    { ...cart, protocol: 'grpc', requestsPerSecond: 4, errorRate: 0.5, bytesPerSecond: 0, p95Seconds: null, mtls: 0 },
    {
      ...cart,
      protocol: 'http',
      requestsPerSecond: 20,
      errorRate: 0.05,
      bytesPerSecond: 0,
      p95Seconds: 0.25,
      mtls: 0.5,
    },
    { ...cart, protocol: 'tcp', requestsPerSecond: 0, errorRate: 0, bytesPerSecond: 900, p95Seconds: null, mtls: null },
    {
      ...{ source: 'unknown', target: 'shop/cart', protocol: 'http' },
      ...{ requestsPerSecond: 3, errorRate: 0, bytesPerSecond: 0, p95Seconds: null, mtls: 0 },
    },
  ]);
  assert.equal(
    asked[0],
    'sum by (source_workload, source_workload_namespace, destination_workload, destination_workload_namespace, request_protocol) ' +
      '(rate(istio_requests_total{reporter="destination",destination_workload_namespace=~"shop|it"}[60s]))',
  );
});

test('the series of the service graph connector of OpenTelemetry become edges of the first namespace', async () => {
  const labels = { client: 'frontend', server: 'cart' };
  const { client } = prometheus({
    traces_service_graph_request_failed_total: [[labels, 1]],
    traces_service_graph_request_server_seconds_bucket: [[labels, 0.125]],
    traces_service_graph_request_total: [
      [labels, 10],
      [{ client: '', server: 'frontend' }, 2],
    ],
  });
  const { edges } = await readMetricGraph(client, openTelemetryEdgeMetrics, request);
  assert.deepEqual(
    edges.map(({ source, target, requestsPerSecond, errorRate, p95Seconds, mtls }) => [
      ...[source, target, requestsPerSecond, errorRate, p95Seconds, mtls],
    ]),
    [
      ['shop/frontend', 'shop/cart', 10, 0.1, 0.125, null],
      ['unknown', 'shop/frontend', 2, 0, null, null],
    ],
  );
});

test('edges that carry nothing, and series without a number, are no edges', async () => {
  const { client } = prometheus({
    histogram_quantile: [[call('http'), 250]],
    istio_requests_total: [
      [call('http'), 0],
      [call('grpc'), NaN],
    ],
  });
  assert.deepEqual(await readMetricGraph(client, istioEdgeMetrics, request), { workloads: [], edges: [] });
});

test('names from outside are taken literally in expressions', async () => {
  const { client, asked } = prometheus({});
  await readMetricGraph(client, istioEdgeMetrics, { ...request, namespaces: ['a.b"} or vector(1) #', 'c|d'] });
  assert.ok(
    asked[0].includes('destination_workload_namespace=~"a\\\\.b\\"\\\\} or vector\\\\(1\\\\) #|c\\\\|d"'),
    asked[0],
  );
});

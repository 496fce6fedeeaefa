import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { createKialiCallGraph } from '../../../../src/cluster/service-graph/call-graph-reader.ts';
import { parseKialiGraph, readKialiGraph } from '../../../../src/cluster/service-graph/kiali.ts';
import { answeringServer, sendJson } from '../answering-server.ts';

const node = (id: string, data: object): object => ({ data: { id, nodeType: 'workload', namespace: 'shop', ...data } });
const edge = (source: string, target: string, data: object): object => ({ data: { id: 'e', source, target, ...data } });
const graph = (nodes: object[], edges: object[]): object => ({ elements: { nodes, edges } });

const shop = graph(
  [node('1', { workload: 'frontend' }), node('2', { workload: 'cart' }), node('3', { nodeType: 'unknown' })],
  [
    edge('1', '2', {
      traffic: { protocol: 'http', rates: { http: '20.00', http5xx: '1.00', http4xx: '5.00' } },
      responseTime: '35',
      isMTLS: '100.0',
    }),
    edge('3', '1', { traffic: { protocol: 'grpc', rates: { grpc: '4.00', grpcErr: '1.00' } } }),
    edge('2', '1', { traffic: { protocol: 'tcp', rates: { tcp: '400.00' } } }),
    edge('2', '2', { traffic: {} }),
  ],
);

test('workloads go by namespace and name, edges carry rates, server errors, times and encryption', () => {
  assert.deepEqual(parseKialiGraph(shop), {
    workloads: ['shop/cart', 'shop/frontend', 'unknown'],
    edges: [
      {
        source: 'shop/cart',
        target: 'shop/frontend',
        protocol: 'tcp',
        requestsPerSecond: 0,
        errorRate: 0,
        bytesPerSecond: 400,
        p95Seconds: null,
        mtls: null,
      },
      {
        source: 'shop/frontend',
        target: 'shop/cart',
        protocol: 'http',
        requestsPerSecond: 20,
        errorRate: 0.05,
        bytesPerSecond: 0,
        p95Seconds: 0.035,
        mtls: 1,
      },
      {
        source: 'unknown',
        target: 'shop/frontend',
        protocol: 'grpc',
        requestsPerSecond: 4,
        errorRate: 0.25,
        bytesPerSecond: 0,
        p95Seconds: null,
        mtls: null,
      },
    ],
  });
});

test('two nodes that are one workload for us are added up', () => {
  const twice = graph(
    [node('1', { workload: 'a' }), node('2', { workload: 'b', cluster: 'east' }), node('3', { workload: 'b' })],
    [
      edge('1', '2', { traffic: { protocol: 'http', rates: { http: '3', http5xx: '3' } }, responseTime: '10' }),
      edge('1', '3', { traffic: { protocol: 'http', rates: { http: '1' } }, responseTime: '50' }),
    ],
  );
  const [{ requestsPerSecond, errorRate, p95Seconds }] = parseKialiGraph(twice).edges;
  assert.deepEqual([requestsPerSecond, errorRate, p95Seconds], [4, 0.75, 0.05]);
});

const broken: Readonly<Record<string, unknown>> = {
  'another API': { items: [] },
  'no edges': { elements: { nodes: [] } },
  'an edge to nowhere': graph([], [edge('1', '2', {})]),
  'a rate that is no number': graph(
    [node('1', { workload: 'a' })],
    [edge('1', '1', { traffic: { protocol: 'http', rates: { http: 'many' } } })],
  ),
};
for (const [name, body] of Object.entries(broken)) {
  test(`${name} is refused`, () => assert.throws(() => parseKialiGraph(body), { code: 'OBSERVATION_REFUSED' }));
}

test('the graph is asked for by workload, with response times and security', async (t) => {
  const url = await answeringServer(t, ({ url: { pathname, searchParams } }, response) => {
    assert.equal(pathname, '/kiali/api/namespaces/graph');
    assert.deepEqual(Object.fromEntries(searchParams), {
      namespaces: 'shop,it',
      graphType: 'workload',
      duration: '60s',
      injectServiceNodes: 'false',
      appenders: 'deadNode,responseTime,securityPolicy',
      responseTime: '95',
    });
    sendJson(response, shop);
  });
  const { edges } = await readKialiGraph({ url: `${url}/kiali` }, { namespaces: ['shop', 'it'], durationSeconds: 60 });
  assert.equal(edges.length, 3);
});

test('who called whom over a time in the past is asked of Kiali, and idle edges are left out', async (t) => {
  const asked: URLSearchParams[] = [];
  const url = await answeringServer(t, ({ url: { searchParams } }, response) => {
    asked.push(searchParams);
    sendJson(response, shop);
  });
  const edges = await createKialiCallGraph({ url }).read('shop', { fromSeconds: 600, toSeconds: 1500 });
  assert.deepEqual(edges, [
    { source: 'shop/cart', target: 'shop/frontend' },
    { source: 'shop/frontend', target: 'shop/cart' },
    { source: 'unknown', target: 'shop/frontend' },
  ]);
  assert.deepEqual(
    ['namespaces', 'duration', 'queryTime'].map((name) => asked[0].get(name)),
    ['shop', '900s', '1500'],
  );
});

test("Kiali's own error is told", async (t) => {
  const url = await answeringServer(t, (_request, response) =>
    sendJson(response, { error: 'namespace [shop] does not exist' }, 400),
  );
  await assert.rejects(readKialiGraph({ url }, { namespaces: ['shop'], durationSeconds: 60 }), {
    code: 'OBSERVATION_REFUSED',
    message: /status 400: "namespace \[shop\] does not exist"/,
  });
});

const samples = join(import.meta.dirname, '../../../../../shared/data/kiali-upstream-expected');
const skip = existsSync(samples) ? false : 'optional: the recorded graphs are not at hand';

for (const [kind, traffic, workloads] of [
  ['workload', 18, 13],
  ['app', 14, 11],
  ['service', 13, 10],
  ['versioned_app', 18, null],
  ['ambient', 5, 4],
] as const) {
  test(`a ${kind} graph of Kiali's own tests is read whole`, { skip }, () => {
    const text = readFileSync(join(samples, `graph__api__testdata__test_${kind}_graph.expected.json`), 'utf8');
    const body = JSON.parse(text) as {
      elements: { edges: { data: { traffic?: { rates?: Record<string, string> } } }[] };
    };
    const { edges, workloads: names } = parseKialiGraph(body);
    const total = (rate: string): number =>
      body.elements.edges.reduce((sum, { data }) => sum + Number(data.traffic?.rates?.[rate] ?? 0), 0);
    const sum = (pick: (index: number) => number): number => edges.reduce((all, _, index) => all + pick(index), 0);
    assert.equal(body.elements.edges.length, traffic);
    if (workloads !== null) assert.ok(names.length <= workloads && names.length > 2);
    assert.ok(Math.abs(sum((i) => edges[i].requestsPerSecond) - total('http') - total('grpc')) < 1e-6);
    assert.ok(Math.abs(sum((i) => edges[i].bytesPerSecond) - total('tcp')) < 1e-6);
    assert.ok(Math.abs(sum((i) => edges[i].errorRate * edges[i].requestsPerSecond) - total('http5xx')) < 1e-6);
    assert.ok(names.includes('unknown') === (kind !== 'ambient'));
  });
}

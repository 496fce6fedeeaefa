import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ClusterRecording, RecordedEdge } from '../../../../src/contracts/cluster-metrics.ts';
import { serviceSeries, type ServiceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import type { CallParameters } from '../../../../src/rl/environments/online-boutique/application.ts';
import { callTree, fitCallGraph } from '../../../../src/rl/twin/call-graph.ts';
import { entryFirst } from '../../../../src/rl/twin/recorded.ts';

const BINS = 50;
const range = { from: 0, to: BINS };
const constant = (value: number): Float32Array => new Float32Array(BINS).fill(value);

/** A recording of steady rates: users' 10/s at `a`, calls of each service, calls of each edge. */
function recorded(calls: Record<string, number>, edges: Record<string, number>): ClusterRecording {
  return {
    namespace: 'n',
    dialect: 'istio',
    startSeconds: 0,
    binSeconds: 15,
    bins: BINS,
    entry: 'n/a',
    requestsPerSecond: constant(10),
    p95Seconds: constant(0.1),
    services: Object.entries(calls).map(([name, rate]) => ({
      workload: `n/${name}`,
      cpuRequestMillicores: 100,
      cpuLimitMillicores: null,
      memoryRequestBytes: null,
      memoryLimitBytes: null,
      minReplicas: null,
      maxReplicas: null,
      startupSeconds: [],
      series: {
        ...(Object.fromEntries(serviceSeries.map((series) => [series, constant(1)])) as Record<
          ServiceSeries,
          Float32Array
        >),
        callsPerSecond: constant(rate),
      },
    })),
    edges: Object.entries(edges).map(([way, rate]): RecordedEdge => {
      const [source, target] = way.split('>');
      return {
        source: source === 'unknown' ? 'unknown' : `n/${source}`,
        target: `n/${target}`,
        protocol: 'http',
        callsPerSecond: constant(rate),
        errorRate: constant(0),
        meanSeconds: constant(0.01),
      };
    }),
    gaps: [],
  };
}

function visitsOf(recording: ClusterRecording): Record<string, number> {
  const { visits } = fitCallGraph(recording, range);
  return Object.fromEntries(
    entryFirst(recording).map(({ workload }, s) => [workload.slice(2), Number(visits[s].toFixed(6))]),
  );
}

function treeOf(recording: ClusterRecording): CallParameters {
  const names = entryFirst(recording).map(({ workload }) => workload.slice(2));
  return callTree(fitCallGraph(recording, range), names);
}

test('calls of a request multiply along the way, and add up where ways meet', () => {
  const recording = recorded({ b: 20, a: 10, c: 45 }, { 'a>b': 20, 'b>c': 40, 'a>c': 5 });
  assert.deepEqual(visitsOf(recording), { a: 1, b: 2, c: 4.5 });
  assert.deepEqual(treeOf(recording), {
    service: 'a',
    calls: [
      { service: 'b', times: 2, share: 1, calls: [{ service: 'c', times: 2, share: 1 }] },
      { service: 'c', times: 1, share: 0.5 },
    ],
  });
});

test('a ratio that is not whole is more calls, each made by a share of the requests', () => {
  const { calls } = treeOf(recorded({ a: 10, b: 63 }, { 'a>b': 63 }));
  assert.equal(calls![0].times, 7);
  assert.ok(Math.abs(calls![0].share! - 0.9) < 1e-6);
});

test('calls from unknown callers are the entry’s, so that what was counted is kept', () => {
  const recording = recorded({ a: 10, b: 10, c: 30 }, { 'a>b': 10, 'b>c': 10, 'unknown>c': 20 });
  assert.deepEqual(visitsOf(recording), { a: 1, b: 1, c: 3 });
  const { calls, notes } = fitCallGraph(recording, range);
  assert.ok(
    calls.some(({ source, target, calls: count }) => source === 0 && target === 2 && Math.abs(count - 2) < 1e-6),
  );
  assert.match(notes.join(), /67 % of the calls to n\/c have no known caller/);
});

test('calls that go round are cut where they come back, and end in a tree', () => {
  const recording = recorded({ a: 10, b: 15, c: 10 }, { 'a>b': 10, 'b>c': 10, 'c>b': 5, 'c>a': 3 });
  assert.deepEqual(visitsOf(recording), { a: 1, b: 1.5, c: 1 });
  assert.match(fitCallGraph(recording, range).notes.join(), /go round through n\/c → n\/b/);
  assert.equal(treeOf(recording).service, 'a');
});

test('a service that nobody counted is called by its known caller, else once a request', () => {
  const counted = recorded({ a: 10, b: 10, c: NaN, d: NaN }, { 'a>b': 10, 'b>c': 20 });
  assert.deepEqual(visitsOf(counted), { a: 1, b: 1, c: 2, d: 1 });
});

test('connections of plain TCP are no calls: such a service is called once for each call of its caller', () => {
  const recording = recorded({ a: 10, b: 20, db: NaN }, { 'a>b': 20, 'b>db': 0.01 });
  const edges = recording.edges.map((edge) => (edge.target === 'n/db' ? { ...edge, protocol: 'tcp' as const } : edge));
  assert.deepEqual(visitsOf({ ...recording, edges }), { a: 1, b: 2, db: 2 });
});

test('a graph with very many ways through it becomes flat, with the same calls of each service', () => {
  const layers = 12;
  const edges: Record<string, number> = {};
  const calls: Record<string, number> = { a: 10 };
  for (let layer = 0; layer < layers; layer++) {
    for (const side of ['x', 'y', 'z']) {
      calls[`${side}${layer}`] = 5;
      if (layer === 0) edges[`a>${side}0`] = 5;
      else for (const from of ['x', 'y', 'z']) edges[`${from}${layer - 1}>${side}${layer}`] = 5 / 3;
    }
  }
  const recording = recorded(calls, edges);
  const { calls: flat, notes } = fitCallGraph(recording, range);
  assert.ok(flat.every(({ source, calls: ratio }) => source === 0 && Math.abs(ratio - 0.5) < 1e-6));
  assert.equal(flat.length, 3 * layers);
  assert.match(notes.join(), /more than 1000 ways/);
  assert.equal(treeOf(recording).calls!.length, 3 * layers);
});

test('a caller’s calls while the called service is away do not count', () => {
  const recording = recorded({ a: 10, b: 10 }, { 'a>b': 10 });
  recording.services[1].series.readyReplicas.fill(NaN, 0, 25);
  recording.services[1].series.callsPerSecond.fill(NaN, 0, 25);
  recording.edges[0].callsPerSecond.fill(0, 0, 25);
  assert.deepEqual(visitsOf(recording), { a: 1, b: 1 });
});

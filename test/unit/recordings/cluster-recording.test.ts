import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClusterWorkload, PodState } from '../../../src/contracts/cluster.ts';
import type { ClusterRecording } from '../../../src/contracts/cluster-metrics.ts';
import { arrivalsOf, chunkOf, findEntry, joinChunks } from '../../../src/recordings/cluster-recording.ts';
import { ClusterSightings } from '../../../src/recordings/cluster-sightings.ts';
import { assertComplete } from '../../../src/recordings/recording-gaps.ts';
import type { RecordingPlan } from '../../../src/recordings/recording-plan.ts';
import { chunk, edge, history, namespaceSeries, service } from './cluster-recording-fixture.ts';

const plan: RecordingPlan = {
  ...{ startSeconds: 900, binSeconds: 15, bins: 5 },
  chunks: [
    { from: 0, to: 3 },
    { from: 3, to: 5 },
  ],
};
const workload: ClusterWorkload = {
  ...{ workload: 'shop/web', kind: 'Deployment', uid: '', resourceVersion: '', replicas: 3, readyReplicas: 2 },
  ...{ cpuRequestMillicores: 100, cpuLimitMillicores: null, memoryRequestBytes: 64, memoryLimitBytes: 128 },
  ...{ owner: null, autoscaler: { minReplicas: 1, maxReplicas: 9 }, disruptionsAllowed: null, scaledAt: null },
};
const pod = (name: string, createdSeconds: number, readySeconds: number | null): PodState => ({
  ...{ name, namespace: 'shop', workload: 'shop/web', node: null, phase: 'Running', ready: true, terminating: false },
  createdAt: new Date(createdSeconds * 1000),
  readyAt: readySeconds === null ? null : new Date(readySeconds * 1000),
  ...{ cpuMillicores: null, memoryBytes: null },
});

describe('a chunk', () => {
  const source = { namespace: 'shop', dialect: 'istio' } as const;

  test('has the replicas that Prometheus has, else those that were seen, else the pods that ran', () => {
    const sightings = new ClusterSightings(plan);
    sightings.add({ workloads: [workload], pods: [] }, { from: 1, to: 2 });
    const series = namespaceSeries(
      [history('shop/web', 3, { replicas: [7, NaN, NaN], readyReplicas: [6, NaN, NaN], runningPods: [1, 1, 4] })],
      [],
    );
    const [{ series: web }] = chunkOf(plan.chunks[0], plan, source, { series, sightings }).services;
    assert.deepEqual([...web.replicas], [7, 3, 4]);
    assert.deepEqual([...web.readyReplicas], [6, 2, NaN]);
  });

  test('carries requests, limits and bounds, and the start-ups of its own time', () => {
    const sightings = new ClusterSightings(plan);
    const pods = [
      pod('long-before', -3000, -2990),
      pod('before', 800, 810.5),
      pod('within', 901, 905),
      pod('later', 950, 970),
      pod('never', 950, null),
    ];
    sightings.add({ workloads: [workload], pods }, null);
    // It lost its readiness and found it again, which is no start-up.
    sightings.add({ workloads: [workload], pods: [pod('within', 901, 940)] }, null);
    const facts = plan.chunks.map((range) => sightings.facts('shop/web', range));
    assert.deepEqual(
      facts.map(({ startupSeconds }) => startupSeconds),
      [[4, 10.5], [20]],
    );
    assert.deepEqual([facts[0].cpuRequestMillicores, facts[0].memoryLimitBytes], [100, 128]);
    assert.deepEqual([facts[0].minReplicas, facts[0].maxReplicas], [1, 9]);
  });

  test('of a workload that the API server did not show carries no facts', () => {
    const facts = new ClusterSightings(plan).facts('shop/gone', plan.chunks[0]);
    assert.deepEqual([facts.cpuRequestMillicores, facts.minReplicas, facts.startupSeconds], [null, null, []]);
  });
});

describe('joined chunks', () => {
  const first = chunk(900, 3, {
    services: [
      service('shop/web', 3, { callsPerSecond: [10, 11, 12], p95Seconds: [0.1, 0.2, 0.3] }, { startupSeconds: [4] }),
      service('shop/old', 3, { replicas: [1, 1, NaN] }),
    ],
    edges: [edge('unknown', 'shop/web', [10, 11, 12], 3), edge('shop/web', 'shop/old', [5, 5, 5], 3)],
  });
  const second = chunk(945, 2, {
    services: [
      service('shop/new', 2, { replicas: [NaN, 1] }),
      service('shop/web', 2, { callsPerSecond: [13, 14] }, { startupSeconds: [6], cpuRequestMillicores: 100 }),
    ],
    edges: [edge('unknown', 'shop/web', [13, 14], 2), edge('shop/web', 'shop/new', [NaN, 2], 2)],
  });

  test('say when each service was there, and find who is called from outside', () => {
    const { entry, requestsPerSecond, p95Seconds, services, bins, startSeconds } = joinChunks(
      [first, second],
      plan,
      null,
    );
    assert.deepEqual([entry, bins, startSeconds], ['shop/web', 5, 900]);
    assert.deepEqual([...requestsPerSecond], [10, 11, 12, 13, 14]);
    assert.deepEqual([...p95Seconds], [...Float32Array.of(0.1, 0.2, 0.3, 1, 1)]);
    assert.deepEqual(
      services.map(({ workload, series }) => [workload, [...series.replicas]]),
      [
        ['shop/new', [NaN, NaN, NaN, NaN, 1]],
        ['shop/old', [1, 1, NaN, NaN, NaN]],
        ['shop/web', [1, 1, 1, 1, 1]],
      ],
    );
    const web = services[2];
    assert.deepEqual([web.startupSeconds, web.cpuRequestMillicores], [[4, 6], 100]);
  });

  test('an edge that a chunk lacks carried nothing while others did', () => {
    const { edges } = joinChunks([first, second], plan, null);
    const calls = edges.map(({ source, target, callsPerSecond }) => [`${source} ${target}`, [...callsPerSecond]]);
    assert.deepEqual(calls, [
      ['shop/web shop/new', [0, 0, 0, NaN, 2]],
      ['shop/web shop/old', [5, 5, 5, 0, 0]],
      ['unknown shop/web', [10, 11, 12, 13, 14]],
    ]);
  });

  test('an entry that is named but was not recorded is refused with those that were', () => {
    assert.throws(() => joinChunks([first, second], plan, 'shopfront'), {
      code: 'RECORDING_INCOMPLETE',
      message: /the entry shop\/shopfront.*workloads recorded: shop\/new, shop\/old, shop\/web/,
    });
  });
});

describe('the entry', () => {
  test('is who gets most calls from outside, an ingress gateway in another namespace being outside', () => {
    const edges = [
      edge('unknown', 'shop/admin', 1, 2),
      edge('istio-system/gateway', 'shop/web', 20, 2),
      edge('shop/web', 'shop/cart', 90, 2),
      edge('unknown', 'shop/db', 99, 2, 'tcp'),
      edge('unknown', 'other/x', 99, 2),
    ];
    assert.equal(findEntry('shop', edges), 'shop/web');
  });

  test('is whom a load generator inside calls, where nobody calls from outside', () => {
    const edges = [edge('shop/load', 'shop/web', 20, 2), edge('shop/web', 'shop/cart', 90, 2)];
    assert.equal(findEntry('shop', edges), 'shop/web');
  });

  test('is nobody when nobody is called', () => {
    assert.equal(findEntry('shop', [edge('unknown', 'shop/web', [0, NaN], 2)]), null);
    assert.throws(() => joinChunks([chunk(900, 5, {})], plan, null), {
      code: 'RECORDING_INCOMPLETE',
      message: /Nobody in shop was called.*workloads recorded: none/,
    });
  });
});

describe('arrivals', () => {
  const recorded = (rates: readonly number[]) => {
    const recording = { requestsPerSecond: Float32Array.from(rates), binSeconds: 15, entry: 'shop/web' };
    return arrivalsOf(recording as unknown as ClusterRecording);
  };

  test('are rate times length, and lie between their neighbours where the rate is not known', () => {
    const { arrivals, interpolatedBins } = recorded([NaN, 2, NaN, NaN, 5, 0.05, NaN]);
    assert.deepEqual([...arrivals], [30, 30, 45, 60, 75, 1, 1]);
    assert.equal(interpolatedBins, 4);
  });

  test('without a single request are refused', () => {
    for (const rates of [
      [0, 0],
      [NaN, NaN],
    ])
      assert.throws(() => recorded(rates), { code: 'RECORDING_INCOMPLETE', message: /Not one request to shop\/web/ });
  });
});

describe('gaps', () => {
  const blind = { replicas: [1, NaN, 1, 1, 1], readyReplicas: [1, NaN, 1, 1, 1], memoryBytes: [1, NaN, 1, 1, 1] };
  const calls = [8, NaN, 9, NaN, 9];
  const recording = joinChunks(
    [
      chunk(900, 5, {
        services: [
          service('shop/web', 5, { ...blind, cpuMillicores: [1, NaN, 1, 1, 1], callsPerSecond: calls }),
          service('shop/cart', 5, {
            ...{
              replicas: [NaN, NaN, 1, 1, 0],
              readyReplicas: [NaN, NaN, 1, 1, NaN],
              callsPerSecond: [NaN, NaN, 1, 0, 0],
            },
            ...{ cpuMillicores: [NaN, NaN, NaN, 1, NaN], memoryBytes: [NaN, NaN, 1, 1, NaN] },
            ...{ meanSeconds: [NaN, NaN, NaN, NaN, NaN] },
          }),
        ],
        edges: [edge('unknown', 'shop/web', 9, 5)],
      }),
    ],
    plan,
    null,
  );

  test('are told once where all is missing, and not where a service was not there, had no pods or no calls', () => {
    assert.deepEqual(recording.gaps, [
      { what: 'everything', from: 1, to: 2 },
      { what: 'requests to shop/web', from: 3, to: 4 },
      { what: 'cpuMillicores of shop/cart', from: 2, to: 3 },
      { what: 'meanSeconds of shop/cart', from: 2, to: 3 },
      { what: 'callsPerSecond of shop/web', from: 3, to: 4 },
    ]);
  });

  test('above the share that is allowed are an error that lists them', () => {
    assert.doesNotThrow(() => assertComplete(recording, 0.4));
    assert.throws(() => assertComplete(recording, 0.39), {
      code: 'RECORDING_INCOMPLETE',
      message:
        'The recording of shop lacks requests to shop/web in 2 of 5 bins, cpuMillicores of shop/cart in 2 of 5 bins, ' +
        'callsPerSecond of shop/web in 2 of 5 bins, above collect.source.maxMissingShare 0.39. Gaps, by bins: everything 1–2, ' +
        'requests to shop/web 3–4, cpuMillicores of shop/cart 2–3, meanSeconds of shop/cart 2–3, callsPerSecond of shop/web 3–4.',
    });
  });
});

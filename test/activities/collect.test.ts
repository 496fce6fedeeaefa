import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCollectActivities } from '../../activities/collect.ts';
import type { CollectPorts } from '../../activities/ports.ts';
import type { ClusterReader, ClusterState } from '../../src/contracts/cluster.ts';
import type { CallGraphReader, SeriesReader, SeriesRequest } from '../../src/contracts/cluster-metrics.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { CollectedRecording } from '../../src/contracts/runs.ts';
import type { ArtifactReference } from '../../src/contracts/stores.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import { decodeRecording } from '../../src/recordings/recording.ts';
import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { edge, history } from '../unit/recordings/cluster-recording-fixture.ts';

interface Details {
  readonly chunks: readonly ArtifactReference[];
  readonly note: string;
}

const specOf = (source: object, collect: object = {}): RunSpec =>
  ({
    collect: {
      source: {
        ...{ kind: 'cluster', namespace: 'shop', entry: null, dialect: 'istio', minutes: 15, startMinutesAgo: 60 },
        ...{ windowSeconds: 60, maxMissingShare: 0.05 },
        ...source,
      },
      ...{ binSeconds: 15, seed: 1, split: { train: 0.6, validate: 0.2, heldOut: 0.2 } },
      ...collect,
    },
  }) as unknown as RunSpec;

const state = (replicas: number): ClusterState => ({
  ...{ at: new Date(), nodes: [], pods: [], podsLeft: {}, events: [], gaps: [] },
  workloads: [
    {
      ...{ workload: 'shop/web', kind: 'Deployment', uid: '', resourceVersion: '', replicas, readyReplicas: replicas },
      ...{ cpuRequestMillicores: 100, cpuLimitMillicores: null, memoryRequestBytes: 64, memoryLimitBytes: 128 },
      ...{ owner: null, autoscaler: null, disruptionsAllowed: null, scaledAt: null },
    },
  ],
});

/** Requests/s equal to the number of the bin since 1970, modulo 10, plus one. */
const rateAt = (seconds: number): number => 1 + ((seconds / 15) % 10);

function seriesOf({ startSeconds, bins, binSeconds }: SeriesRequest, given: object = {}) {
  const rates = Array.from({ length: bins }, (_, bin) => rateAt(startSeconds + bin * binSeconds));
  return {
    services: [history('shop/web', bins, { callsPerSecond: rates, ...given })],
    edges: [edge('unknown', 'shop/web', rates, bins)],
  };
}

function createBench(overrides: Partial<CollectPorts> = {}) {
  const asked: SeriesRequest[] = [];
  const noted: Details[] = [];
  const series: SeriesReader = {
    async read(request) {
      asked.push(request);
      return seriesOf(request);
    },
  };
  const cluster: ClusterReader = { read: async () => state(2) };
  const ports: CollectPorts = {
    ...{ store: createMemoryStore(), artifacts: createMemoryArtifactStore(), series, cluster },
    ...{ episodeSteps: () => 4, client: null, retryMs: 5, settleMs: 0 },
    ...overrides,
  };
  const activities = createCollectActivities(ports);
  const run = (
    spec: RunSpec,
    { scheduledMs = 7_200_001, heartbeatDetails }: { scheduledMs?: number; heartbeatDetails?: unknown } = {},
    mock = new MockActivityEnvironment({ scheduledTimestampMs: scheduledMs, heartbeatDetails }),
  ): Promise<CollectedRecording> => {
    mock.on('heartbeat', (details: Details) => noted.push(details));
    return mock.run(activities.recordCluster, { runId: 'run', spec });
  };
  return { ports, asked, noted, run };
}

test('a recording has the arrivals in the usual format, and the series of the cluster besides', async () => {
  const { ports, asked, noted, run } = createBench();
  const collected = await run(specOf({}));
  const start = 3_615;
  assert.deepEqual(
    asked.map(({ startSeconds, bins, workloads }) => [startSeconds, bins, workloads]),
    [0, 1, 2].map((chunk) => [start + 300 * chunk, 20, ['shop/web']]),
  );
  const { arrivals, parts, source } = decodeRecording(await ports.artifacts.get(collected.artifact));
  assert.deepEqual(
    [...arrivals],
    Array.from({ length: 60 }, (_, bin) => 15 * rateAt(start + 15 * bin)),
  );
  assert.deepEqual([parts.heldOut, source], [{ from: 48, to: 60 }, 'cluster/shop']);
  const recording = decodeClusterRecording(await ports.artifacts.get(collected.cluster!));
  assert.deepEqual(
    [recording.entry, recording.bins, recording.startSeconds, recording.gaps],
    ['shop/web', 60, start, []],
  );
  const record = await ports.store.recordings.getRecording(collected.artifact.sha256);
  assert.deepEqual([record?.source, record?.bins, record?.repairs.interpolatedBins], ['cluster/shop', 60, 0]);
  assert.deepEqual(
    noted.filter(({ chunks }, i) => chunks.length !== noted[i - 1]?.chunks.length).map(({ note }) => note),
    ['', '20 of 60 bins recorded', '40 of 60 bins recorded', '60 of 60 bins recorded'],
  );
});

test('an attempt goes on behind the chunks that are stored, and ends with the same bytes', async () => {
  const whole = createBench();
  const expected = await whole.run(specOf({}));
  const dying = createBench({
    series: {
      async read(request) {
        if (request.startSeconds > 4000) throw new Error('killed');
        return seriesOf(request);
      },
    },
  });
  await assert.rejects(dying.run(specOf({})), { type: 'INTERNAL', message: 'killed' });
  const left = dying.noted.at(-1)!;
  assert.equal(left.chunks.length, 2);
  const next = createBench({ artifacts: dying.ports.artifacts });
  // The second attempt starts much later, which does not move what is recorded.
  assert.deepEqual(await next.run(specOf({}), { heartbeatDetails: left }), expected);
  assert.deepEqual(
    next.asked.map(({ startSeconds }) => startSeconds),
    [3615 + 600],
  );
});

test('a chunk that is not in the store any more, or of another plan, is recorded again', async () => {
  const { noted, run } = createBench();
  const expected = await run(specOf({}));
  const elsewhere = createBench();
  assert.deepEqual(await elsewhere.run(specOf({}), { heartbeatDetails: noted.at(-1) }), expected);
  assert.equal(elsewhere.asked.length, 3);
  const { artifacts } = createBench().ports;
  const other = createBench({ artifacts });
  await other.run(specOf({ startMinutesAgo: 90 }));
  const mine = createBench({ artifacts });
  assert.deepEqual(await mine.run(specOf({}), { heartbeatDetails: other.noted.at(-1) }), expected);
  assert.equal(mine.asked.length, 3);
});

test('while Prometheus is away it waits, and says so', async () => {
  let away = 3;
  const { noted, run } = createBench({
    series: {
      async read(request) {
        if (request.startSeconds > 3615 && away-- > 0)
          throw new CoxswainError('OBSERVATION_UNAVAILABLE', 'Prometheus did not answer: ECONNREFUSED.');
        return seriesOf(request);
      },
    },
  });
  assert.equal((await run(specOf({}))).bins, 60);
  const note = '20 of 60 bins recorded; waits for Prometheus: Prometheus did not answer: ECONNREFUSED.';
  assert.ok(noted.some((details) => details.note === note && details.chunks.length === 1));
});

test('what is missing is listed, up to the share that is allowed', async () => {
  const gap = { callsPerSecond: Array.from({ length: 20 }, (_, bin) => (bin === 3 || bin === 4 ? NaN : 2)) };
  const series: SeriesReader = { read: async (request) => seriesOf(request, gap) };
  const { ports, run } = createBench({ series });
  await assert.rejects(run(specOf({})), {
    type: 'RECORDING_INCOMPLETE',
    nonRetryable: true,
    message: /requests to shop\/web in 6 of 60 bins.*requests to shop\/web 3–5, requests to shop\/web 23–25/,
  });
  const { repairs, cluster } = await run(specOf({ maxMissingShare: 0.1 }));
  assert.equal(repairs.interpolatedBins, 6);
  const { gaps } = decodeClusterRecording(await ports.artifacts.get(cluster!));
  assert.deepEqual(gaps[0], { what: 'requests to shop/web', from: 3, to: 5 });
});

test('calls that Kiali shows and Prometheus lacks are gaps; without Kiali it goes on', async () => {
  const stretches: unknown[] = [];
  const callGraph: CallGraphReader = {
    async read(namespace, stretch) {
      stretches.push([namespace, stretch]);
      return [
        { source: 'unknown', target: 'shop/web' },
        { source: 'shop/web', target: 'shop/cart' },
      ];
    },
  };
  const { ports, run } = createBench({ callGraph });
  const { gaps } = decodeClusterRecording(await ports.artifacts.get((await run(specOf({}))).cluster!));
  assert.deepEqual(gaps, [{ what: 'calls from shop/web to shop/cart, which Kiali shows', from: 0, to: 60 }]);
  assert.deepEqual(stretches, [['shop', { fromSeconds: 3615, toSeconds: 3615 + 900 }]]);
  const away: CallGraphReader = {
    read: () => Promise.reject(new CoxswainError('OBSERVATION_UNAVAILABLE', 'Kiali did not answer.')),
  };
  assert.equal((await createBench({ callGraph: away }).run(specOf({}))).bins, 60);
});

test('from now on, replicas are seen bin by bin, and a cluster that is away for a moment is no end', async () => {
  let looks = 0;
  const replicasOf = new Map<number, number>();
  const cluster: ClusterReader = {
    async read() {
      if (looks++ === 3) throw new CoxswainError('CLUSTER_UNAVAILABLE', 'The API server did not answer.');
      replicasOf.set(Math.floor(Date.now() / 1000), looks);
      return state(looks);
    },
  };
  const series: SeriesReader = {
    read: async (request) =>
      seriesOf(request, {
        replicas: new Array(request.bins).fill(NaN),
        readyReplicas: new Array(request.bins).fill(NaN),
      }),
  };
  const { ports, run } = createBench({ cluster, series, episodeSteps: () => 1 });
  // Fifteen seconds of a minute that began a while ago, in bins of one second; looked at every five.
  const spec = specOf({ minutes: 1, startMinutesAgo: 0, maxMissingShare: 1 }, { binSeconds: 1 });
  const { cluster: reference } = await run(spec, { scheduledMs: Date.now() - 46_000 });
  const { services } = decodeClusterRecording(await ports.artifacts.get(reference!));
  const replicas = [...services[0].series.replicas];
  // Before, it was not looked at: the pods that ran are known.
  assert.deepEqual(replicas.slice(0, 40), new Array(40).fill(1));
  assert.ok(looks >= 3, `it looked ${looks} times`);
  assert.deepEqual([...new Set(replicas.slice(40))].filter((count) => count > 1).slice(0, 2), [2, 3]);
  assert.equal(
    [...services[0].series.readyReplicas.slice(50, 55)].some((count) => count > 1),
    true,
  );
});

test('a recording that would be too short is refused before it begins', async () => {
  const { asked, run } = createBench({ episodeSteps: () => 100 });
  await assert.rejects(run(specOf({})), { type: 'RECORDING_TOO_SHORT', nonRetryable: true });
  assert.equal(asked.length, 0);
});

for (const [what, missing, message] of [
  ['Prometheus', { series: null }, /COXSWAIN_PROMETHEUS_URL is unset/],
  ['a cluster', { cluster: null }, /it has no Kubernetes cluster/],
] as const) {
  test(`a worker without ${what} refuses to record`, async () => {
    await assert.rejects(createBench(missing).run(specOf({})), { type: 'NOT_ALLOWED', nonRetryable: true, message });
  });
}

test('a refusal of Prometheus or of the API server is not tried again', async () => {
  const refusing = (code: 'OBSERVATION_REFUSED' | 'CLUSTER_REFUSED') => async () => {
    throw new CoxswainError(code, 'no');
  };
  const series = createBench({ series: { read: refusing('OBSERVATION_REFUSED') } });
  await assert.rejects(series.run(specOf({})), { type: 'OBSERVATION_REFUSED', nonRetryable: true });
  const cluster = createBench({ cluster: { read: refusing('CLUSTER_REFUSED') } });
  await assert.rejects(cluster.run(specOf({})), { type: 'CLUSTER_REFUSED', nonRetryable: true });
});

for (const [when, source, series] of [
  ['waits for time to pass', { startMinutesAgo: 0 }, undefined],
  [
    'waits for Prometheus',
    {},
    { read: (_request: SeriesRequest, signal?: AbortSignal) => sleep(60_000, undefined as never, { signal }) },
  ],
] as const) {
  test(`a recording that ${when} ends at once when it is cancelled`, async () => {
    const { run } = createBench(series === undefined ? {} : { series });
    const mock = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() });
    const running = run(specOf(source), {}, mock);
    await sleep(30);
    const cancelledAt = performance.now();
    mock.cancel();
    await assert.rejects(running, CancelledFailure);
    assert.ok(performance.now() - cancelledAt < 1000);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodState } from '../../../src/contracts/cluster.ts';
import { Exposition } from '../../../src/twin-load/exposition.ts';
import { writeObjectSeries } from '../../../src/twin-load/object-series.ts';
import { maxPods, PodLedger } from '../../../src/twin-load/pod-ledger.ts';
import { clusterState, namespace, pods } from './cluster-states.ts';
import { scrapedSeries, sumOf } from './scraped-series.ts';

const services = [
  { name: 'web', startupSeconds: 20 },
  { name: 'db', startupSeconds: 0 },
];

function ledger(changes: { playStartup?: boolean; speed?: number } = {}): PodLedger {
  return new PodLedger({ namespace, services, playStartup: true, speed: 1, ...changes });
}

/** What the cluster says at `at` of one pod of `web`. */
function webAt(at: number, pod: Partial<PodState>) {
  return { ...clusterState({ web: [pod] }), at: new Date(at) };
}

test('a pod serves when the cluster says that it is ready and its start-up delay is over', () => {
  const pods = ledger();
  pods.read(webAt(1_000_000, { createdAt: new Date(995_000) }), 1_000_000);
  const servingAt = (nowMs: number): number => {
    pods.refresh(nowMs);
    return pods.serving[0];
  };
  assert.deepEqual([servingAt(1_000_000), servingAt(1_014_900), servingAt(1_015_000)], [0, 0, 1]);
  pods.read(webAt(1_016_000, { createdAt: new Date(995_000), ready: false }), 1_016_000);
  assert.equal(servingAt(1_016_000), 0);
  pods.read(webAt(1_017_000, { createdAt: new Date(995_000), terminating: true }), 1_017_000);
  assert.equal(servingAt(1_017_000), 0);
  assert.equal(pods.existing[0], 1);
});

test('start-up goes with the speed, and can be left to the cluster', () => {
  const [fast, untouched] = [ledger({ speed: 10 }), ledger({ playStartup: false })];
  for (const pods of [fast, untouched]) pods.read(webAt(1_000, { createdAt: new Date(1_000) }), 1_000);
  for (const pods of [fast, untouched]) pods.refresh(2_999);
  assert.deepEqual([fast.serving[0], untouched.serving[0]], [0, 1]);
  fast.refresh(3_000);
  assert.equal(fast.serving[0], 1);
});

test('a clock of the API server that is wrong by an hour starts pods neither earlier nor later', () => {
  for (const skewMs of [-3_600_000, 3_600_000]) {
    const pods = ledger();
    const base = 10_000_000;
    pods.read({ ...clusterState({ web: [] }), at: new Date(base + skewMs) }, base);
    // Created a second after the first reading, seen another second later.
    const createdAt = new Date(base + 1_000 + skewMs);
    pods.read(webAt(base + 2_000 + skewMs, { createdAt }), base + 2_000);
    pods.refresh(base + 20_900);
    assert.equal(pods.serving[0], 0);
    pods.refresh(base + 21_000);
    assert.equal(pods.serving[0], 1);
  }
});

test('a creation time that is nonsense is bounded by what was seen', () => {
  const pods = ledger();
  pods.read({ ...clusterState({ web: [] }), at: new Date(5_000) }, 5_000);
  pods.read(webAt(6_000, { createdAt: new Date(-1e9) }), 6_000);
  pods.refresh(24_900);
  assert.equal(pods.serving[0], 0);
  pods.refresh(25_000);
  assert.equal(pods.serving[0], 1);
  const future = ledger();
  future.read(webAt(6_000, { createdAt: new Date(1e12) }), 6_000);
  future.refresh(26_000);
  assert.equal(future.serving[0], 1);
});

test('more pods than are followed are left out and counted', () => {
  const all = ledger({ playStartup: false });
  all.read(clusterState({ web: pods(maxPods + 7) }), 1);
  all.refresh(1);
  assert.deepEqual([all.ignored, all.serving[0], [...all.pods].length], [7, maxPods, maxPods]);
});

test('kube-state-metrics’ series say who is there, asked for and ready, as played', () => {
  const pods = ledger();
  pods.read(
    {
      ...clusterState({ web: [{ createdAt: new Date(0) }, { createdAt: new Date(95_000) }], db: [] }),
      at: new Date(100_000),
    },
    100_000,
  );
  pods.refresh(100_000);
  const exposition = new Exposition();
  writeObjectSeries(exposition, pods);
  const series = scrapedSeries(exposition.toString());
  const web = { namespace, deployment: 'web' };
  assert.equal(sumOf(series, 'kube_deployment_spec_replicas', web), 2);
  assert.equal(sumOf(series, 'kube_deployment_status_replicas', web), 2);
  assert.equal(sumOf(series, 'kube_deployment_status_replicas_ready', web), 1);
  assert.equal(sumOf(series, 'kube_deployment_status_replicas_ready', { ...web, deployment: 'db' }), 0);
  const condition = (pod: string, condition: string) =>
    sumOf(series, 'kube_pod_status_ready', { namespace, pod, condition });
  assert.deepEqual([condition('web-7f9c-0', 'true'), condition('web-7f9c-0', 'false')], [1, 0]);
  assert.deepEqual([condition('web-7f9c-1', 'true'), condition('web-7f9c-1', 'false')], [0, 1]);
  assert.equal(sumOf(series, 'kube_pod_created', { pod: 'web-7f9c-1' }), 95);
  const info = series.find(({ name }) => name === 'kube_pod_info');
  assert.deepEqual(
    [info?.labels.created_by_kind, info?.labels.created_by_name, info?.labels.node],
    ['ReplicaSet', 'web-7f9c', 'node-1'],
  );
});

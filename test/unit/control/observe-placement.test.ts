import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterState, ClusterWorkload, NodeState, PodState } from '../../../src/contracts/cluster.ts';
import type { PlacementObservation, PlacementSpec } from '../../../src/contracts/placement.ts';
import { observePlacement } from '../../../src/control/observe-placement.ts';
import { FakeCluster } from '../../fakes/fake-cluster.ts';
import { deploymentRecord } from './control-bench.ts';

const at = new Date('2026-11-02T12:00:00Z');
const spec: PlacementSpec = { nodes: {}, leaveCordoned: true, movesPerStep: 1, coolDownSeconds: 60 };

const node = (name: string, changes: Partial<NodeState> = {}): NodeState => ({
  name,
  ready: true,
  unschedulable: false,
  allocatableMillicores: 1000,
  allocatableBytes: 2 ** 30,
  allocatablePods: 110,
  labels: { 'kubernetes.io/hostname': `${name}.internal` },
  ...changes,
});
const nodes = [
  node('a'),
  node('b', { unschedulable: true }),
  node('c', { ready: false }),
  node('d', { unschedulable: true, ready: false }),
  node('e', { labels: {} }),
];

/** Pods of web on a, b, c and e; db has one on a. */
async function clusterWith(
  changes: Partial<ClusterState> = {},
  web: Partial<ClusterWorkload> = {},
  pods: Readonly<Record<string, Partial<PodState>>> = {},
): Promise<ClusterState> {
  const fake = new FakeCluster(['shop/web', 'shop/db', 'shop/other'], () => at, 1);
  const state = await fake.read();
  const pod = (workload: string, name: string, on: string): PodState => ({
    ...state.pods[0],
    workload,
    name,
    uid: `uid-of-${name}`,
    node: on,
    ...pods[name],
  });
  return {
    ...state,
    nodes,
    workloads: state.workloads.map((one) =>
      one.workload === 'shop/web' ? { ...one, replicas: 4, readyReplicas: 4, ...web } : one,
    ),
    pods: [
      ...[...'ecba'].map((name) => pod('shop/web', `web-${name}`, name)),
      pod('shop/db', 'db-0', 'a'),
      pod('shop/other', 'other-0', 'b'),
    ],
    ...changes,
  };
}

const seen = (cluster: ClusterState, placement: Partial<PlacementSpec> = {}): PlacementObservation =>
  observePlacement(cluster, deploymentRecord(), { ...spec, ...placement })!;
const misplaced = ({ workloads }: PlacementObservation) => workloads.map((one) => one?.misplaced.map(({ pod }) => pod));

test('pods on nodes that are cordoned or not ready are misplaced, where they are to leave them', async () => {
  const cluster = await clusterWith();
  const observation = seen(cluster);
  assert.equal(observation.at, at.toISOString());
  assert.deepEqual(misplaced(observation), [['web-b', 'web-c'], []]);
  assert.deepEqual(observation.workloads[0]?.misplaced[0], { pod: 'web-b', uid: 'uid-of-web-b', node: 'b' });
  assert.deepEqual(
    observation.closedNodes,
    [
      { node: 'b', why: 'cordoned' },
      { node: 'c', why: 'not-ready' },
    ],
    'd has none of our pods',
  );
  assert.equal(observation.workloads[0]?.openNodes, 2);
  assert.deepEqual(misplaced(seen(cluster, { leaveCordoned: false })), [[], []]);
});

test('pods beside the nodes of their service are misplaced; those of other services are not', async () => {
  const placement = { nodes: { web: ['a', 'd'] }, leaveCordoned: false };
  const observation = seen(await clusterWith({}, { placedOnHosts: ['d.internal', 'a.internal'] }), placement);
  const [web, db] = observation.workloads;
  assert.deepEqual(misplaced(observation), [['web-b', 'web-c', 'web-e'], []]);
  assert.deepEqual([web?.affinityAsWanted, web?.openNodes, web?.wantedNodes], [true, 1, ['a', 'd']]);
  assert.deepEqual([db?.affinityAsWanted, db?.openNodes, db?.wantedNodes], [true, 2, null]);
  assert.ok(observation.closedNodes.some((closed) => closed.node === 'd'));
});

test('the affinity is as wanted when it names the hosts of the nodes, in whatever order, and no others', async () => {
  const isAsWanted = async (placedOnHosts: readonly string[] | null | undefined) =>
    seen(await clusterWith({}, { placedOnHosts }), { nodes: { web: ['e', 'a'] } }).workloads[0]?.affinityAsWanted;
  assert.equal(await isAsWanted(['a.internal', 'e']), true);
  for (const hosts of [['a.internal'], ['a.internal', 'e', 'b.internal'], ['a', 'e'], [], null, undefined]) {
    assert.equal(await isAsWanted(hosts), false, String(hosts));
  }
});

test('pods that were told to go, or are on no node yet, are nowhere wrong, and ready is who is ready and stays', async () => {
  const cluster = await clusterWith(
    {},
    { readyReplicas: 4 },
    { 'web-b': { terminating: true }, 'web-c': { node: null } },
  );
  const observation = seen(cluster);
  assert.deepEqual(misplaced(observation), [[], []]);
  assert.equal(observation.workloads[0]?.readyPods, 3, 'three stay');
  assert.equal(seen(await clusterWith({}, { readyReplicas: 2 })).workloads[0]?.readyPods, 2);
});

test('a workload that is not there is null, and nodes that could not be read are no observation', async () => {
  const cluster = await clusterWith();
  const without = { ...cluster, workloads: cluster.workloads.filter(({ workload }) => workload !== 'shop/web') };
  assert.deepEqual(
    seen(without).workloads.map((one) => one?.workload ?? null),
    [null, 'shop/db'],
  );
  const gap = (what: string) => [{ what, code: 'CLUSTER_REFUSED', reason: 'planted' } as const];
  assert.equal(observePlacement({ ...cluster, gaps: gap('nodes') }, deploymentRecord(), spec), null);
  assert.notEqual(observePlacement({ ...cluster, gaps: gap('scaledobjects in shop') }, deploymentRecord(), spec), null);
});

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { createClusterActor } from '../../src/cluster/kubernetes/cluster-actor.ts';
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import type { ClusterActor, ClusterReader, PodState } from '../../src/contracts/cluster.ts';
import type { ControlState, StepSummary } from '../../src/contracts/control.ts';
import type { PlacementDecision, PlacementResult, PlacementSpec } from '../../src/contracts/placement.ts';
import { runControlStep } from '../../src/control/control-step.ts';
import { liveDeployment } from '../../src/control/live-deployment.ts';
import { closeDeployment } from '../../src/control/open-deployment.ts';
import { firstState } from '../../src/domain/control/fallback-rules.ts';
import { MemoryControlStore } from '../fakes/memory-control-store.ts';
import { application, deploymentRecord, FakeMetrics, FakePolicy, limits } from '../unit/control/control-bench.ts';
import { clusterAdmin, eventually, pathsIn, workload } from './cluster-admin.ts';
import type { ClusterAdmin, Json } from './cluster-admin.ts';

const { skip } = await kubernetesOrSkip();
const { signal } = new AbortController();
const replicas = 6;
const nodeNames = ['node-1', 'node-2', 'node-3'];

/** Kubernetes is real; metrics and policy are not, and change no replicas. */
describe('a control loop that places pods, on a real API server', { skip }, () => {
  let cluster: TestCluster;
  let admin: ClusterAdmin;
  let reader: ClusterReader;
  let actor: ClusterActor;
  const shop = pathsIn('shop');

  before(async () => {
    cluster = await startTestCluster({ nodes: nodeNames.length });
    admin = clusterAdmin(cluster);
    const client = createKubernetesClient({ kubeconfig: cluster.kubeconfig, context: null, namespaces: ['shop'] });
    reader = createClusterReader(client);
    actor = createClusterActor(client);
    await admin.create('/api/v1/namespaces', { metadata: { name: 'shop' } });
    await admin.create(shop.deployments, workload('web', replicas));
    await admin.create(shop.statefulSets, workload('db', 1, 'StatefulSet'));
    await settled();
  });
  after(() => cluster?.stop());
  afterEach(async () => {
    for (const node of nodeNames) await cordon(node, false);
    await admin.remove(`${shop.budgets}/web`).catch(() => {});
  });

  const cordon = (node: string, unschedulable = true) =>
    admin.merge(`/api/v1/nodes/${node}`, { spec: { unschedulable } });

  async function podsOf(name: string): Promise<PodState[]> {
    const { pods } = await reader.read({ namespaces: ['shop'] });
    return pods.filter((pod) => pod.workload === `shop/${name}` && !pod.terminating);
  }

  async function settled(): Promise<void> {
    await eventually('all pods are ready', async () => {
      const { workloads, pods } = await reader.read({ namespaces: ['shop'] });
      const ready = pods.filter((pod) => pod.ready && !pod.terminating);
      return workloads.every((one) => one.readyReplicas === one.replicas && !one.rollingOut) && ready.length === 7;
    });
  }

  /** A budget that is in force. */
  async function budget(minAvailable: number): Promise<void> {
    const spec = { minAvailable, selector: { matchLabels: { app: 'web' } } };
    await admin.create(shop.budgets, { metadata: { name: 'web' }, spec });
    await eventually('its controller has seen it', async () => {
      const { status } = await admin.get(`${shop.budgets}/web`);
      return status?.observedGeneration === 1 && status.currentHealthy === replicas;
    });
  }

  /** A node with pods of web and none of db. */
  async function busyNode(): Promise<string> {
    const [database] = await podsOf('db');
    const pods = await podsOf('web');
    const count = (node: string) => pods.filter((pod) => pod.node === node).length;
    const [busiest] = nodeNames.filter((node) => node !== database.node).sort((a, b) => count(b) - count(a));
    assert.ok(count(busiest) >= 2, `${busiest} has ${count(busiest)} pods`);
    return busiest;
  }

  function createLoop(placement: Partial<PlacementSpec>, mode: ControlState['mode'] = 'live') {
    const whole = { nodes: {}, leaveCordoned: true, movesPerStep: 1, coolDownSeconds: 0, ...placement };
    const fixed = { ...limits, maxStepUp: 0, maxStepDown: 0 };
    const opened = deploymentRecord({ mode, placement: whole });
    const [web, db] = opened.services;
    const record = {
      ...opened,
      services: [
        { ...web, limits: fixed },
        { ...db, kind: 'StatefulSet', limits: fixed },
      ] as const,
      openedAt: new Date(),
    };
    const store = new MemoryControlStore();
    const live = liveDeployment(record, application);
    const ports = {
      store,
      reader,
      actor,
      snapshots: new FakeMetrics(),
      policies: new FakePolicy(),
      now: () => new Date(),
    };
    let state = firstState('shop', mode, 0);
    return {
      store,
      open: () => store.openDeployment(record),
      async step(): Promise<{
        summary: StepSummary;
        placement: PlacementDecision;
        results: readonly PlacementResult[];
      }> {
        const summary = await runControlStep(ports, live, state, signal);
        const decision = (await store.getDecision('shop', state.step))!;
        state = summary.state;
        return { summary, placement: decision.placement!, results: decision.placementResult! };
      },
      close: () => closeDeployment({ store, actor, now: ports.now }, 'shop', state, null, signal),
      events: async () => (await store.listEvents('shop')).map(({ kind }) => kind).reverse(),
    };
  }

  test('pods leave a cordoned node, one a step and within their disruption budget, until none is left', async () => {
    await budget(replicas - 1);
    const node = await busyNode();
    const before = await podsOf('web');
    const leaving = before.filter((pod) => pod.node === node).map(({ name }) => name);
    await cordon(node);
    const loop = createLoop({});
    const evicted: string[] = [];
    const refusals = new Set<string>();
    await eventually('the placement is finished', async () => {
      const { placement, results, summary } = await loop.step();
      assert.ok(results.length <= 1, 'one a step');
      assert.ok(placement.observation!.workloads[0]!.readyPods >= replicas - 1, 'within the budget');
      assert.equal(summary.placed, results.filter(({ outcome }) => outcome === 'evicted').length);
      evicted.push(...results.filter(({ outcome }) => outcome === 'evicted').map(({ pod }) => pod!));
      for (const { reason } of placement.guarded) if (reason !== null) refusals.add(reason);
      await delay(20);
      return (await loop.events()).includes('placement-finished');
    });
    assert.deepEqual(evicted.toSorted(), leaving.toSorted(), 'each of them once, and no other');
    const left = await podsOf('web');
    assert.deepEqual(
      left.filter((pod) => pod.node === node),
      [],
    );
    assert.equal(left.length, replicas);
    const stayed = before.filter((pod) => pod.node !== node).map(({ name }) => name);
    assert.ok(stayed.every((name) => left.some((pod) => pod.name === name)));
    assert.ok([...refusals].every((reason) => ['not-ready', 'disruption-budget', 'rolling-out'].includes(reason)));
    assert.deepEqual((await loop.step()).placement.guarded, []);
  });

  test('a disruption budget of 0 keeps all pods where they are, and people hear of it', async () => {
    await settled();
    await budget(replicas);
    const node = await busyNode();
    await cordon(node);
    const before = (await podsOf('web')).map(({ name }) => name);
    const loop = createLoop({});
    const notes: (readonly string[])[] = [];
    for (let i = 0; i < 5; i++) {
      const { summary, results } = await loop.step();
      assert.deepEqual(results, []);
      notes.push(summary.notes.filter((note) => note.startsWith('shop/web')));
    }
    const note = (steps: number) =>
      `shop/web: its pods could not be moved away from ${node} for ${steps} steps: its disruption budget lets no pod go now`;
    assert.deepEqual(notes, [[], [], [], [note(4)], [note(5)]]);
    assert.deepEqual(await loop.events(), ['placement-stuck']);
    assert.deepEqual((await podsOf('web')).map(({ name }) => name).sort(), before.sort());
    const { items } = await admin.get(shop.events);
    const warning = items.find(({ reason }: Json) => reason === 'CoxswainPlacementStuck');
    assert.equal(warning.involvedObject.name, 'web');
  });

  test('in shadow mode the cluster stays as it is, and what would have been done is recorded', async () => {
    await settled();
    const node = await busyNode();
    await cordon(node);
    const before = await admin.get(`${shop.deployments}/web`);
    const pods = (await podsOf('web')).map(({ name }) => name).sort();
    const moving = await createLoop({}, 'shadow').step();
    const [moved] = moving.placement.guarded;
    assert.deepEqual([moved.permitted, moved.proposal.kind, moving.results], [true, 'move', []]);
    const placing = await createLoop({ nodes: { web: nodeNames.filter((name) => name !== node) } }, 'shadow').step();
    const [placed] = placing.placement.guarded;
    assert.deepEqual([placed.permitted, placed.proposal.kind, placing.results], [true, 'place', []]);
    assert.deepEqual((await podsOf('web')).map(({ name }) => name).sort(), pods);
    assert.equal((await admin.get(`${shop.deployments}/web`)).metadata.generation, before.metadata.generation);
  });

  test('pods are kept on the named nodes by one rollout, and closing takes that back', async () => {
    await settled();
    await budget(replicas - 1);
    const [first, second] = nodeNames;
    const path = `${shop.deployments}/web`;
    const before = await admin.get(path);
    const database = await admin.get(`${shop.statefulSets}/db`);
    const loop = createLoop({ nodes: { web: [first, second] } });
    await loop.open();
    const results: PlacementResult[] = [];
    await eventually('the placement is finished', async () => {
      results.push(...(await loop.step()).results);
      await delay(20);
      return (await loop.events()).includes('placement-finished');
    });
    assert.deepEqual(
      results.map(({ kind, outcome, workload }) => [kind, outcome, workload]),
      [['place', 'placed', 'shop/web']],
      'once, and nothing else while its pods were replaced',
    );
    const placed = await podsOf('web');
    assert.equal(placed.length, replicas);
    assert.ok(placed.every(({ node }) => node === first || node === second));
    assert.equal((await admin.get(path)).metadata.generation, before.metadata.generation + 1);

    await loop.close();
    assert.deepEqual(await loop.events(), ['placed', 'placement-finished', 'unplaced', 'stopped']);
    const closed = await admin.get(path);
    assert.deepEqual(closed.spec, before.spec);
    assert.deepEqual(
      Object.keys(closed.metadata.annotations ?? {}).filter((name) => name.startsWith('coxswain/')),
      [],
    );
    const untouched = await admin.get(`${shop.statefulSets}/db`);
    assert.equal(untouched.metadata.generation, database.metadata.generation);
    await settled();
  });

  test('a pod that has come again under the same name is not the one that was to be moved', async () => {
    await settled();
    const [{ name, namespace, uid, node }] = await podsOf('db');
    await cordon(node!);
    assert.equal(await actor.evict({ namespace, name, uid }), 'evicted');
    const again = await eventually('it came again elsewhere', async () =>
      (await podsOf('db')).find((pod) => pod.ready && pod.uid !== uid && pod.node !== node),
    );
    assert.equal(again.name, name);
    assert.equal(await actor.evict({ namespace, name, uid }), 'gone');
    await delay(500);
    assert.deepEqual(
      (await podsOf('db')).map((pod) => pod.uid),
      [again.uid],
    );
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  ApiPodDisruptionBudget,
  ApiWorkload,
  Quantities,
} from '../../../../src/cluster/kubernetes/api-objects.ts';
import { nodeState } from '../../../../src/cluster/kubernetes/node-state.ts';
import { podState, podUsage } from '../../../../src/cluster/kubernetes/pod-state.ts';
import { podsLeft } from '../../../../src/cluster/kubernetes/quota-room.ts';
import { clusterEvent, recentEvents } from '../../../../src/cluster/kubernetes/warning-events.ts';
import { workloadState } from '../../../../src/cluster/kubernetes/workload-state.ts';

const object: ApiWorkload = {
  metadata: { name: 'cart', namespace: 'shop', uid: 'u', resourceVersion: '7' },
  spec: {
    replicas: 3,
    template: {
      metadata: { labels: { app: 'cart' } },
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '100m', memory: '10Mi' } } }] },
    },
  },
  status: { readyReplicas: 2 },
};
const noOwners = { hpas: [], scaledObjects: [], unread: null };
const state = (budgets: ApiPodDisruptionBudget[] | null, changed: Partial<ApiWorkload['metadata']> = {}) =>
  workloadState({ ...object, metadata: { ...object.metadata, ...changed } }, 'Deployment', {
    autoscalers: noOwners,
    budgets,
  });

describe('a workload', () => {
  const budget = (disruptionsAllowed: number, app = 'cart', generation = 1): ApiPodDisruptionBudget => ({
    metadata: { name: 'b', generation },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed, observedGeneration: 1 },
  });

  test('is told with the least of its budgets; one that is not up to date, or not readable, allows none', () => {
    assert.equal(state([]).disruptionsAllowed, null);
    assert.equal(state([budget(1, 'web')]).disruptionsAllowed, null);
    assert.equal(state([budget(2), budget(1), budget(0, 'web')]).disruptionsAllowed, 1);
    assert.equal(state([budget(2), budget(5, 'cart', 2)]).disruptionsAllowed, 0);
    assert.equal(state(null).disruptionsAllowed, 0);
  });

  test('is told with the time of who set its replicas, where there is one', () => {
    const fieldsV1 = { 'f:spec': { 'f:replicas': {} } };
    const time = '2026-01-02T03:04:05Z';
    const others = { manager: 'b', operation: 'Update', time: '2026-02-02T03:04:05Z', fieldsV1: { 'f:status': {} } };
    assert.deepEqual(state([], { managedFields: [{ manager: 'a', time, fieldsV1 }, others] }).scaledAt, new Date(time));
    assert.equal(
      state([], { managedFields: [{ manager: 'a', subresource: 'scale', fieldsV1 }, others] }).scaledAt,
      null,
    );
    assert.equal(state([]).scaledAt, null);
  });

  test('is told with the hosts that our affinity keeps it on, as long as that is what we wrote', () => {
    const hosts = (terms: readonly (readonly string[])[], annotations?: Record<string, string>) => {
      const nodeSelectorTerms = terms.map((values) => ({
        matchExpressions: [
          { key: 'zone', operator: 'Exists' },
          { key: 'kubernetes.io/hostname', operator: 'In', values },
        ],
      }));
      const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
      const template = { spec: { containers: [], affinity: { nodeAffinity: required } } };
      const placed = { ...object, metadata: { ...object.metadata, annotations }, spec: { ...object.spec, template } };
      return workloadState(placed, 'Deployment', { autoscalers: noOwners, budgets: [] }).placedOnHosts;
    };
    const ours = { 'coxswain/affinity-before': 'null' };
    assert.deepEqual(hosts([['a', 'b']], ours), ['a', 'b']);
    assert.deepEqual(
      hosts(
        [
          ['a', 'b'],
          ['a', 'b'],
        ],
        ours,
      ),
      ['a', 'b'],
    );
    assert.deepEqual(hosts([['a'], ['b']], ours), []);
    assert.deepEqual(hosts([], ours), []);
    assert.equal(hosts([['a', 'b']]), null, 'somebody else wrote it');
    assert.equal(state([]).placedOnHosts, null);
    assert.deepEqual(state([], { annotations: ours }).placedOnHosts, [], 'somebody took it away');
  });

  test('is being rolled out until its controller has seen the template and no pod of an older one is left', () => {
    const rules = { autoscalers: noOwners, budgets: [] };
    const isRollingOut = (
      status: ApiWorkload['status'],
      kind: 'Deployment' | 'StatefulSet' = 'Deployment',
      type?: string,
    ) =>
      workloadState(
        { metadata: { ...object.metadata, generation: 2 }, spec: { ...object.spec, updateStrategy: { type } }, status },
        kind,
        rules,
      ).rollingOut;
    const seen = { observedGeneration: 2, replicas: 3 };
    assert.equal(isRollingOut({ ...seen, observedGeneration: 1, updatedReplicas: 3 }), true);
    assert.equal(isRollingOut({ ...seen, updatedReplicas: 2 }), true);
    assert.equal(isRollingOut({ ...seen, updatedReplicas: 3 }), false);
    assert.equal(isRollingOut({ observedGeneration: 2 }), false, 'scaled to none');
    const revisions = { ...seen, currentRevision: 'a', updateRevision: 'b' };
    assert.equal(isRollingOut(revisions, 'StatefulSet'), true);
    assert.equal(isRollingOut({ ...revisions, currentRevision: 'b' }, 'StatefulSet'), false);
    assert.equal(isRollingOut(revisions, 'StatefulSet', 'OnDelete'), false, 'it replaces none by itself');
  });

  test('has one replica where the API server says nothing', () => {
    const { replicas: _none, ...spec } = object.spec;
    const rules = { autoscalers: noOwners, budgets: [] };
    const { replicas, readyReplicas } = workloadState({ ...object, spec, status: {} }, 'Deployment', rules);
    assert.deepEqual([replicas, readyReplicas], [1, 0]);
  });
});

describe('a pod', () => {
  const metadata = { name: 'p', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' };
  const owned = (kind: string, name: string, labels: Record<string, string> = {}, controller = true) =>
    podState({
      metadata: { ...metadata, labels, ownerReferences: [{ kind, name, controller }] },
      spec: { containers: [] },
    }).workload;

  test('belongs to the Deployment of its ReplicaSet, to its StatefulSet, or to neither', () => {
    const labels = { 'pod-template-hash': '6bc8c596ff' };
    assert.equal(owned('ReplicaSet', 'cart-v2-6bc8c596ff', labels), 'shop/cart-v2');
    assert.equal(owned('ReplicaSet', 'standalone'), null);
    assert.equal(owned('ReplicaSet', 'standalone-undefined'), null);
    assert.equal(owned('ReplicaSet', 'standalone', labels), null);
    assert.equal(owned('StatefulSet', 'db'), 'shop/db');
    assert.equal(owned('StatefulSet', 'db', {}, false), null);
    assert.equal(owned('Job', 'once'), null);
    assert.equal(podState({ metadata, spec: { containers: [] } }).workload, null);
  });

  test('is told as it stands', () => {
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:09Z' };
    const read = podState({
      metadata: { ...metadata, deletionTimestamp: '2026-01-01T01:00:00Z' },
      spec: { containers: [], nodeName: 'node-1' },
      status: { phase: 'Running', conditions: [{ type: 'Initialized', status: 'True' }, ready] },
    });
    assert.deepEqual(
      [read.node, read.phase, read.ready, read.terminating, read.readyAt],
      ['node-1', 'Running', true, true, new Date('2026-01-01T00:00:09Z')],
    );
    const pending = podState({
      metadata,
      spec: { containers: [] },
      status: { conditions: [{ ...ready, status: 'False' }] },
    });
    assert.deepEqual([pending.node, pending.phase, pending.ready, pending.readyAt], [null, 'Unknown', false, null]);
  });

  test('uses what its containers use', () => {
    const usages: Quantities[] = [{ cpu: '1500000n', memory: '1Ki' }, { cpu: '2m' }];
    const containers = [...usages.map((usage) => ({ usage })), {}];
    assert.deepEqual(podUsage({ metadata, containers }), { cpuMillicores: 4, memoryBytes: 1024 });
  });
});

test('a node is told with what it can take', () => {
  const metadata = { name: 'n', labels: { zone: 'a' } };
  const status = {
    allocatable: { cpu: '3920m', memory: '1Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  assert.deepEqual(nodeState({ metadata, spec: { unschedulable: true }, status }), {
    name: 'n',
    ready: true,
    unschedulable: true,
    allocatableMillicores: 3920,
    allocatableBytes: 2 ** 30,
    allocatablePods: 110,
    labels: { zone: 'a' },
  });
  const lost = nodeState({ metadata, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
  assert.deepEqual([lost.ready, lost.unschedulable, lost.allocatablePods], [false, false, 0]);
});

describe('the room that quotas leave', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string> = {}, scopes: string[] = []) => ({
    metadata: { name: 'q' },
    spec: { scopes },
    status: { hard, used },
  });
  const workloads = [state([]), { ...state([]), cpuRequestMillicores: 200, memoryRequestBytes: null }];

  test('is the least of pods, CPU and memory, in pods of the workload that takes the most', () => {
    assert.equal(podsLeft([], workloads), null);
    assert.equal(podsLeft([quota({ services: '1' })], workloads), null);
    assert.equal(podsLeft([quota({ pods: '10' }, { pods: '4' })], workloads), 6);
    assert.equal(podsLeft([quota({ 'count/pods': '10' }, { 'count/pods': '4' }), quota({ pods: '5' })], workloads), 5);
    assert.equal(podsLeft([quota({ 'requests.cpu': '1' }, { 'requests.cpu': '300m' })], workloads), 3);
    assert.equal(podsLeft([quota({ cpu: '0.3' }, { cpu: '0.1' })], workloads), 1);
    assert.equal(podsLeft([quota({ 'requests.memory': '100Mi' }, { 'requests.memory': '75Mi' })], workloads), 2);
    assert.equal(podsLeft([quota({ 'limits.cpu': '1' })], workloads), null, 'no workload has a limit');
  });

  test('is never negative, and quotas for pods that end do not count', () => {
    assert.equal(podsLeft([quota({ pods: '3' }, { pods: '4' })], workloads), 0);
    assert.equal(podsLeft([quota({ pods: '3' }, {}, ['Terminating'])], workloads), null);
    assert.equal(podsLeft([quota({ pods: '3' }, {}, ['NotTerminating'])], workloads), 3);
    assert.equal(podsLeft([quota({ pods: '3' })], []), 3);
    assert.equal(podsLeft([{ metadata: { name: 'new' } }], workloads), null);
  });
});

test('of events the last minutes are told, by when they were last seen', () => {
  const event = (times: object) =>
    clusterEvent({ metadata: { name: 'e', namespace: 'shop' }, involvedObject: { kind: 'Pod', name: 'p' }, ...times });
  const now = new Date('2026-01-01T12:00:00Z');
  const seen = event({
    firstTimestamp: '2026-01-01T08:00:00Z',
    lastTimestamp: '2026-01-01T11:59:00Z',
    reason: 'BackOff',
  });
  const series = event({ eventTime: '2026-01-01T08:00:00Z', series: { lastObservedTime: '2026-01-01T11:55:00Z' } });
  const old = event({ lastTimestamp: null, eventTime: '2026-01-01T11:49:59Z' });
  assert.deepEqual(
    recentEvents([seen, old, series], now).map(({ at }) => at.toISOString()),
    ['2026-01-01T11:55:00.000Z', '2026-01-01T11:59:00.000Z'],
  );
  assert.deepEqual([seen.about, seen.namespace, seen.reason, seen.message], ['Pod p', 'shop', 'BackOff', '']);
});

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { serveResourceMetrics, writePodUsage } from '../../scripts/local-services/resource-metrics.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { createClusterActor } from '../../src/cluster/kubernetes/cluster-actor.ts';
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import type { Patience } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import type { ClusterActor, ClusterReader, ClusterWorkload } from '../../src/contracts/cluster.ts';
import { clusterAdmin, eventually, hpa, pathsIn, serveKind, workload } from './cluster-admin.ts';
import type { ClusterAdmin, Json } from './cluster-admin.ts';
import { writeKubeconfig } from './service-account.ts';

const { skip } = await kubernetesOrSkip();
const manifests = join(
  import.meta.dirname,
  '../../../shared/data/k8s-manifests/online-boutique/kubernetes-manifests.yaml',
);
const noManifests = existsSync(manifests) ? false : `optional: ${manifests} is not at hand`;

describe('the adapters for a real Kubernetes API server', { skip }, () => {
  let cluster: TestCluster;
  /** Of somebody with all rights. */
  let config: KubeConfig;
  let admin: ClusterAdmin;
  let reader: ClusterReader;
  let actor: ClusterActor;
  const shop = pathsIn('shop');

  before(async () => {
    cluster = await startTestCluster({ nodes: 3, autoscalerSyncSeconds: 1 });
    config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    admin = clusterAdmin(cluster);
    for (const name of ['shop', 'boutique', 'elsewhere'])
      await admin.create('/api/v1/namespaces', { metadata: { name } });
    ({ reader, actor } = adaptersFor(cluster.kubeconfig));
  });
  after(() => cluster?.stop());

  /** A workload of namespace shop that is there with all of its pods. */
  async function running(name: string, replicas: number, kind: 'Deployment' | 'StatefulSet' = 'Deployment') {
    await admin.create(kind === 'Deployment' ? shop.deployments : shop.statefulSets, workload(name, replicas, kind));
    await eventually(
      `${name} has ${replicas} ready pods`,
      async () => (await stateOf(name)).readyReplicas === replicas,
    );
  }

  async function stateOf(name: string): Promise<ClusterWorkload> {
    const { workloads } = await reader.read({ namespaces: ['shop'] });
    const found = workloads.find(({ workload }) => workload === `shop/${name}`);
    assert.ok(found, `shop/${name} is not there`);
    return found;
  }

  const ownerOf = async (name: string) => (await stateOf(name)).owner;

  test('Online Boutique is read as its real manifests say', { skip: noManifests }, async () => {
    const documents = parseAllDocuments(readFileSync(manifests, 'utf8')).map((document): Json => document.toJS());
    const deployments = documents.filter(({ kind }) => kind === 'Deployment');
    for (const body of deployments) await admin.create(pathsIn('boutique').deployments, body);
    const state = await eventually('all of its pods run', async () => {
      const state = await reader.read({ namespaces: ['boutique'] });
      return state.workloads.every(({ replicas, readyReplicas }) => replicas === readyReplicas) ? state : null;
    });
    assert.deepEqual(
      state.workloads.map(({ workload }) => workload),
      deployments.map(({ metadata }) => `boutique/${metadata.name}`).sort(),
    );
    assert.deepEqual(state.gaps, []);
    const cart = state.workloads.find(({ workload }) => workload === 'boutique/cartservice')!;
    const { requests, limits } = deployments.find(({ metadata }) => metadata.name === 'cartservice').spec.template.spec
      .containers[0].resources;
    assert.deepEqual(
      [requests, limits],
      [
        { cpu: '200m', memory: '64Mi' },
        { cpu: '300m', memory: '128Mi' },
      ],
    );
    assert.deepEqual(
      [cart.cpuRequestMillicores, cart.cpuLimitMillicores, cart.memoryRequestBytes, cart.memoryLimitBytes],
      [200, 300, 64 * 2 ** 20, 128 * 2 ** 20],
    );
    assert.deepEqual([cart.kind, cart.owner, cart.disruptionsAllowed, cart.replicas], ['Deployment', null, null, 1]);
    assert.deepEqual(state.nodes.map(({ name }) => name).sort(), ['node-1', 'node-2', 'node-3']);
    assert.deepEqual(
      state.nodes.map(({ ready, allocatableMillicores, allocatablePods }) => [
        ready,
        allocatableMillicores,
        allocatablePods,
      ]),
      Array.from({ length: 3 }, () => [true, 16_000, 110]),
    );
    assert.equal(state.pods.length, deployments.length);
    for (const pod of state.pods) {
      assert.ok(
        state.workloads.some(({ workload }) => workload === pod.workload),
        pod.name,
      );
      assert.match(pod.node!, /^node-[123]$/);
      assert.ok(pod.ready && pod.readyAt! >= pod.createdAt && pod.readyAt! <= new Date(Date.now() + 1000));
    }
  });

  test('replicas change through the scale subresource, as coxswain', async () => {
    await running('scaled', 2);
    await running('ordered', 1, 'StatefulSet');
    assert.ok(Math.abs((await stateOf('scaled')).scaledAt!.getTime() - Date.now()) < 30_000);
    const request = { workload: 'shop/scaled', kind: 'Deployment', from: 2, to: 4 } as const;
    assert.deepEqual(await actor.scale(request), {
      workload: 'shop/scaled',
      outcome: 'scaled',
      replicas: 4,
      detail: '',
    });
    assert.equal((await actor.scale(request)).outcome, 'already');
    assert.deepEqual(await actor.scale({ ...request, to: 5 }), {
      workload: 'shop/scaled',
      outcome: 'moved',
      replicas: 4,
      detail: 'it stands at 4, and the decision was made for 2',
    });
    assert.equal(
      (await actor.scale({ ...request, workload: 'shop/ordered', kind: 'StatefulSet', from: 1, to: 3 })).replicas,
      3,
    );
    const { metadata } = await admin.get(`${shop.deployments}/scaled`);
    const setters = metadata.managedFields.filter((entry: Json) => entry.fieldsV1['f:spec']?.['f:replicas']);
    assert.deepEqual(
      setters.map(({ manager, subresource }: Json) => [manager, subresource]),
      [['coxswain', 'scale']],
    );
    const { scaledAt, owner } = await stateOf('scaled');
    assert.deepEqual([owner, scaledAt], [null, null], 'the API server keeps no time of it');
  });

  test('a concurrent writer makes conflicts, which are read again; a concurrent scaler is never overruled', async () => {
    await running('contended', 1);
    const path = `${shop.deployments}/contended`;
    const conflicts = () =>
      auditOf(cluster).filter(
        ({ objectRef, verb, responseStatus }) =>
          verb === 'update' && objectRef?.name === 'contended' && responseStatus.code === 409,
      ).length;
    let going = true;
    const writer = async (name: string): Promise<void> => {
      for (let i = 0; going; i++) {
        await admin.merge(path, { metadata: { annotations: { [name]: `${i}` } } });
        await delay(15);
      }
    };
    const writers = Promise.all([writer('one'), writer('two')]);
    let from = 1;
    try {
      while (from < 5 || (conflicts() === 0 && from < 40)) {
        const result = await actor.scale({ workload: 'shop/contended', kind: 'Deployment', from, to: from + 1 });
        assert.deepEqual([result.outcome, result.replicas], ['scaled', ++from], result.detail);
      }
    } finally {
      going = false;
      await writers;
    }
    assert.ok(conflicts() > 0, 'no conflict came about');

    // Both want to change it; whoever comes second must find that out, and not overrule the first.
    const ours = actor.scale({ workload: 'shop/contended', kind: 'Deployment', from, to: from + 1 });
    const theirs = admin.merge(`${path}/scale`, { spec: { replicas: 3 } });
    const [{ outcome, detail }] = await Promise.all([ours, theirs]);
    assert.ok(outcome === 'moved' || outcome === 'scaled', detail);
    assert.equal((await stateOf('contended')).replicas, 3);
  });

  test('a deployment that is deleted in the middle is gone, and the rest is read', async () => {
    await running('doomed', 3);
    await admin.remove(`${shop.deployments}/doomed`);
    const result = await actor.scale({ workload: 'shop/doomed', kind: 'Deployment', from: 3, to: 4 });
    assert.deepEqual([result.outcome, result.replicas], ['gone', null]);
    const { workloads } = await reader.read({ namespaces: ['shop'] });
    assert.ok(!workloads.some(({ workload }) => workload === 'shop/doomed'));
    await assert.rejects(actor.pauseOwner('shop/doomed', 'Deployment'), { code: 'CLUSTER_REFUSED', message: /doomed/ });
  });

  test('namespaces that the configuration does not allow are neither read nor touched', async () => {
    await admin.create(pathsIn('elsewhere').deployments, workload('other', 1));
    const refused = { code: 'NOT_ALLOWED', message: /Namespace elsewhere .*COXSWAIN_CLUSTER_NAMESPACES/ };
    await assert.rejects(async () => reader.read({ namespaces: ['shop', 'elsewhere'] }), refused);
    await assert.rejects(actor.placeOn('elsewhere/other', 'Deployment', ['node-1']), refused);
    await assert.rejects(actor.evict({ namespace: 'elsewhere', name: 'x' }), refused);
    const result = await actor.scale({ workload: 'elsewhere/other', kind: 'Deployment', from: 1, to: 2 });
    assert.equal(result.outcome, 'failed');
    assert.match(result.detail, /^NOT_ALLOWED/);
    const touched = auditOf(cluster).filter(
      ({ objectRef, userAgent }) => objectRef?.namespace === 'elsewhere' && userAgent === 'coxswain',
    );
    assert.deepEqual(touched, []);
  });

  test('an HPA owns its target until it is paused, and is afterwards as it was', async () => {
    await running('hpa-owned', 3);
    const path = `${shop.hpas}/hpa-owned`;
    const created = hpa('hpa-owned', 'hpa-owned');
    created.spec.behavior = { scaleDown: { stabilizationWindowSeconds: 17, selectPolicy: 'Min' } };
    await admin.create(shop.hpas, created);
    const { spec: before } = await admin.get(path);
    const state = await stateOf('hpa-owned');
    assert.deepEqual(state.owner, { kind: 'HorizontalPodAutoscaler', name: 'hpa-owned', pausable: true });
    assert.deepEqual(state.autoscaler, { minReplicas: 2, maxReplicas: 9 });

    const paused = await actor.pauseOwner('shop/hpa-owned', 'Deployment');
    assert.deepEqual(paused, { workload: 'shop/hpa-owned', kind: 'HorizontalPodAutoscaler', name: 'hpa-owned' });
    const { spec, metadata } = await admin.get(path);
    assert.deepEqual(
      [spec.behavior.scaleUp.selectPolicy, spec.behavior.scaleDown.selectPolicy],
      ['Disabled', 'Disabled'],
    );
    assert.deepEqual(JSON.parse(metadata.annotations['coxswain/paused-behavior']), before.behavior);
    assert.equal(await ownerOf('hpa-owned'), null);
    assert.deepEqual((await stateOf('hpa-owned')).autoscaler, { minReplicas: 2, maxReplicas: 9 });
    assert.deepEqual(
      await actor.pauseOwner('shop/hpa-owned', 'Deployment'),
      paused,
      'it must be resumed by who asks again',
    );

    await actor.resumeOwner(paused!);
    await actor.resumeOwner(paused!);
    const resumed = await admin.get(path);
    assert.deepEqual(resumed.spec, before);
    assert.equal(resumed.metadata.annotations, undefined);
    assert.equal((await ownerOf('hpa-owned'))?.name, 'hpa-owned');
    await admin.remove(path);
    await actor.resumeOwner(paused!);
  });

  test('an HPA without behaviour gets none by being paused and resumed; one that its user paused is left alone', async () => {
    await running('plain', 2);
    await admin.create(shop.hpas, hpa('plain', 'plain'));
    const { spec: before } = await admin.get(`${shop.hpas}/plain`);
    const paused = await actor.pauseOwner('shop/plain', 'Deployment');
    await actor.resumeOwner(paused!);
    assert.deepEqual((await admin.get(`${shop.hpas}/plain`)).spec, before);

    const off = { scaleUp: { selectPolicy: 'Disabled' }, scaleDown: { selectPolicy: 'Disabled' } };
    const { spec: theirs } = await admin.merge(`${shop.hpas}/plain`, { spec: { behavior: off } });
    assert.equal(await ownerOf('plain'), null);
    assert.equal(await actor.pauseOwner('shop/plain', 'Deployment'), null);
    await actor.resumeOwner(paused!);
    assert.deepEqual((await admin.get(`${shop.hpas}/plain`)).spec, theirs);
  });

  test('an HPA that somebody lets scale again while we pause it stays as they want it', async () => {
    await running('taken-back', 2);
    const path = `${shop.hpas}/taken-back`;
    await admin.create(shop.hpas, hpa('taken-back', 'taken-back'));
    const paused = await actor.pauseOwner('shop/taken-back', 'Deployment');
    const theirs = { scaleUp: { selectPolicy: 'Min' }, scaleDown: { selectPolicy: 'Disabled' } };
    const { spec } = await admin.merge(path, { spec: { behavior: theirs } });
    assert.equal((await ownerOf('taken-back'))?.name, 'taken-back');

    assert.deepEqual(await actor.pauseOwner('shop/taken-back', 'Deployment'), paused);
    assert.equal(await ownerOf('taken-back'), null);
    await actor.resumeOwner(paused!);
    assert.deepEqual((await admin.get(path)).spec, spec, 'what was paused last is what comes back');

    await actor.pauseOwner('shop/taken-back', 'Deployment');
    await admin.merge(path, { spec: { behavior: { scaleUp: { selectPolicy: 'Max' } } } });
    await actor.resumeOwner(paused!);
    const resumed = await admin.get(path);
    assert.equal(resumed.spec.behavior.scaleUp.selectPolicy, 'Max');
    assert.equal(resumed.metadata.annotations, undefined);
  });

  test('a manager that applies replicas owns them until somebody else sets them', async () => {
    const path = `${shop.deployments}/applied`;
    await admin.apply(path, workload('applied', 2), 'argocd-controller');
    assert.deepEqual(await ownerOf('applied'), { kind: 'field-manager', name: 'argocd-controller', pausable: false });
    await assert.rejects(actor.pauseOwner('shop/applied', 'Deployment'), {
      code: 'WORKLOAD_OWNED',
      message: /shop\/applied are set by field-manager argocd-controller, which cannot be paused/,
    });
    await admin.merge(`${path}/scale`, { spec: { replicas: 3 } }, 'kubectl');
    assert.equal(await ownerOf('applied'), null);
    await admin.merge(`${path}/scale`, { spec: { replicas: 4 } }, 'some-operator');
    assert.deepEqual(await ownerOf('applied'), { kind: 'field-manager', name: 'some-operator', pausable: false });
    await admin.apply(path, workload('applied', 2), 'argocd-controller');
    assert.equal((await ownerOf('applied'))?.name, 'argocd-controller');
    const { replicas: _givenUp, ...rest } = workload('applied', 2).spec;
    await admin.apply(path, { ...workload('applied', 2), spec: rest }, 'argocd-controller');
    assert.equal(await ownerOf('applied'), null);
  });

  test("KEDA's ScaledObject owns its target, by itself or by its HPA, until KEDA's annotation pauses it", async () => {
    await serveKind(admin, 'keda.sh', 'v1alpha1', 'ScaledObject', 'scaledobjects');
    await running('keda', 1);
    const path = `${shop.scaledObjects}/events`;
    const object = await admin.create(shop.scaledObjects, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'events', annotations: { theirs: 'stays', 'autoscaling.keda.sh/paused': 'false' } },
      spec: { scaleTargetRef: { name: 'keda' }, maxReplicaCount: 30, triggers: [] },
    });
    const owner = { kind: 'ScaledObject', name: 'events', pausable: true };
    assert.deepEqual(await ownerOf('keda'), owner);
    assert.deepEqual((await stateOf('keda')).autoscaler, { minReplicas: 0, maxReplicas: 30 });

    // KEDA makes an HPA for it, and removes that when it is paused.
    const made = hpa('keda-hpa-events', 'keda');
    const reference = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: 'events', controller: true };
    made.metadata.ownerReferences = [{ ...reference, uid: object.metadata.uid }];
    await admin.create(shop.hpas, made);
    assert.deepEqual(await ownerOf('keda'), owner);
    const paused = await actor.pauseOwner('shop/keda', 'Deployment');
    assert.deepEqual(paused, { workload: 'shop/keda', kind: 'ScaledObject', name: 'events' });
    const { annotations } = (await admin.get(path)).metadata;
    assert.equal(annotations['autoscaling.keda.sh/paused'], 'true');
    assert.deepEqual(await ownerOf('keda'), owner, 'its HPA is still there and acts');
    await admin.remove(`${shop.hpas}/keda-hpa-events`);
    assert.equal(await ownerOf('keda'), null);
    assert.deepEqual(await actor.pauseOwner('shop/keda', 'Deployment'), paused);

    await actor.resumeOwner(paused!);
    assert.deepEqual((await admin.get(path)).metadata.annotations, object.metadata.annotations);
    assert.deepEqual(await ownerOf('keda'), owner);
    await admin.merge(path, { metadata: { annotations: { 'autoscaling.keda.sh/paused-replicas': '1' } } });
    assert.equal(await ownerOf('keda'), null);
    assert.equal(await actor.pauseOwner('shop/keda', 'Deployment'), null);
  });

  test('an HPA of ours is made, changed and removed, owns nothing, and never stands beside another', async () => {
    await running('native', 2);
    const wanted = {
      workload: 'shop/native',
      kind: 'Deployment',
      minReplicas: 1,
      maxReplicas: 6,
      targetPercent: 70,
    } as const;
    const path = `${shop.hpas}/coxswain-native`;
    await actor.putAutoscaler(wanted);
    const first = await admin.get(path);
    await actor.putAutoscaler(wanted);
    assert.equal((await admin.get(path)).metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(first.metadata.labels['app.kubernetes.io/managed-by'], 'coxswain');
    assert.deepEqual(first.spec.metrics[0].resource.target, { type: 'Utilization', averageUtilization: 70 });
    const { owner, autoscaler } = await stateOf('native');
    assert.deepEqual([owner, autoscaler], [null, null]);
    await actor.putAutoscaler({ ...wanted, maxReplicas: 8 });
    assert.equal((await admin.get(path)).spec.maxReplicas, 8);
    await actor.removeAutoscaler('shop/native');
    await actor.removeAutoscaler('shop/native');
    await assert.rejects(admin.get(path), /404/);

    await admin.create(shop.hpas, hpa('theirs', 'native'));
    await assert.rejects(actor.putAutoscaler(wanted), { code: 'WORKLOAD_OWNED', message: /HPA theirs/ });
    await admin.remove(`${shop.hpas}/theirs`);
    await admin.create(shop.hpas, hpa('coxswain-native', 'native'));
    await actor.removeAutoscaler('shop/native');
    assert.equal((await admin.get(path)).metadata.name, 'coxswain-native', 'it is not ours, whatever its name');
    await admin.remove(path);
  });

  test('pods are placed by node affinity beside what their owner wants, and nothing of it stays', async () => {
    const placed = workload('placed', 2);
    const theirs = {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }],
    };
    placed.spec.template.spec.affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: theirs } };
    await admin.create(shop.deployments, placed);
    await running('unplaced', 2, 'StatefulSet');
    const path = `${shop.deployments}/placed`;
    const { spec: before, metadata } = await admin.get(path);
    for (const node of ['node-2', 'node-3']) {
      await actor.placeOn('shop/placed', 'Deployment', [node]);
      await eventually(`its pods are on ${node}`, async () => {
        const pods = await podsOf('placed');
        return pods.length === 2 && pods.every((pod) => pod.node === node && pod.ready);
      });
    }
    const { nodeSelectorTerms } = (await admin.get(path)).spec.template.spec.affinity.nodeAffinity
      .requiredDuringSchedulingIgnoredDuringExecution;
    assert.deepEqual(nodeSelectorTerms, [
      {
        matchExpressions: [
          theirs.nodeSelectorTerms[0].matchExpressions[0],
          { key: 'kubernetes.io/hostname', operator: 'In', values: ['node-3'] },
        ],
      },
    ]);
    await actor.placeOn('shop/placed', 'Deployment', null);
    const after = await admin.get(path);
    assert.deepEqual(after.spec, before);
    assert.deepEqual(after.metadata.labels, metadata.labels);
    assert.ok(!Object.keys(after.metadata.annotations).some((name) => name.startsWith('coxswain/')));

    const { spec: unplaced } = await admin.get(`${shop.statefulSets}/unplaced`);
    await actor.placeOn('shop/unplaced', 'StatefulSet', ['node-1', 'node-2']);
    await actor.placeOn('shop/unplaced', 'StatefulSet', null);
    await actor.placeOn('shop/unplaced', 'StatefulSet', null);
    const replaced = await admin.get(`${shop.statefulSets}/unplaced`);
    assert.deepEqual(replaced.spec, unplaced);
    assert.equal(replaced.metadata.annotations, undefined);
    assert.ok(!replaced.metadata.managedFields.some(({ manager }: Json) => manager === 'coxswain'));
    await assert.rejects(actor.placeOn('shop/placed', 'Deployment', ['node-1', 'node-9']), {
      code: 'CLUSTER_REFUSED',
      message: /node-9/,
    });
  });

  async function podsOf(name: string) {
    const { pods } = await reader.read({ namespaces: ['shop'] });
    return pods.filter((pod) => pod.workload === `shop/${name}` && !pod.terminating);
  }

  test('a disruption budget is told and respected', async () => {
    await running('budgeted', 2);
    const budget = (minAvailable: number) => ({
      spec: { minAvailable, selector: { matchLabels: { app: 'budgeted' } } },
    });
    await admin.create(shop.budgets, { metadata: { name: 'budgeted' }, ...budget(2) });
    assert.equal((await stateOf('budgeted')).disruptionsAllowed, 0, 'also before its controller has seen it');
    await eventually('its controller has seen it', async () => {
      const { status } = await admin.get(`${shop.budgets}/budgeted`);
      return status.observedGeneration === 1 && status.currentHealthy === 2;
    });
    const [pod] = await podsOf('budgeted');
    assert.equal(await actor.evict(pod), 'budget');
    await admin.merge(`${shop.budgets}/budgeted`, budget(1));
    await eventually('one may go', async () => (await stateOf('budgeted')).disruptionsAllowed === 1);
    assert.equal(await actor.evict(pod), 'evicted');
    await eventually('another takes its place', async () => {
      const pods = await podsOf('budgeted');
      return pods.length === 2 && pods.every(({ name, ready }) => name !== pod.name && ready);
    });
    assert.equal(await actor.evict(pod), 'gone');
    assert.equal(await actor.evict({ namespace: 'shop', name: 'never-was' }), 'gone');
  });

  test('the room that quotas leave is told in pods of the largest workload', async () => {
    const { podsLeft } = await reader.read({ namespaces: ['boutique', 'shop'] });
    assert.deepEqual(podsLeft, {});
    await admin.create('/api/v1/namespaces', { metadata: { name: 'bounded' } });
    const bounded = pathsIn('bounded');
    const { reader: readsBounded } = adaptersFor(cluster.kubeconfig, { namespaces: ['bounded'] });
    const left = async () => (await readsBounded.read({ namespaces: ['bounded'] })).podsLeft.bounded;
    await admin.create(bounded.quotas, { metadata: { name: 'pods' }, spec: { hard: { pods: '10' } } });
    await eventually('ten fit', async () => (await left()) === 10);
    await admin.create(bounded.deployments, workload('small', 3));
    await eventually('seven more fit', async () => (await left()) === 7);
    await admin.create(bounded.quotas, { metadata: { name: 'cpu' }, spec: { hard: { 'requests.cpu': '700m' } } });
    await eventually('four of 100m fit into the 400m that are left', async () => (await left()) === 4);
  });

  test('usage comes from the metrics API where it is served, and is a gap elsewhere', async () => {
    const before = await reader.read({ namespaces: ['shop'], usage: true });
    assert.deepEqual(
      before.gaps.map(({ what, code }) => [what, code]),
      [['pods.metrics.k8s.io in shop', 'CLUSTER_REFUSED']],
    );
    assert.ok(before.pods.every(({ cpuMillicores }) => cpuMillicores === null));
    await serveResourceMetrics(config);
    const [pod] = await podsOf('scaled');
    const containers = { server: { cpu: '12345678n', memory: '20Mi' }, proxy: { cpu: '7m', memory: '1024Ki' } };
    await writePodUsage(config, { namespace: 'shop', pod: pod.name, labels: {}, containers }, 1);
    const { pods, gaps } = await reader.read({ namespaces: ['shop'], usage: true });
    assert.deepEqual(gaps, []);
    const { cpuMillicores, memoryBytes } = pods.find(({ name }) => name === pod.name)!;
    assert.deepEqual([cpuMillicores, memoryBytes], [20, 21 * 2 ** 20]);
  });

  test("Kubernetes's own autoscaler keeps still while it is paused, and ours acts when it must take over", async () => {
    await running('hot', 3);
    await admin.create(shop.hpas, hpa('hot', 'hot'));
    const paused = await actor.pauseOwner('shop/hot', 'Deployment');
    // Each pod uses all of the 100m that it asks for, twice the target of an HPA.
    const burn = async () => {
      for (const { name } of await podsOf('hot')) {
        const containers = { server: { cpu: '100m', memory: '10Mi' } };
        await writePodUsage(config, { namespace: 'shop', pod: name, labels: { app: 'hot' }, containers }, 1);
      }
      await delay(500);
    };
    const conditionOf = async (name: string, type: string) => {
      const { conditions = [] } = (await admin.get(`${shop.hpas}/${name}`)).status;
      return conditions.find((condition: Json) => condition.type === type)?.reason;
    };
    await eventually('the paused HPA has seen the usage and may do nothing', async () => {
      await burn();
      return (await conditionOf('hot', 'ScalingLimited')) === 'ScaleUpLimit' || null;
    });
    assert.equal((await stateOf('hot')).replicas, 3);
    await actor.scale({ workload: 'shop/hot', kind: 'Deployment', from: 3, to: 1 });
    await eventually('a paused HPA still holds its own bounds', async () => (await stateOf('hot')).replicas === 2);

    const native = {
      workload: 'shop/hot',
      kind: 'Deployment',
      minReplicas: 1,
      maxReplicas: 4,
      targetPercent: 50,
    } as const;
    await assert.rejects(actor.putAutoscaler(native), { code: 'WORKLOAD_OWNED' });
    await admin.create(shop.hpas, hpa('second', 'hot'));
    const ambiguous = async () => (await conditionOf('second', 'ScalingActive')) === 'AmbiguousSelector';
    await eventually('of two HPAs neither acts', ambiguous);
    await admin.remove(`${shop.hpas}/second`);

    await actor.resumeOwner(paused!);
    await eventually('the resumed HPA scales up', async () => {
      await burn();
      return (await stateOf('hot')).replicas > 3;
    });
    await admin.remove(`${shop.hpas}/hot`);
    const { replicas } = await stateOf('hot');
    await actor.scale({ workload: 'shop/hot', kind: 'Deployment', from: replicas, to: 1 });
    await actor.putAutoscaler(native);
    await eventually('our HPA scales up', async () => {
      await burn();
      return (await stateOf('hot')).replicas === 4;
    });
    assert.equal(await ownerOf('hot'), null);
    await actor.removeAutoscaler('shop/hot');
  });

  test('a warning is left where kubectl describe finds it, and warnings are read', async () => {
    const { uid } = await stateOf('scaled');
    await actor.warn('shop/scaled', 'Deployment', 'CoxswainFallback', `${'x'.repeat(2000)}`);
    await actor.warn('shop/never-was', 'Deployment', 'CoxswainFallback', 'it never throws');
    await actor.warn('elsewhere/other', 'Deployment', 'CoxswainFallback', 'it never throws');
    const query = `fieldSelector=involvedObject.uid%3D${uid},involvedObject.name%3Dscaled,involvedObject.kind%3DDeployment`;
    const { items } = await admin.get(`${shop.events}?${query}`);
    const ours = items.filter(({ reason }: Json) => reason === 'CoxswainFallback');
    assert.deepEqual(
      ours.map(({ type, source, message }: Json) => [type, source.component, message.length]),
      [['Warning', 'coxswain', 1024]],
    );
    const { events } = await reader.read({ namespaces: ['shop'], events: true });
    const read = events.filter(({ reason }) => reason === 'CoxswainFallback');
    assert.deepEqual(
      read.map(({ about, namespace }) => [about, namespace]),
      [['Deployment scaled', 'shop']],
    );
    assert.deepEqual((await reader.read({ namespaces: ['shop'] })).events, []);
  });

  describe('credentials', () => {
    let folder: string;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'coxswain-credentials-'));
      await admin.create('/api/v1/namespaces/shop/serviceaccounts', { metadata: { name: 'reader' } });
      const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'shop' }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
      const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
      await admin.create(bindings, { metadata: { name: 'reader' }, subjects, roleRef });
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    const expired = () => cluster.serviceAccountToken('shop', 'reader', -3600);
    const fresh = () => cluster.serviceAccountToken('shop', 'reader', 3600);

    const kubeconfigWith = (user: Json, name: string): string => writeKubeconfig(cluster, folder, name, user);

    async function works(reading: ClusterReader): Promise<void> {
      await eventually('the right arrives', async () => {
        const { gaps } = await reading.read({ namespaces: ['shop'] });
        return gaps.length === 0;
      });
    }

    test('an expired token that nobody renewed is refused, and shown nowhere', async () => {
      const token = await expired();
      const { reader: refused, actor: unable } = adaptersFor(kubeconfigWith({ token }, 'expired'));
      const error: unknown = await refused.read({ namespaces: ['shop'] }).catch((caught: unknown) => caught);
      assert.ok(error instanceof Error && 'code' in error && error.code === 'CLUSTER_REFUSED');
      assert.match(error.message, /does not accept the credentials/);
      const { outcome, detail } = await unable.scale({ workload: 'shop/scaled', kind: 'Deployment', from: 1, to: 2 });
      assert.equal(outcome, 'failed');
      for (const text of [error.message, String(error.stack), JSON.stringify(error), detail]) {
        assert.ok(!text.includes(token) && !text.includes(token.split('.')[2]));
      }
    });

    test('a kubeconfig that was renewed is read again when its old token is no longer accepted', async () => {
      const path = kubeconfigWith({ token: await expired() }, 'renewed');
      const { reader: reading } = adaptersFor(path);
      await assert.rejects(reading.read({ namespaces: ['shop'] }), { code: 'CLUSTER_REFUSED' });
      kubeconfigWith({ token: await fresh() }, 'renewed');
      await works(reading);
    });

    test('a token file and a credential plug-in are asked again at once', async () => {
      const file = join(folder, 'token');
      writeFileSync(file, `${await expired()}\n`);
      const plugin = join(folder, 'plugin.mjs');
      writeFileSync(
        plugin,
        `import { readFileSync } from 'node:fs';
         const token = readFileSync(${JSON.stringify(file)}, 'utf8').trim();
         console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }));`,
      );
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [plugin] };
      const readers = [
        adaptersFor(kubeconfigWith({ tokenFile: 'token' }, 'with-file')).reader,
        adaptersFor(kubeconfigWith({ exec }, 'with-plugin')).reader,
      ];
      for (const each of readers)
        await assert.rejects(each.read({ namespaces: ['shop'] }), { code: 'CLUSTER_REFUSED' });
      writeFileSync(file, `${await fresh()}\n`);
      for (const each of readers) await works(each);
    });

    test("a pod's service account is read from its files, which are renewed", async () => {
      const account = join(folder, 'pod/var/run/secrets/kubernetes.io/serviceaccount');
      mkdirSync(account, { recursive: true });
      writeFileSync(join(account, 'ca.crt'), cluster.certificateAuthority);
      writeFileSync(join(account, 'token'), await expired());
      const { hostname, port } = new URL(cluster.url);
      Object.assign(process.env, { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port });
      const access = { kubeconfig: null, context: null, namespaces: ['shop'], serviceAccountRoot: join(folder, 'pod') };
      const reading = createClusterReader(createKubernetesClient(access));
      await assert.rejects(reading.read({ namespaces: ['shop'] }), { code: 'CLUSTER_REFUSED' });
      writeFileSync(join(account, 'token'), await fresh());
      await works(reading);
    });

    test('a server whose certificate is not trusted gets no token', async () => {
      const path = join(folder, 'untrusting');
      const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8'));
      delete config.clusters[0].cluster['certificate-authority-data'];
      writeFileSync(path, JSON.stringify(config));
      await assert.rejects(adaptersFor(path).reader.read({ namespaces: ['shop'] }), {
        code: 'CLUSTER_REFUSED',
        message: /certificate is not trusted/,
      });
    });
  });

  test('while the API server is gone every call ends in its time, and afterwards all is as before', async () => {
    await running('steadfast', 2);
    const patience = { callMs: 1500, requestMs: 1000 };
    const { reader: hasty, actor: hastyActor } = adaptersFor(cluster.kubeconfig, { patience });
    await hasty.read({ namespaces: ['shop'] });
    const waiting = adaptersFor(cluster.kubeconfig, { patience: { callMs: 60_000 } });
    await cluster.killApiServer();
    const startedMs = performance.now();
    await assert.rejects(hasty.read({ namespaces: ['shop'] }), {
      code: 'CLUSTER_UNAVAILABLE',
      message: /ECONNREFUSED/,
    });
    const { outcome, detail } = await hastyActor.scale({
      workload: 'shop/steadfast',
      kind: 'Deployment',
      from: 2,
      to: 3,
    });
    assert.equal(outcome, 'failed');
    assert.match(detail, /^CLUSTER_UNAVAILABLE/);
    await hastyActor.warn('shop/steadfast', 'Deployment', 'Test', 'it never throws');
    assert.ok(performance.now() - startedMs < 3 * patience.callMs + 1000);

    const patient = waiting.reader.read({ namespaces: ['shop'] });
    const abort = new AbortController();
    const aborted = waiting.actor.scale(
      { workload: 'shop/steadfast', kind: 'Deployment', from: 2, to: 3 },
      abort.signal,
    );
    setTimeout(() => abort.abort(new Error('told to stop')), 200);
    await assert.rejects(aborted, /told to stop/);
    await cluster.restartApiServer();
    assert.ok((await patient).workloads.some(({ workload }) => workload === 'shop/steadfast'));
    const result = await hastyActor.scale({ workload: 'shop/steadfast', kind: 'Deployment', from: 2, to: 3 });
    assert.deepEqual([result.outcome, result.replicas], ['scaled', 3], result.detail);
  });
});

function adaptersFor(
  kubeconfig: string,
  { namespaces = ['shop', 'boutique'], patience }: { namespaces?: readonly string[]; patience?: Patience } = {},
): { reader: ClusterReader; actor: ClusterActor } {
  const client = createKubernetesClient({ kubeconfig, context: null, namespaces }, patience);
  return { reader: createClusterReader(client), actor: createClusterActor(client) };
}

/** What the API server was asked so far, and what it answered. */
function auditOf({ auditLog }: TestCluster): Json[] {
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { serveResourceMetrics } from '../../scripts/local-services/resource-metrics.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { createClusterActor } from '../../src/cluster/kubernetes/cluster-actor.ts';
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import { requiredRights, rightFeatures } from '../../src/cluster/kubernetes/required-rights.ts';
import type { RightFeature } from '../../src/cluster/kubernetes/required-rights.ts';
import type { ClusterActor, ClusterReader, PausedOwner } from '../../src/contracts/cluster.ts';
import { clusterAdmin, eventually, hpa, pathsIn, serveKind, workload } from './cluster-admin.ts';
import type { ClusterAdmin, Json } from './cluster-admin.ts';
import { createServiceAccount, singly, writeKubeconfig } from './service-account.ts';
import type { SingleRight } from './service-account.ts';

const { skip } = await kubernetesOrSkip();

const singleRights = singly(requiredRights);
const textOf = ({ verb, apiGroup, resource }: Omit<SingleRight, 'scope' | 'feature'>) =>
  `${verb} ${resource}${apiGroup && `.${apiGroup}`}`;

describe('the rights that the Kubernetes adapters need', { skip }, () => {
  let cluster: TestCluster;
  let admin: ClusterAdmin;
  let folder: string;
  const shop = pathsIn('shop');
  const namespaced = new Set<string>();

  before(async () => {
    cluster = await startTestCluster({ nodes: 1 });
    admin = clusterAdmin(cluster);
    folder = mkdtempSync(join(tmpdir(), 'coxswain-rights-'));
    await admin.create('/api/v1/namespaces', { metadata: { name: 'shop' } });
    await serveKind(admin, 'keda.sh', 'v1alpha1', 'ScaledObject', 'scaledobjects');
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    await serveResourceMetrics(config);
    await admin.create(shop.deployments, workload('web', 2));
    await admin.create(shop.statefulSets, workload('db', 2, 'StatefulSet'));
    await admin.create(shop.hpas, hpa('web', 'web'));
    const spec = { scaleTargetRef: { name: 'db', kind: 'StatefulSet' }, triggers: [] };
    await admin.create(shop.scaledObjects, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'db' },
      spec,
    });
    await admin.create(shop.deployments, workload('free', 1));
  });
  after(async () => {
    await cluster?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function account(
    name: string,
    rights: readonly SingleRight[],
  ): Promise<{ reader: ClusterReader; actor: ClusterActor }> {
    await createServiceAccount(admin, 'shop', name, rights);
    const { status } = await admin.create(`/api/v1/namespaces/shop/serviceaccounts/${name}/token`, { spec: {} });
    const kubeconfig = writeKubeconfig(cluster, folder, name, { token: status.token });
    const client = createKubernetesClient({ kubeconfig, context: null, namespaces: ['shop'] });
    return { reader: createClusterReader(client), actor: createClusterActor(client) };
  }

  /** What a feature does. @returns what did not work, a sentence each. */
  async function complaintsOf(
    feature: RightFeature,
    { reader, actor }: { reader: ClusterReader; actor: ClusterActor },
  ) {
    const complaints: string[] = [];
    const attempt = async <T>(work: () => Promise<T>): Promise<T | null> =>
      work().catch((error: unknown) => {
        complaints.push(String(error));
        return null;
      });
    const both = [
      ['shop/free', 'Deployment'],
      ['shop/db', 'StatefulSet'],
    ] as const;
    switch (feature) {
      case 'observe':
      case 'metrics-api': {
        const scope = { namespaces: ['shop'], events: true, usage: feature === 'metrics-api' };
        const state = await attempt(() => reader.read(scope));
        complaints.push(...(state?.gaps ?? []).map(({ reason }) => reason));
        break;
      }
      case 'scale':
        for (const [name, kind] of both) {
          const { spec } = await admin.get(
            `${kind === 'Deployment' ? shop.deployments : shop.statefulSets}/${name.slice(5)}`,
          );
          const from: number = spec.replicas;
          const { outcome, detail } = await actor.scale({ workload: name, kind, from, to: from === 1 ? 2 : 1 });
          if (outcome !== 'scaled') complaints.push(detail);
        }
        break;
      case 'pause-owners': {
        const owners: PausedOwner[] = [];
        for (const [name, kind] of [
          ['shop/web', 'Deployment'],
          ['shop/db', 'StatefulSet'],
        ] as const) {
          const paused = await attempt(() => actor.pauseOwner(name, kind));
          if (paused) owners.push(paused);
        }
        for (const paused of owners) await attempt(() => actor.resumeOwner(paused));
        break;
      }
      case 'native-fallback': {
        const wanted = {
          workload: 'shop/free',
          kind: 'Deployment',
          minReplicas: 1,
          maxReplicas: 2,
          targetPercent: 50,
        } as const;
        await attempt(() => actor.putAutoscaler(wanted));
        await attempt(() => actor.putAutoscaler({ ...wanted, maxReplicas: 3 }));
        await attempt(() => actor.removeAutoscaler('shop/free'));
        break;
      }
      case 'placement': {
        for (const [name, kind] of both) {
          await attempt(() => actor.placeOn(name, kind, ['node-1']));
          await attempt(() => actor.placeOn(name, kind, null));
        }
        const pod = await eventually('there is a pod', async () => {
          const { items } = await admin.get(`${shop.pods}?labelSelector=app=free`);
          return items.find(({ metadata }: Json) => metadata.deletionTimestamp === undefined)?.metadata;
        });
        await attempt(() => actor.evict(pod));
        break;
      }
      case 'alert':
        for (const [name, kind] of both) {
          const before = (await admin.get(shop.events)).items.length;
          await actor.warn(name, kind, 'RightsTest', 'a warning');
          const { items } = await admin.get(shop.events);
          const left = items.filter(
            ({ reason, involvedObject }: Json) => reason === 'RightsTest' && involvedObject.kind === kind,
          );
          if (left.length === 0) complaints.push(`no event (${before} before)`);
          for (const { metadata } of left) await admin.remove(`${shop.events}/${metadata.name}`);
        }
        break;
    }
    return complaints;
  }

  test('the listed ones are enough, and all of them are used', async () => {
    const all = await account('all', singleRights);
    await eventually('the rights have arrived', async () => {
      const complaints = await complaintsOf('metrics-api', all).catch((error: unknown) => [String(error)]);
      return complaints.length === 0;
    });
    const begin = auditOf('all').length;
    for (const feature of rightFeatures) assert.deepEqual(await complaintsOf(feature, all), [], feature);
    const used = new Set(auditOf('all').slice(begin).map(rightUsed));
    assert.deepEqual([...used].sort(), [...new Set(singleRights.map(textOf))].sort());
    // What is asked for in the whole cluster is listed so, and nothing else is.
    const clusterWide = singleRights.filter(({ scope }) => scope === 'cluster').map(({ resource }) => resource);
    assert.deepEqual([...new Set(clusterWide)], ['nodes']);
    assert.ok(!namespaced.has('nodes') && namespaced.has('pods'));
  });

  test('of each feature each right is needed: without it, that is what is missing', async () => {
    const all = await account('tidy', singleRights);
    const accounts = await Promise.all(
      singleRights.map(async (missing, i) => {
        // A right may be listed for several features: it must be gone from all.
        const left = singleRights.filter((right) => textOf(right) !== textOf(missing));
        return { missing, adapters: await account(`without-${i}`, left) };
      }),
    );
    for (const { missing, adapters } of accounts) {
      const complaints = await complaintsOf(missing.feature, adapters);
      const name = `${missing.feature} without ${textOf(missing)}`;
      assert.notEqual(complaints.length, 0, `${name} works all the same`);
      const resource = missing.apiGroup === 'metrics.k8s.io' ? 'pods.metrics.k8s.io' : missing.resource;
      if (missing.feature !== 'alert') {
        assert.ok(
          complaints.some((complaint) => complaint.includes(resource)),
          `${name}: ${complaints.join('\n')}`,
        );
      }
      if (complaints.some((complaint) => complaint.includes('CoxswainError'))) {
        assert.ok(
          complaints.every((complaint) => !/INTERNAL|TypeError/.test(complaint)),
          complaints.join('\n'),
        );
      }
      for (const feature of ['pause-owners', 'native-fallback', 'placement'] as const) {
        if (feature === missing.feature) await complaintsOf(feature, all);
      }
    }
  });

  test('without the right to list autoscalers every workload counts as owned, by whom is not known', async () => {
    const rights = singleRights.filter(({ resource }) => resource !== 'horizontalpodautoscalers');
    const { reader, actor } = await account('blind', rights);
    const state = await eventually('the rights have arrived', async () => {
      const read = await reader.read({ namespaces: ['shop'] }).catch(() => null);
      return read?.gaps.length === 1 ? read : null;
    });
    const unknown = { kind: 'unknown', name: 'horizontalpodautoscalers in shop', pausable: false };
    for (const { owner } of state.workloads) assert.deepEqual(owner, unknown);
    assert.match(state.gaps[0].reason, /the right to list horizontalpodautoscalers in namespace shop is missing/);
    await assert.rejects(actor.pauseOwner('shop/free', 'Deployment'), {
      code: 'WORKLOAD_OWNED',
      message: /give the right/,
    });
  });

  test('what could not be read of disruption budgets allows no disruption', async () => {
    const { reader } = await account(
      'unbudgeted',
      singleRights.filter(({ apiGroup }) => apiGroup !== 'policy'),
    );
    const state = await eventually('the rights have arrived', async () => {
      const read = await reader.read({ namespaces: ['shop'] }).catch(() => null);
      return read?.gaps.length === 1 ? read : null;
    });
    assert.deepEqual(
      state.gaps.map(({ what, code }) => [what, code]),
      [['poddisruptionbudgets in shop', 'CLUSTER_REFUSED']],
    );
    assert.ok(state.workloads.every(({ disruptionsAllowed }) => disruptionsAllowed === 0));
  });

  test('without the right to read what is indispensable nothing is read, and the message says what is missing', async () => {
    for (const resource of ['pods', 'deployments', 'statefulsets']) {
      const { reader } = await account(
        `no-${resource}`,
        singleRights.filter((right) => right.resource !== resource || right.apiGroup === 'metrics.k8s.io'),
      );
      const message = new RegExp(`the right to list ${resource} in namespace shop is missing`);
      await eventually(`only ${resource} is missing`, async () => {
        const error: unknown = await reader.read({ namespaces: ['shop'] }).catch((caught: unknown) => caught);
        return (
          error instanceof Error && message.test(error.message) && 'code' in error && error.code === 'CLUSTER_REFUSED'
        );
      });
    }
  });

  /** What a service account asked for so far. */
  function auditOf(name: string): Json[] {
    return readFileSync(cluster.auditLog, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .filter(({ user }) => user.username === `system:serviceaccount:shop:${name}`);
  }

  function rightUsed({ verb, objectRef }: Json): string {
    const { apiGroup = '', resource, subresource, namespace } = objectRef;
    if (namespace) namespaced.add(resource);
    return textOf({ verb, apiGroup, resource: subresource ? `${resource}/${subresource}` : resource });
  }
});

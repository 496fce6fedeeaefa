import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { V1ResourceAttributes, V1ResourceRule } from '@kubernetes/client-node';
import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  KubeConfig,
  NodeV1Api,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { programsOrSkip } from '../../scripts/local-services/programs-or-skip.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import { createClusterActor } from '../../src/cluster/kubernetes/cluster-actor.ts';
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import { requiredRights } from '../../src/cluster/kubernetes/required-rights.ts';
import { chartFolder, createHelm, release, valueSets } from './chart.ts';
import type { ChartObject, ChartValues, Helm, ValueSet } from './chart.ts';

const helmOrSkip = await programsOrSkip('helm');
const skip = helmOrSkip.skip || (await kubernetesOrSkip()).skip;
const everything: ValueSet = 'everything switched on';

let cluster: TestCluster;
let helm: Helm;
let config: KubeConfig;

describe('the chart on a real API server', { skip }, () => {
  before(async () => {
    cluster = await startTestCluster({ nodes: 2 });
    helm = createHelm(helmOrSkip.programs!, cluster.kubeconfig);
    config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    await addGpuNode();
    await createSurroundings(await helm.render(valueSets[everything]));
  });

  after(async () => {
    helm?.dispose();
    await cluster?.stop();
  });

  for (const [name, values] of Object.entries<ChartValues>(valueSets)) {
    test(`every object of ${name} is accepted, without a field that the server does not know`, async () => {
      for (const object of await helm.render(values)) await applyStrictly(object);
    });
  }

  test('a field that the server does not know would be noticed', async () => {
    const [policy] = await helm.render({});
    const wrong = { ...policy, spec: { ...policy.spec, policyType: ['Egress'] } };
    await assert.rejects(applyStrictly(wrong), /policyType/);
  });

  test('helm installs it, its pods are admitted under the restricted standard, scheduled and ready', async () => {
    await install('defaults');
    assert.deepEqual(await runningPods(), { api: 2, orchestrator: 2, 'trainer-cpu': 1 });
  });

  test('an upgrade to everything goes through, and GPU trainers stand on the GPU node', async () => {
    await install(everything);
    const counts = await runningPods();
    assert.deepEqual(counts, { api: 2, control: 2, orchestrator: 2, 'trainer-cpu': 1, 'trainer-gpu': 1 });
    const [trainer] = await podsOf('trainer-gpu');
    assert.equal(trainer.spec?.nodeName, 'node-3');
  });

  describe('the control worker', () => {
    const account = { namespace: release.namespace, name: 'rel-coxswain-control' };

    test('may do everything that the code asks for in the named namespaces, and nothing of it elsewhere', async () => {
      const review = await reviewOf(account.name);
      for (const { apiGroup, resource: named, verbs, scope } of requiredRights) {
        const [resource, subresource] = named.split('/');
        for (const verb of verbs) {
          const right = { group: apiGroup, resource, subresource, verb };
          const text = `${verb} ${named}.${apiGroup}`;
          if (scope === 'cluster') {
            assert.ok(await review(right), text);
            continue;
          }
          for (const namespace of ['shop', 'bank']) assert.ok(await review({ ...right, namespace }), text);
          for (const namespace of ['other', release.namespace, 'kube-system'])
            assert.ok(!(await review({ ...right, namespace })), `${text} in ${namespace}`);
          assert.ok(!(await review(right)), `${text} in all namespaces`);
        }
      }
    });

    test('has no right beside those', async () => {
      const [here, elsewhere, nobody] = await Promise.all([
        rulesOf(account.name, 'shop'),
        rulesOf(account.name, 'other'),
        rulesOf('rel-coxswain-trainer-cpu', 'shop'),
      ]);
      const required = (scope: 'cluster' | 'namespace') =>
        new Set(
          requiredRights
            .filter((right) => right.scope === scope)
            .flatMap(({ apiGroup, resource, verbs }) => verbs.map((verb) => `${apiGroup}/${resource} ${verb}`)),
        );
      assert.deepEqual(without(here, elsewhere), required('namespace'));
      assert.deepEqual(without(elsewhere, nobody), required('cluster'));
    });

    test('may not look at secrets, enter pods, or change what it does not scale', async () => {
      const review = await reviewOf(account.name);
      const refused: readonly V1ResourceAttributes[] = [
        ...['get', 'list', 'watch', 'create'].map((verb) => ({ resource: 'secrets', verb })),
        { resource: 'configmaps', verb: 'get' },
        { resource: 'pods', subresource: 'exec', verb: 'create' },
        { resource: 'pods', subresource: 'log', verb: 'get' },
        { resource: 'pods', verb: 'delete' },
        { resource: 'pods', verb: 'create' },
        { resource: 'serviceaccounts', subresource: 'token', verb: 'create' },
        { group: 'apps', resource: 'deployments', verb: 'create' },
        { group: 'apps', resource: 'deployments', verb: 'delete' },
        { group: 'apps', resource: 'daemonsets', verb: 'list' },
        { group: 'rbac.authorization.k8s.io', resource: 'roles', verb: 'create' },
      ];
      for (const right of refused) {
        assert.ok(!(await review({ ...right, namespace: 'shop' })), JSON.stringify(right));
        assert.ok(!(await review({ ...right, namespace: release.namespace })), JSON.stringify(right));
      }
      for (const verb of ['get', 'patch', 'delete']) assert.ok(!(await review({ resource: 'nodes', verb })), verb);
      assert.ok(!(await review({ resource: 'users', verb: 'impersonate' })));
    });

    test('reads the named namespaces without a gap, and scales in them, by the code that it runs', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coxswain-control-'));
      const kubeconfig = join(folder, 'kubeconfig');
      writeFileSync(kubeconfig, (await configOf(account.name)).exportConfig(), { mode: 0o600 });
      try {
        const namespaces = ['shop', 'bank'];
        const client = createKubernetesClient({ kubeconfig, context: null, namespaces });
        const state = await createClusterReader(client).read({ namespaces, events: true });
        assert.deepEqual(state.gaps, []);
        assert.equal(state.nodes.length, 3);
        const [web] = state.workloads;
        assert.deepEqual([web.workload, web.replicas, web.owner], ['shop/web', 1, null]);
        const change = { workload: web.workload, kind: web.kind, from: 1, to: 2 };
        const result = await createClusterActor(client).scale(change);
        assert.deepEqual([result.outcome, result.replicas], ['scaled', 2]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    test('is refused in another namespace', async () => {
      const apps = (await configOf(account.name)).makeApiClient(AppsV1Api);
      const refused = apps.readNamespacedDeploymentScale({ namespace: 'other', name: 'web' });
      await assert.rejects(refused, (error) => error instanceof ApiException && error.code === 403);
    });
  });

  test('the other programs may nothing', async () => {
    const nobody = await rulesOf('default', 'shop');
    for (const name of ['orchestrator', 'trainer-cpu', 'trainer-gpu', 'api'])
      assert.deepEqual(await rulesOf(`rel-coxswain-${name}`, 'shop'), nobody, name);
  });

  test('without the right to scale the control worker can only watch', async () => {
    await install('a policy in shadow, GPUs without autoscaling');
    const review = await reviewOf('rel-coxswain-control');
    const scale = { group: 'apps', resource: 'deployments', subresource: 'scale', verb: 'update' };
    assert.ok(await review({ group: 'apps', resource: 'deployments', verb: 'list', namespace: 'shop' }));
    assert.ok(!(await review({ ...scale, namespace: 'shop' })));
    assert.ok(!(await review({ ...scale, subresource: undefined, namespace: 'shop' })));
    assert.ok(!(await review({ group: 'apps', resource: 'deployments', verb: 'list', namespace: 'bank' })));
  });

  test('uninstalling leaves the artifacts and nothing else', async () => {
    await install('defaults');
    const { code, stderr } = await helm.run(['uninstall', release.name, '--namespace', release.namespace, '--wait']);
    assert.equal(code, 0, stderr);
    const left: string[] = [];
    for (const object of await helm.render(valueSets[everything])) {
      if (await exists(object)) left.push(`${object.kind} ${object.metadata.name}`);
    }
    assert.deepEqual(left, []);
    const core = config.makeApiClient(CoreV1Api);
    const { items } = await core.listNamespacedPersistentVolumeClaim({ namespace: release.namespace });
    assert.ok(items.some(({ metadata }) => metadata?.name === 'rel-coxswain-artifacts'));
    await install('defaults'); // and takes them up again
  });
});

/** As somebody would; waits until everything is ready. */
async function install(set: ValueSet): Promise<void> {
  const place = [release.name, chartFolder, '--namespace', release.namespace];
  const { code, stdout, stderr } = await helm.run(
    ['upgrade', '--install', ...place, '--wait', '--timeout', '90s'],
    valueSets[set],
  );
  assert.equal(code, 0, stdout + stderr);
}

/** A node with GPUs that only those who ask for them may use. */
async function addGpuNode(): Promise<void> {
  const [name] = await cluster.addNodes(1, { labels: { accelerator: 'nvidia' } });
  const core = config.makeApiClient(CoreV1Api);
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  const gpus = { 'nvidia.com/gpu': '4' };
  await core.patchNodeStatus({ name, body: { status: { capacity: gpus, allocatable: gpus } } }, merge);
  const taints = [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }];
  await core.patchNode({ name, body: { spec: { taints } } }, merge);
}

/** What the chart takes for given: namespaces, volumes, a runtime class and the operators' kinds. */
async function createSurroundings(objects: readonly ChartObject[]): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await core.createNamespace({ body: { metadata: { name: release.namespace, labels: restricted } } });
  await core
    .createNamespacedServiceAccount({
      namespace: release.namespace,
      body: { metadata: { name: 'default' } },
    })
    .catch(() => undefined); // the controller may have been first
  for (const name of ['shop', 'bank', 'other']) await core.createNamespace({ body: { metadata: { name } } });
  for (const namespace of ['shop', 'other']) await createWorkload(namespace);
  for (const name of ['artifacts', 'traces', 'wandb']) await createVolume(name);
  for (const name of ['traces', 'wandb']) await createClaim(name);
  const runtimes = config.makeApiClient(NodeV1Api);
  await runtimes.createRuntimeClass({ body: { metadata: { name: 'nvidia' }, handler: 'nvidia' } });
  const foreign = objects.filter(({ apiVersion }) => /^(monitoring\.coreos\.com|keda\.sh)\//.test(apiVersion));
  const kinds = new Map(foreign.map(({ apiVersion, kind }) => [kind, apiVersion]));
  assert.equal(kinds.size, 4);
  for (const [kind, apiVersion] of kinds) await createKind(kind, apiVersion);
  for (const object of foreign) await untilKnown(object);
}

/** A server learns the fields of a new kind some time after the kind. */
async function untilKnown(object: ChartObject): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await applyStrictly(object);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

async function createWorkload(namespace: string): Promise<void> {
  const labels = { app: 'web' };
  const spec = { containers: [{ name: 'web', image: 'web' }] };
  await config.makeApiClient(AppsV1Api).createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
  });
}

async function createVolume(name: string): Promise<void> {
  await config.makeApiClient(CoreV1Api).createPersistentVolume({
    body: {
      metadata: { name },
      spec: {
        capacity: { storage: '50Gi' },
        accessModes: ['ReadWriteMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: '/none' },
      },
    },
  });
}

async function createClaim(name: string): Promise<void> {
  await config.makeApiClient(CoreV1Api).createNamespacedPersistentVolumeClaim({
    namespace: release.namespace,
    body: {
      metadata: { name },
      spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
    },
  });
}

/** A kind of an operator that is not here: any fields, no controller. */
async function createKind(kind: string, apiVersion: string): Promise<void> {
  const [group, version] = apiVersion.split('/');
  const names = { kind, plural: pluralOf(kind) };
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const openAPIV3Schema = { type: 'object', properties: { spec: anything } };
  await config.makeApiClient(ApiextensionsV1Api).createCustomResourceDefinition({
    body: {
      metadata: { name: `${names.plural}.${group}` },
      spec: {
        group,
        names,
        scope: 'Namespaced',
        versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }],
      },
    },
  });
}

function pluralOf(kind: string): string {
  return kind.toLowerCase().replace(/y$/, 'ie') + 's';
}

async function podsOf(program: string) {
  const core = config.makeApiClient(CoreV1Api);
  const labelSelector = `app.kubernetes.io/component=${program}`;
  const { items } = await core.listNamespacedPod({ namespace: release.namespace, labelSelector });
  return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

/** Running pods of each program that has some. */
async function runningPods(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const program of ['api', 'control', 'orchestrator', 'trainer-cpu', 'trainer-gpu']) {
    const pods = await podsOf(program);
    const running = pods.filter(({ status }) => status?.phase === 'Running');
    assert.equal(running.length, pods.length, program);
    if (pods.length > 0) counts[program] = pods.length;
  }
  return counts;
}

async function configOf(account: string): Promise<KubeConfig> {
  const token = await cluster.serviceAccountToken(release.namespace, account, 600);
  const made = new KubeConfig();
  const caData = Buffer.from(cluster.certificateAuthority).toString('base64');
  made.loadFromClusterAndUser(
    { name: 'local', server: cluster.url, caData, skipTLSVerify: false },
    { name: account, token },
  );
  return made;
}

/** Asks the API server, as the account, whether it may do something. */
async function reviewOf(account: string): Promise<(right: V1ResourceAttributes) => Promise<boolean>> {
  const api = (await configOf(account)).makeApiClient(AuthorizationV1Api);
  return async (resourceAttributes) => {
    const { status } = await api.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } });
    return status?.allowed === true;
  };
}

/** Everything that the API server lets an account do in a namespace, `group/resource verb`. */
async function rulesOf(account: string, namespace: string): Promise<Set<string>> {
  const api = (await configOf(account)).makeApiClient(AuthorizationV1Api);
  const { status } = await api.createSelfSubjectRulesReview({ body: { spec: { namespace } } });
  assert.equal(status?.incomplete, false);
  const spelt = ({ apiGroups = [], resources = [], verbs }: V1ResourceRule): string[] =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)));
  return new Set(status!.resourceRules.flatMap(spelt));
}

function without(all: ReadonlySet<string>, some: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((one) => !some.has(one)));
}

/** Server-side apply as a dry run that refuses unknown and doubled fields. */
async function applyStrictly(object: ChartObject): Promise<void> {
  const query = 'dryRun=All&fieldManager=test&fieldValidation=Strict&force=true';
  const { status, text } = await ask('PATCH', `${pathOf(object)}?${query}`, object);
  if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${text}`);
}

async function exists(object: ChartObject): Promise<boolean> {
  return (await ask('GET', pathOf(object))).status === 200;
}

function pathOf({ apiVersion, kind, metadata: { name, namespace } }: ChartObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${pluralOf(kind)}/${name}`;
}

function ask(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  const headers = {
    authorization: `Bearer ${cluster.tokens.admin}`,
    ...(body === undefined ? {} : { 'content-type': 'application/apply-patch+yaml' }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(cluster.url + path, { method, headers, ca: cluster.certificateAuthority }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

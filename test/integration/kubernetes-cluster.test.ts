import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Deployment, V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import {
  ApiException,
  AppsV1Api,
  AuthenticationV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  Metrics,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
  VersionApi,
} from '@kubernetes/client-node';
import { startDelayAnnotation } from '../../scripts/local-services/kubernetes-cluster.ts';
import { kubernetesVersion } from '../../scripts/local-services/obtain-kubernetes.ts';
import { serveResourceMetrics, writeNodeUsage, writePodUsage } from '../../scripts/local-services/resource-metrics.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import { startedAt } from '../../scripts/process-identity.mjs';

const { skip } = await kubernetesOrSkip();

test('a local control plane schedules, scales, outlives its API server and leaves nothing', { skip }, async (t) => {
  const node = { cpu: '4', memory: '8Gi', pods: '20' };
  const cluster = await startTestCluster({ nodes: 2, node, autoscalerSyncSeconds: 1 });
  t.after(() => cluster.stop());
  const config = configOf(cluster.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);

  await t.test('it is the pinned version, with nodes of the asked shape', async () => {
    const version = await config.makeApiClient(VersionApi).getCode();
    assert.equal(version.gitVersion, `v${kubernetesVersion}`);
    const { items } = await core.listNode();
    assert.deepEqual(items.map(({ metadata }) => metadata!.name).sort(), ['node-1', 'node-2']);
    for (const { status } of items) {
      assert.deepEqual(status!.allocatable, { cpu: '4', memory: '8Gi', pods: '20' });
      assert.deepEqual(status!.capacity, status!.allocatable);
    }
  });

  await t.test('pods of a deployment run on its nodes with addresses', async () => {
    await apps.createNamespacedDeployment({ namespace: 'default', body: deployment('web', 2) });
    const pods = await runningPods(core, 'web', 2);
    for (const { spec, status } of pods) {
      assert.match(spec!.nodeName!, /^node-[12]$/);
      assert.match(status!.podIP!, /^10\.0\./);
    }
  });

  await t.test('the scale subresource adds pods and takes them away', async () => {
    await scale(apps, 'web', 6);
    await runningPods(core, 'web', 6);
    await scale(apps, 'web', 1);
    await runningPods(core, 'web', 1);
  });

  await t.test('a pod that fits no node stays Pending, and one that waits for a new node gets it', async () => {
    await apps.createNamespacedDeployment({ namespace: 'default', body: deployment('large', 1, '6') });
    await until('the scheduler says that the pod fits nowhere', async () => {
      const [pod] = await podsOf(core, 'large');
      return pod?.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
    });
    assert.deepEqual(await cluster.addNodes(1, { cpu: '8' }), ['node-3']);
    const [pod] = await runningPods(core, 'large', 1);
    assert.equal(pod!.spec!.nodeName, 'node-3');
  });

  await t.test('a pod runs after the delay that it asks for', async () => {
    const slow = deployment('slow', 1);
    slow.spec!.template.metadata!.annotations = { [startDelayAnnotation]: '2s' };
    await apps.createNamespacedDeployment({ namespace: 'default', body: slow });
    const [pod] = await runningPods(core, 'slow', 1);
    const ready = pod!.status!.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime!;
    const secondsUntilReady = (Number(ready) - Number(pod!.metadata!.creationTimestamp)) / 1000;
    assert.ok(secondsUntilReady >= 2, `it was ready after ${secondsUntilReady} s`);
  });

  await t.test('the user "limited" is known and may nothing; an unknown token is refused', async () => {
    const limited = configOf(cluster.limitedKubeconfig);
    await assertStatus(403, limited.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'default' }));
    await assertStatus(401, withToken(cluster, 'nobody').listNamespacedPod({ namespace: 'default' }));
  });

  await t.test(
    'tokens of service accounts are good: those of the TokenRequest API, and ours until they expire',
    async () => {
      const [namespace, name] = ['default', 'reader'];
      await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
      const short = await cluster.serviceAccountToken(namespace, name, 2);
      const { status } = await core.createNamespacedServiceAccountToken({
        namespace,
        name,
        body: { spec: { audiences: [], expirationSeconds: 600 } },
      });
      for (const token of [status!.token!, await cluster.serviceAccountToken(namespace, name, 600)]) {
        assert.equal(await nameOf(cluster, token), 'system:serviceaccount:default:reader');
      }
      await sleep(3_000);
      await assertStatus(401, nameOf(cluster, short));
    },
  );

  await t.test('an eviction is refused with 429 while a disruption budget forbids it', async () => {
    const [namespace, budgets] = ['default', config.makeApiClient(PolicyV1Api)];
    const spec = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } };
    await budgets.createNamespacedPodDisruptionBudget({ namespace, body: { metadata: { name: 'web' }, spec } });
    const evict = async () => {
      const [pod] = await runningPods(core, 'web', 1);
      const name = pod!.metadata!.name!;
      await core.createNamespacedPodEviction({ namespace, name, body: { metadata: { name } } });
    };
    await assertStatus(429, evict());
    await budgets.deleteNamespacedPodDisruptionBudget({ namespace, name: 'web' });
    await evict();
    await runningPods(core, 'web', 1);
  });

  await t.test(
    "the resource metrics API serves what it is told, and Kubernetes's own autoscaler acts on it",
    async () => {
      const metrics = new Metrics(config);
      const nodes = { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'nodes' };
      await assertStatus(404, config.makeApiClient(CustomObjectsApi).listClusterCustomObject(nodes));
      await serveResourceMetrics(config);
      await writeNodeUsage(config, { node: 'node-1', cpu: '1500m', memory: '2Gi' }, 1);
      const [node] = (await metrics.getNodeMetrics()).items;
      assert.deepEqual(node!.usage, { cpu: '1500m', memory: '2Gi' });
      await apps.createNamespacedDeployment({ namespace: 'default', body: deployment('hot', 1) });
      await config.makeApiClient(AutoscalingV2Api).createNamespacedHorizontalPodAutoscaler({
        namespace: 'default',
        body: autoscaler('hot', { maxReplicas: 4, cpuPercent: 50 }),
      });
      // Each pod uses all of the 100m that it asked for: twice the target.
      await until('the autoscaler scales to its maximum', async () => {
        const pods = await podsOf(core, 'hot');
        for (const { metadata } of pods) {
          const containers = { main: { cpu: '100m', memory: '10Mi' } };
          const usage = { namespace: 'default', pod: metadata!.name!, labels: metadata!.labels!, containers };
          await writePodUsage(config, usage, 1);
        }
        await sleep(900);
        return pods.length === 4;
      });
      const { items } = await metrics.getPodMetrics('default');
      assert.equal(items.length, 4);
      assert.ok(items.every(({ containers }) => containers[0]!.usage.cpu === '100m'));
    },
  );

  await t.test('the audit log tells who asked for what, and leaves the control plane out', () => {
    const lines = readFileSync(cluster.auditLog, 'utf8').trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line));
    const refused = entries.find(({ user, verb }) => user.username === 'limited' && verb === 'list');
    assert.equal(refused.objectRef.resource, 'pods');
    assert.equal(refused.responseStatus.code, 403);
    assert.ok(entries.every(({ user }) => user.username !== 'control-plane'));
    for (const token of Object.values(cluster.tokens)) assert.ok(lines.every((line) => !line.includes(token)));
  });

  for (const end of ['stopApiServer', 'killApiServer'] as const) {
    await t.test(`after ${end} nobody answers; when it is started again the cluster goes on as it was`, async () => {
      await cluster[end]();
      await assert.rejects(core.listNode(), (error) => !(error instanceof ApiException));
      await cluster.restartApiServer();
      assert.equal((await core.listNode()).items.length, 3);
      const replicas = end === 'stopApiServer' ? 4 : 3;
      await scale(apps, 'web', replicas);
      await runningPods(core, 'web', replicas);
    });
  }

  await t.test('stop leaves neither a process nor a file', async () => {
    const programs = Object.entries(cluster.programs);
    assert.equal(programs.length, 5);
    for (const [name, { pid }] of programs) assert.ok(startedAt(pid) !== undefined, `${name} runs`);
    await cluster.stop();
    for (const [name, { pid }] of programs) assert.equal(startedAt(pid), undefined, `${name} is gone`);
    assert.ok(!existsSync(dirname(cluster.kubeconfig)));
  });
});

function configOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

function configWith({ url, certificateAuthority }: TestCluster, token: string): KubeConfig {
  const config = new KubeConfig();
  const caData = Buffer.from(certificateAuthority).toString('base64');
  config.loadFromClusterAndUser({ name: 'local', server: url, caData, skipTLSVerify: false }, { name: 'user', token });
  return config;
}

function withToken(cluster: TestCluster, token: string): CoreV1Api {
  return configWith(cluster, token).makeApiClient(CoreV1Api);
}

/** Whom the API server takes the token's holder for. */
async function nameOf(cluster: TestCluster, token: string): Promise<string | undefined> {
  const api = configWith(cluster, token).makeApiClient(AuthenticationV1Api);
  return (await api.createSelfSubjectReview({ body: {} })).status?.userInfo?.username;
}

async function assertStatus(code: number, answer: Promise<unknown>): Promise<void> {
  await assert.rejects(answer, (error) => error instanceof ApiException && error.code === code);
}

function deployment(name: string, replicas: number, cpu = '100m'): V1Deployment {
  const containers = [{ name: 'main', image: 'none', resources: { requests: { cpu } } }];
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers } },
    },
  };
}

function autoscaler(
  name: string,
  { maxReplicas, cpuPercent }: { maxReplicas: number; cpuPercent: number },
): V2HorizontalPodAutoscaler {
  const target = { type: 'Utilization', averageUtilization: cpuPercent };
  return {
    metadata: { name },
    spec: {
      maxReplicas,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    },
  };
}

async function scale(apps: AppsV1Api, name: string, replicas: number): Promise<void> {
  await apps.patchNamespacedDeploymentScale(
    { namespace: 'default', name, body: { spec: { replicas } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
}

async function podsOf(core: CoreV1Api, app: string) {
  return (await core.listNamespacedPod({ namespace: 'default', labelSelector: `app=${app}` })).items;
}

/** The pods of the deployment when they are as many as wanted and all of them run. */
async function runningPods(core: CoreV1Api, app: string, count: number) {
  let pods = await podsOf(core, app);
  await until(`${count} pods of ${app} run`, async () => {
    pods = await podsOf(core, app);
    return pods.length === count && pods.every(({ status }) => status?.phase === 'Running');
  });
  return pods;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `within a minute ${what}`);
    await sleep(100);
  }
}

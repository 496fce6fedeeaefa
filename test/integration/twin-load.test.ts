import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { PrometheusServer } from '../../scripts/local-services/prometheus-server.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import { prometheusOrSkip, startTestPrometheus } from '../../scripts/local-services/test-prometheus.ts';
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import type { PrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../src/cluster/workload-metrics/metric-names.ts';
import { createSnapshotReader } from '../../src/cluster/workload-metrics/snapshot-reader.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { applicationManifests } from '../../src/twin-load/application-manifests.ts';
import { durationBoundsMs } from '../../src/twin-load/request-series.ts';
import { Load } from '../../src/twin-load/load.ts';
import { startTwinLoad } from '../../src/twin-load/twin-load.ts';
import type { TwinLoad, TwinState } from '../../src/twin-load/twin-load.ts';

const kubernetes = await kubernetesOrSkip();
const prometheusPrograms = await prometheusOrSkip();
const skip = kubernetes.skip || prometheusPrograms.skip;

const namespace = 'shop';
const rate = 60;
/** A simulated minute takes six seconds. */
const speed = 10;
const scrapeSeconds = 0.5;

describe('the twin as a load for a real cluster, scraped by a real Prometheus', { skip }, () => {
  let cluster: TestCluster;
  let prometheus: PrometheusServer;
  let twin: TwinLoad;
  let client: PrometheusClient;
  let apps: AppsV1Api;
  let objects: KubernetesObjectApi;
  const notices: string[] = [];

  before(async () => {
    cluster = await startTestCluster({ nodes: 3, node: { cpu: '32' } });
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    apps = config.makeApiClient(AppsV1Api);
    objects = KubernetesObjectApi.makeApiClient(config);
    const manifests = applicationManifests(onlineBoutiqueApplication, {
      namespace,
      image: 'busybox:1.37',
      replicasFor: rate,
      speed,
      disruptionBudgets: true,
    });
    for (const manifest of manifests) await objects.create(manifest as unknown as KubernetesObject);
    twin = await startTwinLoad({
      reader: createClusterReader(
        createKubernetesClient({ kubeconfig: cluster.kubeconfig, context: null, namespaces: [namespace] }),
      ),
      namespace,
      application: onlineBoutiqueApplication,
      load: new Load(() => rate),
      speed,
      controlPort: 0,
      notice: (sentence) => notices.push(sentence),
    });
    const targets = [new URL(twin.metricsUrl).host];
    prometheus = await startTestPrometheus({ scrape: [{ job: 'twin', targets, intervalSeconds: scrapeSeconds }] });
    client = createPrometheusClient({ url: prometheus.url, timeoutMs: 5_000 });
    await until('every service is served', () => twin.state().services.every(({ servingPods }) => servingPods > 0));
  });
  after(async () => {
    await twin?.stop();
    await prometheus?.stop();
    await cluster?.stop();
  });

  /** The value of an expression that gives one series now; NaN without one. */
  async function query(expression: string): Promise<number> {
    const { series } = await client.query(expression, Date.now() / 1000);
    return series.length === 0 ? NaN : series[0].values[0];
  }

  async function scale(name: string, replicas: number): Promise<void> {
    await apps.patchNamespacedDeploymentScale(
      { namespace, name, body: { spec: { replicas } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }

  async function post(path: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${twin.controlUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.equal(response.status, 200, await response.text());
  }

  /** Lets the rates' windows hold nothing but what is now, also where a busy machine scrapes late. */
  const settle = async (): Promise<void> => {
    await sleep(7_000);
    for (let attempt = 0; !((await query('min(count_over_time(up[6s]))')) >= 11); attempt++) {
      assert.ok(attempt < 120, 'Prometheus does not get its scrapes done');
      await sleep(500);
    }
  };
  const cpuPerPod = (name: string) =>
    query(
      `avg(rate(container_cpu_usage_seconds_total{namespace="${namespace}",pod=~"${name}-.*",container="server"}[6s])) * 1000`,
    );
  const p95 = () =>
    query(
      'histogram_quantile(0.95, sum by (le) (rate(istio_request_duration_milliseconds_bucket{reporter="destination",source_workload="unknown"}[6s]))) / 1000',
    );

  test('promtool finds nothing wrong in the exposition but Istio’s own choice of unit', async () => {
    const problems = await promtoolCheck(prometheusPrograms.programs!.promtool, twin.metrics());
    assert.deepEqual(problems, [
      'istio_request_duration_milliseconds use base unit "seconds" instead of "milliseconds"',
    ]);
  });

  test('Prometheus sees the rate, and a p95 as the simulator’s own within the histogram’s resolution', async () => {
    await settle();
    const seen = await query('sum(rate(istio_requests_total{reporter="destination",source_workload="unknown"}[6s]))');
    assert.ok(Math.abs(seen / rate - 1) < 0.15, `${seen} requests/s`);
    const [measured, truth] = [await p95(), lastP95(twin.state())];
    assert.ok(measured > boundBelow(truth) && measured <= boundAbove(truth), `${measured} s for ${truth} s`);
  });

  test('a snapshot of it lacks nothing, and finds what each service takes itself', async () => {
    const { services } = onlineBoutiqueApplication;
    const snapshot = await createSnapshotReader(client, standardMetricNames).read({
      workloads: services.map(({ name }) => `${namespace}/${name}`),
      entry: `${namespace}/frontend`,
      dialect: 'istio',
      stepSeconds: 1.5,
      rateSteps: 1,
      windowSeconds: 6,
      sloSeconds: 0.5,
      at: new Date(),
    });
    assert.deepEqual(snapshot.missing, []);
    const waits = twin.state().services.map(({ waitSeconds }) => waitSeconds);
    snapshot.services.forEach(({ ownSeconds, errorRate }, s) => {
      const { name, serviceSeconds } = services[s];
      // Its wait changes from step to step; the snapshot has its mean.
      const [low, high] = [0.8 * serviceSeconds, 1.2 * serviceSeconds + 3 * waits[s] + 0.02];
      assert.ok(ownSeconds! > low && ownSeconds! < high, `${name}: ${ownSeconds} s, wait ${waits[s]} s`);
      assert.equal(errorRate, 0);
    });
  });

  test('CPU, replicas and readiness are those of the real pods, by name', async () => {
    const core = new KubeConfig();
    core.loadFromFile(cluster.kubeconfig);
    const { items } = await core.makeApiClient(CoreV1Api).listNamespacedPod({ namespace });
    const { series } = await client.query('kube_pod_status_ready{condition="true"} == 1', Date.now() / 1000);
    assert.deepEqual(
      series.map(({ labels }) => labels.pod).sort(),
      items.map(({ metadata }) => metadata!.name!).sort(),
    );
    const wanted = twin.state().services.find(({ service }) => service === 'frontend')!.replicas;
    assert.equal(
      await query(`kube_deployment_status_replicas_ready{namespace="${namespace}",deployment="frontend"}`),
      wanted,
    );
    const total = await query(
      `sum(rate(container_cpu_usage_seconds_total{pod=~"frontend-.*",container="server"}[6s])) * 1000`,
    );
    const { serviceSeconds, cpuBusyMillicores, cpuIdleMillicores } = onlineBoutiqueApplication.services[0];
    const expected = rate * serviceSeconds * cpuBusyMillicores + wanted! * cpuIdleMillicores;
    assert.ok(Math.abs(total / expected - 1) < 0.15, `${total} millicores, expected ${expected}`);
  });

  test('more replicas: CPU per pod falls, latency falls, once they have started', async () => {
    await post('/load', { requestsPerSecond: 85 });
    await settle();
    const before = { cpu: await cpuPerPod('frontend'), p95: await p95() };
    const { replicas } = twin.state().services[0];
    await scale('frontend', 2 * replicas!);
    await until('the API has the pods', () => twin.state().services[0].pods === 2 * replicas!);
    assert.equal(twin.state().services[0].servingPods, replicas, 'pods that start do not serve');
    await until('they serve', () => twin.state().services[0].servingPods === 2 * replicas!);
    await settle();
    const cpu = await cpuPerPod('frontend');
    assert.ok(cpu < 0.65 * before.cpu, `${before.cpu} → ${cpu} millicores`);
    const after = await p95();
    assert.ok(after < before.p95, `${before.p95} → ${after} s`);
    await scale('frontend', replicas!);
    await post('/load', { requestsPerSecond: null });
    await until('the pods are gone', () => twin.state().services[0].pods === replicas);
    await sleep(2_000);
    const counters = 'count(container_cpu_usage_seconds_total{pod=~"frontend-.*",container="server"})';
    assert.equal(await query(counters), replicas, 'counters vanish with their pods');
  });

  test('a flash crowd: p95 and violations rise, in the series as in truth', async () => {
    await settle();
    const before = await p95();
    const violations = twin.state().totals.violations;
    await post('/flash-crowd', { peak: 3, minutes: 3 });
    await until('the crowd has come', () => twin.state().steps.at(-1)!.requestsPerSecond > 2.2 * rate);
    await sleep(3_000);
    const during = await p95();
    assert.ok(during > 2 * before, `${before} → ${during} s`);
    assert.ok(twin.state().totals.violations > violations + 100);
    await until('the crowd is gone', () => twin.state().requestsPerSecond < 1.05 * rate);
  });

  test('a deployment scaled to 0 refuses, one that is deleted and created again serves again', async () => {
    await scale('shippingservice', 0);
    await until('failures', () => notices.some((line) => /No pod serves shippingservice/.test(line)));
    await sleep(4_000);
    const refused = await query(
      'sum(rate(istio_requests_total{destination_workload="shippingservice",response_flags="UH"}[4s]))',
    );
    assert.ok(refused > 1, `${refused} refused calls/s`);
    const deployment = await apps.readNamespacedDeployment({ namespace, name: 'shippingservice' });
    await apps.deleteNamespacedDeployment({ namespace, name: 'shippingservice' });
    await until('it is gone', () =>
      twin.state().services.some(({ service, replicas }) => service === 'shippingservice' && replicas === null),
    );
    const { name, labels } = deployment.metadata!;
    await apps.createNamespacedDeployment({
      namespace,
      body: { metadata: { name, labels }, spec: { ...deployment.spec!, replicas: 2 } },
    });
    await until('it serves', () =>
      twin.state().services.some(({ service, servingPods }) => service === 'shippingservice' && servingPods === 2),
    );
    const { failed } = twin.state().totals;
    await sleep(2_000);
    assert.equal(twin.state().totals.failed, failed);
  });

  test('as a command: the printed objects fit the cluster, it plays on them, and ends with SIGTERM', async (t) => {
    const printed = await coxswain('twin', 'manifests', '-n', 'other', '--replicas-for', '20', '--speed', '20');
    assert.deepEqual([printed.code, printed.errors], [0, '']);
    const manifests = parseAllDocuments(printed.output).map((document) => document.toJS() as KubernetesObject);
    assert.equal(manifests.length, 23);
    for (const manifest of manifests) await objects.create(manifest);
    const args = ['twin', '--namespace', 'other', '--kubeconfig', cluster.kubeconfig, '--port', '0', '--json'];
    const command = startCoxswain(...args, '--rate', '20', '--no-startup', '--speed', '20');
    t.after(() => command.kill());
    const { metricsUrl, controlUrl } = JSON.parse(await command.firstLine()) as Record<string, string>;
    assert.equal(controlUrl, null);
    const stateUrl = metricsUrl.replace('/metrics', '/state');
    const stateNow = async (): Promise<TwinState> => (await (await fetch(stateUrl)).json()) as TwinState;
    const isServed = ({ services }: TwinState) => services.every(({ servingPods }) => servingPods > 0);
    for (let attempt = 0; !isServed(await stateNow()); attempt++) {
      assert.ok(attempt < 300, `not every service is served within a minute: ${JSON.stringify(await stateNow())}`);
      await sleep(200);
    }
    const { totals, seconds } = await stateNow();
    assert.ok(Math.abs(totals.requests / seconds - 20) < 8, `${totals.requests} in ${seconds} s`);
    command.kill();
    assert.equal((await command.end()).code, 0);
    const denied = await coxswain(
      'twin',
      '--namespace',
      'other',
      '--kubeconfig',
      cluster.limitedKubeconfig,
      '--port',
      '0',
    );
    assert.deepEqual([denied.code, /CLUSTER_REFUSED: .*other/.test(denied.errors)], [2, true], denied.errors);
  });

  test('without the API server it goes on with the pods last seen', async () => {
    await cluster.killApiServer();
    await until('it says so', () => twin.state().cluster.error !== null, 30_000);
    const { seconds, totals } = twin.state();
    await sleep(5_000);
    assert.ok(twin.state().seconds > seconds + 40);
    assert.equal(twin.state().totals.failed, totals.failed);
    assert.ok((await cpuPerPod('frontend')) > 10);
    await cluster.restartApiServer();
    await until('it reads again', () => twin.state().cluster.error === null, 30_000);
    assert.match(notices.at(-1)!, /can be read again/);
  });
});

const program = fileURLToPath(new URL('../../bin/coxswain.mjs', import.meta.url));

interface RunningCommand {
  firstLine(): Promise<string>;
  kill(): void;
  end(): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
}

function startCoxswain(...args: string[]): RunningCommand {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const closed = once(child, 'close') as Promise<[number | null]>;
  return {
    async firstLine() {
      await until(`a line of ${args.join(' ')}; it said ${errors}`, () => output.includes('\n'));
      return output.slice(0, output.indexOf('\n'));
    },
    kill: () => child.kill('SIGTERM'),
    end: async () => ({ code: (await closed)[0], output, errors }),
  };
}

function coxswain(...args: string[]): ReturnType<RunningCommand['end']> {
  return startCoxswain(...args).end();
}

function lastP95({ steps }: TwinState): number {
  const last = steps.slice(-4).map(({ p95Seconds }) => p95Seconds!);
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}

function boundBelow(seconds: number): number {
  return durationBoundsMs.findLast((bound) => bound < 1000 * seconds)! / 1000;
}

function boundAbove(seconds: number): number {
  return durationBoundsMs.find((bound) => bound >= 1000 * seconds)! / 1000;
}

async function until(what: string, isSo: () => boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!isSo()) {
    if (Date.now() > deadline) assert.fail(`not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(100);
  }
}

/** What `promtool check metrics` says, a line each; without the `error while linting` at its end. */
function promtoolCheck(promtool: string, text: string): Promise<string[]> {
  return new Promise((resolve) => {
    const child = execFile(promtool, ['check', 'metrics'], (_error, stdout, stderr) => {
      resolve(`${stdout}${stderr}`.split('\n').filter((line) => line !== ''));
    });
    child.stdin!.end(text);
  });
}

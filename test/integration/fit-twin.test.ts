/**
 * From a mesh's series in a real Prometheus to a twin: the load of `coxswain twin` writes the series, the collect activity
 * records them, and what is fitted is compared with the application that was played.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCollectActivities } from '../../activities/collect.ts';
import { startPrometheus } from '../../scripts/local-services/prometheus-server.ts';
import { removeTestData, testDataFolder } from '../../scripts/local-services/test-data.ts';
import { prometheusOrSkip } from '../../scripts/local-services/test-prometheus.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../src/cluster/workload-metrics/metric-names.ts';
import { createSeriesReader } from '../../src/cluster/workload-metrics/series-reader.ts';
import type { ClusterState, ClusterWorkload, PodState } from '../../src/contracts/cluster.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { CollectedRecording } from '../../src/contracts/runs.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import type { Application, ServiceParameters } from '../../src/rl/environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { compileTopology } from '../../src/rl/environments/online-boutique/topology.ts';
import { Generator } from '../../src/rl/random.ts';
import { fitTwin } from '../../src/rl/twin/fit-twin.ts';
import { refuseUnfit } from '../../src/rl/twin/refuse-unfit.ts';
import { Exposition } from '../../src/twin-load/exposition.ts';
import { writeObjectSeries } from '../../src/twin-load/object-series.ts';
import { PlayedApplication } from '../../src/twin-load/played-application.ts';
import { PodLedger } from '../../src/twin-load/pod-ledger.ts';
import { PodSeries } from '../../src/twin-load/pod-series.ts';
import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { swing } from '../unit/rl/twin/record-application.ts';

const { skip, programs } = await prometheusOrSkip();

const namespace = 'shop';
const binSeconds = 15;
const minutes = 180;
const stepSeconds = 5;
/** On a whole bin, and over for some minutes. */
const end = Math.floor((Date.now() / 1000 - 600) / 60) * 60;
const begin = end - 60 * minutes;

/** What users reach of Online Boutique without checkout: six services. */
const application: Application = (() => {
  const kept = ['frontend', 'productcatalogservice', 'currencyservice', 'cartservice', 'redis-cart', 'adservice'];
  const prune = (call: Application['requests'][number]['call']): Application['requests'][number]['call'] => ({
    ...call,
    calls: (call.calls ?? []).filter(({ service }) => kept.includes(service)).map(prune),
  });
  return {
    services: onlineBoutiqueApplication.services.filter(({ name }) => kept.includes(name)),
    requests: onlineBoutiqueApplication.requests
      .filter(({ name }) => name !== 'checkout')
      .map((request) => ({ ...request, call: prune(request.call) })),
  };
})();
const { visits } = compileTopology(application);

/** A cluster whose autoscaler keeps 60 % utilisation, two minutes behind the rate. */
class ScaledCluster {
  #pods = new Map<string, PodState[]>();
  #born = 0;

  stateAt(seconds: number, rate: number): ClusterState {
    const workloads = application.services.map((service, s) => {
      const wanted = Math.ceil((rate * visits[s] * service.serviceSeconds) / (0.6 * service.serversPerPod));
      const pods = this.#pods.get(service.name) ?? [];
      const replicas = Math.max(service.minReplicas, Math.min(service.maxReplicas, wanted));
      while (pods.length < replicas) pods.push(this.#newPod(service, seconds));
      pods.length = replicas;
      const aged = pods.map((pod): PodState => {
        const readySeconds = pod.createdAt.getTime() / 1000 + service.startupSeconds;
        return seconds < readySeconds ? pod : { ...pod, ready: true, readyAt: new Date(1000 * readySeconds) };
      });
      this.#pods.set(service.name, aged);
      return workloadOf(service, replicas, aged.filter(({ ready }) => ready).length);
    });
    const pods = [...this.#pods.values()].flat();
    return { at: new Date(1000 * seconds), nodes: [], workloads, pods, podsLeft: {}, events: [], gaps: [] };
  }

  #newPod({ name, startupSeconds }: ServiceParameters, seconds: number): PodState {
    // The first pods are there and ready from before the recording on.
    const createdSeconds = seconds === begin - 600 ? seconds - startupSeconds - 10_000 : seconds;
    return {
      ...{
        name: `${name}-5d8f9c7b4-${suffixOf(this.#born++)}`,
        namespace,
        workload: `${namespace}/${name}`,
        node: 'n1',
      },
      ...{ phase: 'Running', ready: false, terminating: false, readyAt: null, cpuMillicores: null, memoryBytes: null },
      createdAt: new Date(1000 * createdSeconds),
    };
  }
}

/** The five letters that Kubernetes ends a pod's name with. */
function suffixOf(number: number): string {
  const letters = 'bcdfghjklm';
  return Array.from(String(number).padStart(5, '0'), (digit) => letters[Number(digit)]).join('');
}

function workloadOf(service: ServiceParameters, replicas: number, readyReplicas: number): ClusterWorkload {
  return {
    ...{ workload: `${namespace}/${service.name}`, kind: 'Deployment', uid: service.name, resourceVersion: '1' },
    ...{ replicas, readyReplicas, cpuRequestMillicores: service.cpuRequestMillicores, cpuLimitMillicores: null },
    ...{ memoryRequestBytes: 64 * 2 ** 20, memoryLimitBytes: 128 * 2 ** 20, owner: null, disruptionsAllowed: null },
    autoscaler: { minReplicas: service.minReplicas, maxReplicas: service.maxReplicas },
    scaledAt: null,
  };
}

/** Plays the application and writes what a Prometheus that scrapes every 15 s would have got, as OpenMetrics. */
async function writeHistory(file: string): Promise<ClusterState> {
  const cluster = new ScaledCluster();
  const ledger = new PodLedger({ namespace, services: application.services, playStartup: false, speed: 1 });
  const played = new PlayedApplication(application, {
    ...{ namespace, ingress: null, sloSeconds: 0.5, speed: 1, generator: new Generator(7) },
  });
  const podSeries = new PodSeries();
  const rateAt = (seconds: number): number => swing(60)(Math.max(0, seconds - begin) / binSeconds);
  const stream = createWriteStream(file);
  let state = cluster.stateAt(begin - 600, rateAt(begin));
  for (let at = begin - 600; at < end + 120; at += stepSeconds) {
    if (at % binSeconds === 0) state = cluster.stateAt(at, rateAt(at - 120));
    ledger.read(state, 1000 * at);
    ledger.refresh(1000 * at);
    played.play(rateAt(at), ledger);
    // Scrapes are not on the grid of the bins.
    if (at % binSeconds !== 5) continue;
    const exposition = new Exposition();
    played.mesh.write(exposition, 1);
    podSeries.write(exposition, ledger.pods, 1);
    writeObjectSeries(exposition, ledger);
    const lines = exposition
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => `${line} ${at + stepSeconds - 0.8}\n`);
    if (!stream.write(lines.join(''))) await once(stream, 'drain');
  }
  stream.end('# EOF\n');
  await once(stream, 'finish');
  return state;
}

async function prometheusWith(t: TestContext, dataFolder: string, file: string): Promise<string> {
  const create = ['tsdb', 'create-blocks-from', 'openmetrics', file, join(dataFolder, 'prometheus')];
  await promisify(execFile)(programs!.promtool, create, { maxBuffer: 1 << 26 });
  const scrape = [{ job: 'absent', targets: ['127.0.0.1:1'], intervalSeconds: binSeconds }];
  const server = await startPrometheus({ program: programs!.prometheus, dataFolder, scrape });
  t.after(() => server.stop());
  return server.url;
}

function near(fitted: number, truth: number, share: number, what: string): void {
  assert.ok(Math.abs(fitted / truth - 1) <= share, `${what}: ${fitted} instead of ${truth}`);
}

const source = { kind: 'cluster', namespace, entry: 'frontend', dialect: 'istio', minutes, startMinutesAgo: 0 };
const spec = {
  collect: {
    source: { ...source, windowSeconds: 60, maxMissingShare: 0.1 },
    ...{ binSeconds, seed: 1, split: { train: 0.6, validate: 0.2, heldOut: 0.2 } },
  },
} as unknown as RunSpec;

test('a twin is fitted to what a real Prometheus recorded of a mesh', { skip, timeout: 300_000 }, async (t) => {
  const dataFolder = testDataFolder();
  t.after(() => removeTestData(dataFolder));
  const file = join(dataFolder, 'history.om');
  const state = await writeHistory(file);
  const url = await prometheusWith(t, dataFolder, file);
  const artifacts = createMemoryArtifactStore();
  const series = createSeriesReader(createPrometheusClient({ url }), standardMetricNames);
  const { recordCluster } = createCollectActivities({
    ...{ store: createMemoryStore(), artifacts, series, cluster: { read: async () => state }, client: null },
    ...{ episodeSteps: () => 2, retryMs: 500, settleMs: 1_500 },
  });
  const mock = new MockActivityEnvironment({ scheduledTimestampMs: 1000 * begin });
  const { cluster, bins } = (await mock.run(recordCluster, { runId: 'r', spec })) as CollectedRecording;
  assert.equal(bins, (60 * minutes) / binSeconds);
  const recording = decodeClusterRecording(await artifacts.get(cluster!));
  const twin = fitTwin(recording);
  const text = twin.report.services.map(({ service, cpuError, callsError, latencyError, serversFrom }) =>
    [service, cpuError?.toFixed(3), callsError?.toFixed(3), latencyError?.toFixed(3), serversFrom].join(' '),
  );
  t.diagnostic(`errors of CPU, calls, latency:\n${text.join('\n')}\np95 ${twin.report.p95Error?.toFixed(3)}`);
  const fittedVisits = compileTopology(twin.application).visits;
  assert.equal(twin.application.services.length, application.services.length);
  for (const [f, fitted] of twin.application.services.entries()) {
    const s = application.services.findIndex(({ name }) => name === fitted.name);
    const truth = application.services[s];
    assert.equal(fitted.serversPerPod, truth.serversPerPod, truth.name);
    near(fitted.serviceSeconds, truth.serviceSeconds, 0.05, `service time of ${truth.name}`);
    near(fitted.cpuBusyMillicores, truth.cpuBusyMillicores, 0.05, `CPU of a busy server of ${truth.name}`);
    near(fittedVisits[f], visits[s], 0.02, `calls of ${truth.name}`);
    // Nobody measures the way of users' requests to the entry.
    if (f > 0) near(fitted.networkSeconds, truth.networkSeconds, 0.05, `network of ${truth.name}`);
    assert.deepEqual([fitted.minReplicas, fitted.maxReplicas], [truth.minReplicas, truth.maxReplicas]);
  }
  assert.ok(twin.report.p95Error! < 0.12, `p95 off by ${twin.report.p95Error}`);
  refuseUnfit(twin.report, 0.2);
});

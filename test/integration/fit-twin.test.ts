/**
 * From a mesh's series in a real Prometheus to a twin: the load of `coxswain twin` writes the series, the collect activity
 * records them, and what is fitted is compared with the application that was played.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCollectActivities } from '../../activities/collect.ts';
import { startPrometheus } from '../../scripts/local-services/prometheus-server.ts';
import { removeTestData, testDataFolder } from '../../scripts/local-services/test-data.ts';
import { prometheusOrSkip } from '../../scripts/local-services/test-prometheus.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { standardMetricNames } from '../../src/cluster/workload-metrics/metric-names.ts';
import { createSeriesReader } from '../../src/cluster/workload-metrics/series-reader.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { CollectedRecording } from '../../src/contracts/runs.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import type { Application } from '../../src/rl/environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { compileTopology } from '../../src/rl/environments/online-boutique/topology.ts';
import { fitTwin } from '../../src/rl/twin/fit-twin.ts';
import { refuseUnfit } from '../../src/rl/twin/refuse-unfit.ts';
import { createMemoryArtifactStore, createMemoryStore } from '../fakes/memory-store.ts';
import { historyBinSeconds, importHistory, writeMeshHistory } from './mesh-history.ts';

const { skip, programs } = await prometheusOrSkip();

const namespace = 'shop';
const binSeconds = historyBinSeconds;
const minutes = 180;
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

async function prometheusWith(t: TestContext, dataFolder: string, file: string): Promise<string> {
  await importHistory(programs!.promtool, file, dataFolder);
  const lookbackSeconds = 5 * binSeconds;
  const server = await startPrometheus({ program: programs!.prometheus, dataFolder, scrape: [], lookbackSeconds });
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
  const history = { application, namespace, begin, end, trailSeconds: 120, requestsPerSecond: 60 };
  const state = await writeMeshHistory(file, history);
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

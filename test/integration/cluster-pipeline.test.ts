/**
 * From a cluster to a policy that steers it, through the real worker processes: what Prometheus and the API server tell of
 * two hours and of the minutes that follow is recorded, a twin is fitted to it, a policy is trained in it, judged,
 * registered and deployed, and scales the cluster that it was learned from.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AppsV1Api } from '@kubernetes/client-node';
import type { ClosedLoop } from '../../scripts/closed-loop/closed-loop.ts';
import { programsOrSkip } from '../../scripts/local-services/programs-or-skip.ts';
import { kubernetesOrSkip } from '../../scripts/local-services/test-cluster.ts';
import type { CoxswainClient } from '../../src/client/index.ts';
import type { ControlStatus } from '../../src/contracts/control.ts';
import type { RunProgress, RunReport } from '../../src/contracts/runs.ts';
import { progressQuery } from '../../src/contracts/messages.ts';
import { decodeClusterRecording } from '../../src/recordings/cluster-recording-format.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { createFolderArtifactStore } from '../../src/store/artifacts/folder-artifact-store.ts';
import { historyBinSeconds, importHistory, writeMeshHistory } from './mesh-history.ts';
import type { PipelineProcesses, StartedRun } from './pipeline-processes.ts';
import { until } from './pipeline-processes.ts';
import { smallSpec } from './small-pipeline.ts';
import { startSteeredShop } from './steered-shop.ts';
import type { SteeredShop } from './steered-shop.ts';

const kubernetes = await kubernetesOrSkip();
const prometheus = await programsOrSkip('prometheus');
const skip = kubernetes.skip || prometheus.skip;

const namespace = 'shop';
const rate = 60;
const binSeconds = historyBinSeconds;
const historyMinutes = 120;
/** Before now, when the history ends: nobody scraped in between. */
const silentMinutes = 3;
/** What is recorded while it happens: long enough that the worker can be killed in it. */
const liveMinutes = 1;

let shop: SteeredShop | undefined;
let loop: ClosedLoop;
let processes: PipelineProcesses;
let client: CoxswainClient;
let apps: AppsV1Api;
let historyBegin: number;

before(async () => {
  if (skip) return;
  const application = onlineBoutiqueApplication;
  shop = await startSteeredShop({
    ...{ application, namespace, rate, scrapeSeconds: 1, lookbackSeconds: 5 * binSeconds },
    async prepare(folder) {
      const end = Math.floor((Date.now() / 1000 - 60 * silentMinutes) / binSeconds) * binSeconds;
      historyBegin = end - 60 * historyMinutes;
      const file = join(folder, 'history.om');
      const history = { application, namespace, begin: historyBegin, end };
      await writeMeshHistory(file, { ...history, trailSeconds: 0, requestsPerSecond: rate });
      await importHistory(prometheus.programs!.promtool, file, folder);
    },
  });
  ({ loop, processes, client, apps } = shop);
});

after(() => shop?.stop());

/** The whole pipeline; what its gate demands is not the question here. */
function specFrom({ minutesAgo, minutes }: { readonly minutesAgo: number; readonly minutes: number }) {
  return {
    ...smallSpec,
    name: 'from-cluster',
    collect: {
      source: {
        ...{ kind: 'cluster', namespace, minutes, startMinutesAgo: minutesAgo },
        ...{ windowSeconds: 60, maxMissingShare: 0.1 },
      },
      binSeconds,
    },
    environment: {
      name: 'twin',
      parameters: { episodeSteps: 40, actionBase: 'hpa', maxChange: 2, maxTargetRatio: 1.15, minTargetRatio: 0.6 },
    },
    evaluate: { ...smallSpec.evaluate, gate: { maxViolationRateIncrease: 1, maxPodSecondsIncrease: 10 } },
    register: { model: 'from-cluster', alias: 'champion' },
    deploy: {
      ...{ name: 'from-cluster', target: { namespace }, mode: 'live', intervalSeconds: 3 },
      metrics: { windowSeconds: 6 },
      guard: { limits: { maxStepUp: 3, coolDownDownSeconds: 10 } },
      fallback: { errorBudget: { violationShare: 1, windowSteps: 60 } },
    },
  };
}

/** Minutes since the history began, rounded down. */
function minutesOfHistory(): number {
  return Math.floor((Date.now() / 1000 - historyBegin) / 60);
}

let run: StartedRun;
let report: RunReport;

async function collectStep(): Promise<RunProgress['steps'][number]> {
  const { steps } = (await run.handle.query(progressQuery)) as RunProgress;
  return steps.find(({ name }) => name === 'collect')!;
}

async function loopStatus(name: string): Promise<ControlStatus | null> {
  const { loop: status, failure } = await client.deployments.status(name);
  assert.equal(failure, null);
  return status;
}

test(
  'a cluster is recorded through the death of the worker, and a policy is trained in its twin',
  { skip },
  async (t) => {
    const minutesAgo = minutesOfHistory();
    run = await processes.startRun(specFrom({ minutesAgo, minutes: minutesAgo + liveMinutes }));
    await until(async () => {
      const { status, summary } = await collectStep();
      assert.notEqual(status, 'failed', summary);
      return /[1-9]\d* of \d+ bins recorded/.test(summary ?? '');
    });
    await processes.kill('control');
    await processes.start('control');
    report = await run.result();
    t.diagnostic(
      `${report.twin!.services.map(({ service, ...errors }) => `${service} ${JSON.stringify(errors)}`).join('\n')}`,
    );

    const { recording, twin, evaluation, model, gate } = report;
    assert.equal(recording!.bins, ((minutesAgo + liveMinutes) * 60) / binSeconds);
    const artifacts = await createFolderArtifactStore(processes.environment.COXSWAIN_ARTIFACTS);
    const recorded = decodeClusterRecording(await artifacts.get(recording!.cluster!));
    assert.equal(recorded.entry, `${namespace}/frontend`);
    // The last minute was not there when the run began.
    assert.ok(
      recorded.requestsPerSecond.at(-2)! > 0.5 * rate,
      `${recorded.requestsPerSecond.slice(-4).join()} requests/s`,
    );
    const silent = recorded.gaps.find(({ what }) => what === 'everything' || what === `requests to ${recorded.entry}`);
    assert.ok(
      silent && silent.to - silent.from >= (60 * (silentMinutes - 1)) / binSeconds,
      JSON.stringify(recorded.gaps),
    );
    assert.equal(twin!.serviceCount, onlineBoutiqueApplication.services.length);
    for (const { service, ...errors } of twin!.services) {
      for (const [what, error] of Object.entries(errors)) {
        if (typeof error === 'number') assert.ok(error <= twin!.maxError, `${what} of ${service}: ${error}`);
      }
    }
    assert.ok(evaluation!.hpaTargetPercent > 0);
    assert.deepEqual([model, gate!.passed], [{ name: 'from-cluster', version: 1, alias: 'champion' }, true]);
  },
);

test('the policy from the twin steers the cluster, and scales it in a crowd', { skip }, async () => {
  assert.deepEqual([report.deployment!.name, report.deployment!.state], ['from-cluster', 'open']);
  const { trainedFor } = (await processes.store.models.getVersion('from-cluster', 1))!;
  assert.equal(trainedFor!.environment.name, 'twin');
  await until(async () => (await loopStatus('from-cluster'))?.last?.actor === 'policy');
  const before = await replicasOf('frontend');
  await loop.setLoad(4 * rate);
  await until(async () => (await replicasOf('frontend')) > before);
  const decisions = await client.deployments.decisions('from-cluster', { last: 100 });
  assert.ok(
    decisions.some(({ actor, result }) => actor === 'policy' && result?.some(({ outcome }) => outcome === 'scaled')),
  );
  await client.deployments.stop('from-cluster');
  await until(async () => (await client.deployments.status('from-cluster')).status === 'stopped');
});

test('a policy on the graph of the same recording steers it as well', { skip }, async () => {
  const spec = specFrom({ minutesAgo: minutesOfHistory(), minutes: historyMinutes });
  const report = await (
    await processes.startRun({
      ...spec,
      name: 'from-graph',
      environment: { name: 'twin-graph', parameters: { episodeSteps: 40, maxChange: 1 } },
      agent: {
        algorithm: 'graph-ppo',
        hyperparameters: {
          ...{ width: 8, attentionWidth: 4, messageRounds: 1, memoryWidth: 4 },
          ...{ rolloutSteps: 512, minibatchSize: 128, epochs: 1 },
        },
      },
      train: { seeds: [1], totalSteps: 1024, environments: 4, evaluateEverySteps: 1024, checkpointEverySteps: 1024 },
      register: { model: 'from-graph', alias: 'champion' },
      deploy: { ...spec.deploy, name: 'from-graph', mode: 'shadow' },
    })
  ).result();
  assert.deepEqual(
    [report.twin!.serviceCount, report.deployment!.state],
    [onlineBoutiqueApplication.services.length, 'open'],
  );
  await until(async () => (await loopStatus('from-graph'))?.last?.actor === 'policy');
  const [decision] = await client.deployments.decisions('from-graph', { last: 1 });
  assert.ok(decision.observation!.metrics!.graph!.edges.length >= 10);
  await client.deployments.stop('from-graph');
  await until(async () => (await client.deployments.status('from-graph')).status === 'stopped');
});

async function replicasOf(name: string): Promise<number> {
  return (await apps.readNamespacedDeployment({ name, namespace })).spec!.replicas!;
}

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppsV1Api, CoreV1Api } from '@kubernetes/client-node';
import type { ClosedLoop } from '../../scripts/closed-loop/closed-loop.ts';
import { programsOrSkip } from '../../scripts/local-services/programs-or-skip.ts';
import { kubernetesOrSkip } from '../../scripts/local-services/test-cluster.ts';
import type { TestCluster } from '../../scripts/local-services/test-cluster.ts';
import type { CoxswainClient } from '../../src/client/index.ts';
import { requiredRights } from '../../src/cluster/kubernetes/required-rights.ts';
import type { ControlDecision, ControlStatus } from '../../src/contracts/control.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { clusterAdmin, throttle } from './cluster-admin.ts';
import type { ClusterAdmin } from './cluster-admin.ts';
import type { PipelineProcesses } from './pipeline-processes.ts';
import { assertNoSecrets } from './planted-secrets.ts';
import { changeRights, createServiceAccount, singly, writeKubeconfig } from './service-account.ts';
import { smallSpec } from './small-pipeline.ts';
import { startSteeredShop } from './steered-shop.ts';
import type { SteeredShop } from './steered-shop.ts';

const kubernetes = await kubernetesOrSkip();
const prometheus = await programsOrSkip('prometheus');
const skip = kubernetes.skip || prometheus.skip;

const namespace = 'shop';
const rate = 60;
/** A step every two seconds, with a scrape every half second: the loop does not know how long a step is. */
const spec = {
  version: 1,
  name: 'loop',
  model: { name: 'small', version: 1 },
  target: { namespace },
  mode: 'shadow',
  intervalSeconds: 2,
  metrics: { windowSeconds: 4 },
  guard: { limits: { maxStepUp: 3, maxStepDown: 2, coolDownDownSeconds: 10 } },
  // The crowd is more than eleven services stand at first; here other faults shall be the ones that are noticed.
  fallback: { errorBudget: { violationShare: 1, windowSteps: 60 } },
} as const;

/** A policy that cannot plan for more CPU than the HPA allows, so that a crowd makes it scale however little it learned. */
const trainedSpec = {
  ...smallSpec,
  environment: {
    name: 'online-boutique',
    parameters: { episodeSteps: 40, actionBase: 'hpa', maxChange: 2, maxTargetRatio: 1.15, minTargetRatio: 0.6 },
  },
};

const prometheusToken = 'planted-prometheus-0123456789';

let folder: string;
const outageMs = 60_000;

/** A machine with other work to do takes its time. */
const patienceMs = 60_000;

/** Whom the workers are in the cluster: it has the rights that we document, and no other. */
const account = 'coxswain';
const rights = singly(requiredRights);

let cluster: TestCluster;
let admin: ClusterAdmin;
let tokenFile: string;
let loop: ClosedLoop;
let processes: PipelineProcesses;
let client: CoxswainClient;
let apps: AppsV1Api;
let core: CoreV1Api;

let shop: SteeredShop | undefined;

before(async () => {
  if (skip) return;
  shop = await startSteeredShop({
    ...{ application: onlineBoutiqueApplication, namespace, rate, scrapeSeconds: 0.5 },
    async settings({ folder: dataFolder, cluster: started }) {
      [folder, cluster, admin] = [dataFolder, started, clusterAdmin(started)];
      await createServiceAccount(admin, namespace, account, rights);
      tokenFile = join(folder, 'token');
      await writeToken(3_600);
      return {
        COXSWAIN_KUBECONFIG: writeKubeconfig(cluster, folder, 'kubeconfig', { tokenFile }),
        COXSWAIN_PROMETHEUS_TOKEN: prometheusToken,
      };
    },
  });
  ({ loop, processes, client, apps, core } = shop);
  const report = await (await processes.startRun(trainedSpec)).result();
  assert.equal(report.model?.version, 1);
  await client.deployments.open(spec);
  await until(({ last }) => last?.actor === 'policy');
});

after(() => shop?.stop());

async function until(holds: (status: ControlStatus) => boolean): Promise<ControlStatus> {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const { loop: status, failure } = await client.deployments.status('loop');
    assert.equal(failure, null);
    if (status !== null && holds(status)) return status;
    assert.ok(Date.now() < deadlineMs, `still ${JSON.stringify(status)}`);
    await sleep(200);
  }
}

/** Gives the policy back its place, again where a busy machine keeps it from answering in time, until it acts. */
async function resumePolicy(): Promise<void> {
  await until(({ fallback, last }) => {
    if (fallback !== null) void client.deployments.resume('loop').catch(() => undefined);
    return fallback === null && last?.actor === 'policy' && last.state.fallback === null;
  });
}

/** Gives the workers a token that expires. */
async function writeToken(livesSeconds: number): Promise<void> {
  writeFileSync(tokenFile, await cluster.serviceAccountToken(namespace, account, livesSeconds));
}

/** Steps that could not read the cluster, for a reason that this matches, since `first`: none of them did anything. */
async function silentSteps(first: number, reason: RegExp): Promise<readonly ControlDecision[]> {
  const silent = (await decisions()).filter(
    ({ step, problems }) => step >= first && problems.some((problem) => reason.test(problem)),
  );
  for (const { guarded, observation } of silent) assert.deepEqual([guarded, observation], [[], null]);
  return silent;
}

/** Until so many more steps are done. */
async function steps(count: number): Promise<ControlStatus> {
  const { step } = await until(() => true);
  return until((status) => status.step >= step + count);
}

async function replicas(): Promise<Record<string, number>> {
  const { items } = await apps.listNamespacedDeployment({ namespace });
  return Object.fromEntries(items.map(({ metadata, spec: wanted }) => [metadata!.name!, wanted!.replicas!]));
}

async function decisions(): Promise<readonly ControlDecision[]> {
  return client.deployments.decisions('loop', { last: 1_000 });
}

test(
  'in shadow mode the policy decides on what the cluster and Prometheus say, and nothing is changed',
  { skip },
  async () => {
    const first = await replicas();
    await steps(4);
    assert.deepEqual(await replicas(), first);
    const last = (await decisions()).at(-1)!;
    assert.equal(last.actor, 'policy');
    // So soon after the start there is no traffic to remember.
    assert.deepEqual(
      last.problems.filter((problem) => !/missing in \d+ of 41 steps/.test(problem)),
      [],
    );
    const { requestsPerSecond, services } = last.observation!.metrics!;
    assert.ok(
      Math.abs(requestsPerSecond.at(-1)! - rate) < 0.5 * rate,
      `${requestsPerSecond.at(-1)} requests/s are near ${rate}`,
    );
    assert.equal(services.length, 11);
    assert.deepEqual(
      last.observation!.workloads.map((workload) => workload!.replicas),
      onlineBoutiqueApplication.services.map(({ name }) => first[name]),
    );
  },
);

test('live, a crowd makes it scale within the limits of the guard', { skip }, async () => {
  const first = await replicas();
  await client.deployments.setMode('loop', 'live');
  await loop.setLoad(4 * rate);
  await steps(10);
  const grown = await replicas();
  assert.ok(grown.frontend > first.frontend, `frontend: ${first.frontend} → ${grown.frontend}`);
  for (const { mode, guarded } of await decisions()) {
    if (mode === 'shadow') continue;
    for (const { before: from, permitted } of guarded) {
      assert.ok(permitted! - from! <= 3 && from! - permitted! <= 2, `${from} → ${permitted}`);
    }
  }
  const managers = (await apps.readNamespacedDeployment({ name: 'frontend', namespace })).metadata!.managedFields!;
  assert.ok(managers.some(({ manager, subresource }) => manager === 'coxswain' && subresource === 'scale'));
});

test(
  'a policy process that is killed is replaced by the HPA within two steps, and the switch is an alert',
  { skip },
  async () => {
    const [pid] = processes.policyProcesses();
    const { step } = await until(() => true);
    process.kill(pid, 'SIGKILL');
    const { fallback } = await until((status) => status.fallback !== null);
    assert.equal(fallback!.reason, 'policy-unavailable');
    assert.ok(fallback!.sinceStep <= step + 2, `killed in step ${step}, replaced in ${fallback!.sinceStep}`);
    assert.equal((await steps(1)).last?.actor, 'fallback');
    const [event] = await client.deployments.events('loop');
    assert.deepEqual([event.kind, event.alert], ['fallback', true]);
    await resumePolicy();
  },
);

test('the control worker killed with its children: another goes on, no step is done twice', { skip }, async () => {
  const children = processes.policyProcesses();
  await processes.kill('control');
  await sleep(500);
  await processes.start('control');
  await steps(3);
  for (const pid of children) assert.throws(() => process.kill(pid, 0), /ESRCH/);
  const numbers = (await decisions()).map(({ step }) => step);
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  );
  assert.ok((await decisions()).filter(({ summary }) => summary === null).length <= 1);
});

test(
  'Prometheus gone: nobody acts in one step, then the fallback is in charge until somebody resumes the policy',
  { skip },
  async () => {
    await loop.prometheus.kill();
    const switched = await until(({ fallback }) => fallback !== null);
    assert.equal(switched.fallback!.reason, 'observations-missing');
    await loop.prometheus.restart();
    await until(({ last }) => last?.actor === 'fallback');
    await resumePolicy();
    const events = await client.deployments.events('loop');
    assert.deepEqual(
      events
        .filter(({ kind, message }) => kind === 'policy-resumed' || message.includes('observations-missing'))
        .slice(0, 2)
        .map(({ kind, alert }) => [kind, alert]),
      [
        ['policy-resumed', false],
        ['fallback', true],
      ],
    );
    const { items } = await core.listNamespacedEvent({ namespace });
    assert.ok(items.some(({ reason, type }) => reason === 'CoxswainFallback' && type === 'Warning'));
  },
);

test(
  'the API server gone for a minute: no step acts, the loop stays, and goes on when it is back',
  { skip },
  async () => {
    await cluster.killApiServer();
    await until(({ last }) => last?.notes.some((note) => note.startsWith('cluster:')) ?? false);
    const { step } = await steps(2);
    await sleep(outageMs);
    await cluster.restartApiServer();
    await resumePolicy();
    assert.ok((await until(() => true)).step > step);
    const silent = (await decisions()).filter(({ problems }) =>
      problems.some((problem) => problem.startsWith('cluster:')),
    );
    assert.ok(silent.length >= 2);
    for (const { guarded, observation } of silent) assert.deepEqual([guarded, observation], [[], null]);
  },
);

test(
  'the API server throttles with 429: no step acts, and the loop goes on when there is room again',
  { skip },
  async () => {
    const { step } = await until(() => true);
    const undo = await throttle(admin, namespace, account);
    await until(({ last }) => last?.notes.some((note) => /^cluster: .*429/.test(note)) ?? false);
    await steps(2);
    await undo();
    await resumePolicy();
    assert.ok((await silentSteps(step, /^cluster: CLUSTER_UNAVAILABLE: .*429/)).length >= 2);
  },
);

test('a token that has expired: no step acts, until the file holds one that has not', { skip }, async () => {
  const { step } = await until(() => true);
  await writeToken(-60);
  // A worker that knows an older one would use it for up to a minute.
  await processes.end('control');
  await processes.start('control');
  await until(({ last }) => last?.notes.some((note) => note.startsWith('cluster: CLUSTER_REFUSED')) ?? false);
  await steps(1);
  await writeToken(3_600);
  await resumePolicy();
  assert.ok((await silentSteps(step, /^cluster: CLUSTER_REFUSED/)).length >= 1);
});

test('403 on autoscalers alone: whose the replicas are is not known, so none are changed', { skip }, async () => {
  await changeRights(
    admin,
    namespace,
    account,
    rights.filter(({ resource }) => resource !== 'horizontalpodautoscalers'),
  );
  await until(({ last }) => last?.notes.some((note) => /horizontalpodautoscalers/.test(note)) ?? false);
  const { step } = await steps(0);
  await loop.setLoad(8 * rate);
  await steps(4);
  const blind = (await decisions()).filter((decision) => decision.step >= step);
  const entries = blind.flatMap(({ guarded }) => guarded);
  assert.ok(entries.length > 0);
  for (const { before: from, permitted } of entries) assert.equal(permitted, from);
  await changeRights(admin, namespace, account, rights);
  await resumePolicy();
  await loop.setLoad(4 * rate);
});

test('a second loop on one of the workloads is refused, and says who has it', { skip }, async () => {
  await client.deployments.open({ ...spec, name: 'second' });
  for (;;) {
    const { failure } = await client.deployments.status('second');
    if (failure !== null) {
      assert.match(failure, /Deployment loop steers shop\/\w+, so second cannot/);
      return;
    }
    await sleep(200);
  }
});

test('a workload that is deleted stops the policy, and the loop says so until it is back', { skip }, async () => {
  const { metadata, spec: wanted } = await apps.readNamespacedDeployment({ name: 'emailservice', namespace });
  await apps.deleteNamespacedDeployment({ name: 'emailservice', namespace });
  await until(({ last }) => last?.notes.some((note) => /emailservice: its workload is not there/.test(note)) ?? false);
  const { name, labels } = metadata!;
  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name, labels }, spec: wanted } });
  await client.deployments.resume('loop').catch(() => undefined);
  await until(({ last }) => last?.notes.every((note) => !note.includes('not there')) ?? false);
  await resumePolicy();
});

test('a service that is added to the namespace is none of the loop’s business', { skip }, async () => {
  const labels = { app: 'newcomer' };
  await apps.createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: 'newcomer', labels },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'newcomer', image: 'none' }] } },
      },
    },
  });
  const { step } = await steps(3);
  // The service that was deleted before may still be without a rate, which is another matter.
  await resumePolicy();
  assert.equal((await replicas()).newcomer, 3);
  const since = (await decisions()).filter((decision) => decision.step > step - 3);
  assert.ok(since.every(({ guarded }) => guarded.every(({ workload }) => workload !== `${namespace}/newcomer`)));
});

test('whatever has failed by now, no change of replicas has left the limits of the guard', { skip }, async () => {
  const all = await decisions();
  const changes = all.flatMap(({ guarded, result }) =>
    (result ?? []).flatMap(({ workload, outcome, replicas: after }) => {
      const from = guarded.find((entry) => entry.workload === workload)!.before!;
      return outcome === 'scaled' ? [{ workload, from, to: after! }] : [];
    }),
  );
  assert.ok(changes.length > 3, `${changes.length} changes in ${all.length} steps`);
  for (const { workload, from, to } of changes) {
    const { minReplicas, maxReplicas } = onlineBoutiqueApplication.services.find(
      ({ name }) => workload === `${namespace}/${name}`,
    )!;
    assert.ok(to - from <= 3 && from - to <= 2, `${workload}: ${from} → ${to}`);
    assert.ok(to >= Math.min(from, minReplicas) && to <= Math.max(from, maxReplicas), `${workload}: ${from} → ${to}`);
  }
});

test('no credential is in a history, a document, a log, an artifact, an event or a series', { skip }, async () => {
  const { MONGODB_URL: url, COXSWAIN_DATABASE: database, COXSWAIN_ARTIFACTS: artifacts } = processes.environment;
  const searched = await assertNoSecrets(
    [
      { name: 'COXSWAIN_PROMETHEUS_TOKEN', value: prometheusToken },
      { name: 'token of the kubeconfig', value: cluster.tokens.admin },
      { name: 'token of the workers', value: readFileSync(tokenFile, 'utf8') },
    ],
    {
      mongo: { url, database },
      temporal: processes.client,
      files: [dirname(artifacts), join(folder, 'logs')],
      pages: [{ url: `${loop.prometheus.url}/api/v1/label/__name__/values` }],
      texts: {
        decisions: await decisions(),
        events: await client.deployments.events('loop'),
        cluster: (await core.listNamespacedEvent({ namespace })).items,
      },
    },
  );
  assert.ok(searched.documents > 100 && searched.historyEvents > 500, JSON.stringify(searched));
});

test('stopped, the loop gives its workloads free, and its record computes to the same bits', { skip }, async () => {
  await client.deployments.stop('loop');
  while ((await client.deployments.status('loop')).status !== 'stopped') await sleep(200);
  const record = await processes.store.control.getDeployment('loop');
  assert.equal(record?.status, 'stopped');
  assert.deepEqual(processes.policyProcesses(), []);
  const all = await decisions();
  const { replayDecisions } = await import('../../src/control/replay.ts');
  const { liveDeployment } = await import('../../src/control/live-deployment.ts');
  const { loadPolicy } = await import('../../src/rl/policy.ts');
  const { createFolderArtifactStore } = await import('../../src/store/artifacts/folder-artifact-store.ts');
  const artifacts = await createFolderArtifactStore(processes.environment.COXSWAIN_ARTIFACTS);
  const policy = await loadPolicy(await artifacts.get(record!.policy));
  try {
    const replayed = await replayDecisions(liveDeployment(record!, onlineBoutiqueApplication), all, policy);
    assert.equal(replayed.steps, all.length);
    assert.ok(replayed.policyAnswers > 20, `${replayed.policyAnswers} answers`);
  } finally {
    await policy.dispose();
  }
});

/**
 * `npm run demo:cluster`: the whole loop on one machine. A real Kubernetes control plane whose nodes are played, the objects
 * of Online Boutique in two namespaces, the twin as their load, a real Prometheus; a policy that is trained here, deployed in
 * shadow mode and then live in the one, the calibrated HPA in the other; the same flash crowd for both. See {@link usage}.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { KubernetesObject } from '@kubernetes/client-node';
import { loadConfig } from '../config/index.ts';
import { findLocalServices } from '../config/local-services.ts';
import { temporalConnection } from '../config/temporal-connection.ts';
import type { CoxswainClient } from '../src/client/index.ts';
import { createCoxswainClient } from '../src/client/index.ts';
import type { ControlStatus } from '../src/contracts/control.ts';
import { onlineBoutiqueApplication } from '../src/rl/environments/online-boutique/online-boutique-application.ts';
import { createMongoStore } from '../src/store/mongo/mongo-store.ts';
import { applicationManifests } from '../src/twin-load/application-manifests.ts';
import { runBundledPipeline } from './bundled-run.ts';
import { playNamespace } from './closed-loop/played-namespace.ts';
import type { PlayedNamespace } from './closed-loop/played-namespace.ts';
import { crowdTable, playCrowd } from './cluster-demo/crowd-trial.ts';
import type { Contestant } from './cluster-demo/crowd-trial.ts';
import { tryLock } from './file-lock.mjs';
import { startKubernetesCluster } from './local-services/kubernetes-cluster.ts';
import type { KubernetesCluster } from './local-services/kubernetes-cluster.ts';
import { addNodes } from './local-services/kubernetes-nodes.ts';
import { cleanUpLeftovers } from './local-services/leftovers.ts';
import { obtainKubernetes } from './local-services/obtain-kubernetes.ts';
import { obtainPrometheus } from './local-services/obtain-prometheus.ts';
import { startPrometheus } from './local-services/prometheus-server.ts';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';
import { listenForStop } from './stop-request.ts';

const usage = `Usage: npm run demo:cluster -- [--rate 120] [--peak 2.5] [--minutes 20] [--settle 2] [--json] [--stay]
  --rate     requests/s before the crowd
  --peak     peak of the crowd, times the rate
  --minutes  length of the crowd
  --settle   minutes that are waited before the crowd
  --json     print what both made of it as one line of JSON, last on standard output; everything else goes to standard error
  --stay     keep everything up afterwards, until Ctrl-C
`;

const root = dirname(import.meta.dirname);
const dataFolder = join(root, '.coxswain', 'demo');
/** Names of the deployments, and of the namespaces that they steer. */
const names = { policy: 'shop', hpa: 'shop-hpa' } as const;
type Shops = Readonly<Record<keyof typeof names, PlayedNamespace>>;
/** Both deployments, but for what they are called, steer and do. */
const deploymentSpec = {
  version: 1,
  description: 'The demonstration',
  model: { name: 'online-boutique', version: 'champion' },
  metrics: { windowSeconds: 30 },
  // Two controllers are compared, so the one must not take over from the other in the middle.
  fallback: { errorBudget: { violationShare: 0.5, windowSteps: 60 } },
} as const;
const shadowSteps = 4;
const nodes = { count: 8, shape: { cpu: '16', memory: '64Gi', pods: '110' } };

const flags = readFlags();
const output = flags.json ? process.stderr : process.stdout;
const say = (line: string) => void output.write(`${line}\n`);
const stopped = listenForStop(() => process.exit(130));
const started: { stop(): Promise<void> }[] = [];

process.exit(await main());

function readFlags() {
  const number = (fallback: string) => ({ type: 'string', default: fallback }) as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      options: {
        rate: number('120'),
        peak: number('2.5'),
        minutes: number('20'),
        settle: number('2'),
        json: flag,
        stay: flag,
      },
    });
    const numbers = { rate: values.rate, peak: values.peak, minutes: values.minutes, settle: values.settle };
    for (const [name, text] of Object.entries(numbers)) {
      if (!(Number(text) > 0)) throw new Error(`--${name}: found ${text}; allowed: a number above 0`);
    }
    const [rate, peak, minutes, settleMinutes] = Object.values(numbers).map(Number);
    return { rate, crowd: { peak, minutes, settleMinutes }, json: values.json, stay: values.stay };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  mkdirSync(dataFolder, { recursive: true });
  const lock = tryLock(join(dataFolder, 'demo.lock'));
  if ('holder' in lock) {
    say(`The demonstration is already running from this folder (process ${lock.holder.pid}).`);
    return 1;
  }
  try {
    await demonstrate();
    return 0;
  } catch (error) {
    if (stopped.signal.aborted) return 130;
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    for (const { stop } of started.reverse()) await stop();
    lock.release();
  }
}

async function demonstrate(): Promise<void> {
  const { shops, environment } = await bringUpCluster();
  const announced = findLocalServices(root) === null;
  const stack = remember(await startStack({ root, dataFolder, report: say, environment, announced }));
  const { client, close } = openClient(stack);
  started.push({ stop: close });
  await endEarlierDeployments(client);
  await trainUnlessThere(client, stack);
  await deployInShadow(client);
  await client.deployments.setMode(names.policy, 'live');
  await deployHpa(client);
  const { peak, minutes, settleMinutes } = flags.crowd;
  say(`\nLive: the policy in ${names.policy}, the calibrated HPA in ${names.hpa}.`);
  say(`A crowd of ${peak} times ${flags.rate} requests/s comes to both in ${settleMinutes} min, for ${minutes} min …`);
  const contestants: Contestant[] = [
    { controller: 'policy', played: shops.policy },
    { controller: 'HPA, calibrated', played: shops.hpa },
  ];
  const trials = await playCrowd(contestants, flags.crowd, stopped.signal);
  say(`\n${crowdTable(trials)}\n`);
  await report(client);
  if (flags.json) process.stdout.write(`${JSON.stringify({ trials })}\n`);
  if (flags.stay) {
    say('Everything stays up. Stop it with Ctrl-C.');
    await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
  }
  for (const name of Object.values(names)) await stopDeployment(client, name);
}

/** A demonstration that was ended in the middle leaves its loop in Temporal, where it would go on. */
async function endEarlierDeployments(client: CoxswainClient): Promise<void> {
  for (const { name, status } of await client.deployments.list()) {
    if (status !== 'stopped' && status !== 'failed') await stopDeployment(client, name);
  }
}

async function stopDeployment(client: CoxswainClient, name: string): Promise<void> {
  await client.deployments.stop(name);
  for (;;) {
    const { status } = await client.deployments.status(name);
    if (status === 'stopped' || status === 'failed') return;
    await sleep(500, undefined, { signal: stopped.signal });
  }
}

async function bringUpCluster(): Promise<{ shops: Shops; environment: Readonly<Record<string, string>> }> {
  const programs = await obtainKubernetes({ report: say });
  const { prometheus: program } = await obtainPrometheus({ report: say });
  const clusterFolder = join(dataFolder, 'cluster');
  await cleanUpLeftovers(join(clusterFolder, 'records'));
  // The cluster is new each time; what was trained stays.
  rmSync(clusterFolder, { recursive: true, force: true });
  say('Starting a Kubernetes control plane …');
  const cluster: KubernetesCluster = remember(await startKubernetesCluster({ programs, dataFolder: clusterFolder }));
  const nodeNames = Array.from({ length: nodes.count }, (_, i) => `node-${i + 1}`);
  await addNodes(cluster, nodeNames, nodes.shape);
  const { kubeconfig } = cluster;
  say(`Kubernetes: KUBECONFIG=${kubeconfig}`);
  const shops = {
    policy: await playShop(names.policy, kubeconfig, clusterFolder),
    hpa: await playShop(names.hpa, kubeconfig, clusterFolder),
  };
  const targets = [shops.policy.target, shops.hpa.target];
  const scrape = [{ job: 'twin', targets, intervalSeconds: 5 }];
  const prometheus = remember(await startPrometheus({ program, dataFolder: clusterFolder, scrape }));
  say(`Prometheus: ${prometheus.url}\n`);
  return {
    shops,
    environment: {
      COXSWAIN_KUBECONFIG: kubeconfig,
      COXSWAIN_CLUSTER_NAMESPACES: Object.values(names).join(','),
      COXSWAIN_PROMETHEUS_URL: prometheus.url,
    },
  };
}

async function playShop(namespace: string, kubeconfig: string, clusterFolder: string): Promise<PlayedNamespace> {
  const manifests = applicationManifests(onlineBoutiqueApplication, {
    namespace,
    image: 'busybox:1.37',
    replicasFor: flags.rate,
    disruptionBudgets: false,
    speed: 1,
  });
  return remember(
    await playNamespace({
      kubeconfig,
      manifests: manifests as unknown as KubernetesObject[],
      namespace,
      dataFolder: clusterFolder,
      twin: ['--rate', String(flags.rate)],
    }),
  );
}

function remember<T extends { stop(): Promise<void> }>(part: T): T {
  started.push(part);
  return part;
}

function openClient(stack: Stack): { client: CoxswainClient; close: () => Promise<void> } {
  const config = loadConfig({ ...process.env, ...stack.environment });
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  const temporal = { connection: temporalConnection(config.temporal), namespace: config.temporal.namespace };
  const client = createCoxswainClient({ temporal, store });
  return {
    client,
    close: async () => {
      await client.close();
      await store.close();
    },
  };
}

/** A policy of an earlier demonstration does as well. */
async function trainUnlessThere(client: CoxswainClient, stack: Stack): Promise<void> {
  const models = await client.models.list();
  if (models.some(({ model, aliases }) => model === 'online-boutique' && aliases.champion !== undefined)) {
    say('The champion of an earlier demonstration is deployed.');
    return;
  }
  say('Training the bundled pipeline …');
  const options = { root, output: output as typeof process.stdout, json: false, signal: stopped.signal };
  if ((await runBundledPipeline(stack, options)) !== 0) throw new Error('The run failed; see above.');
}

async function deployInShadow(client: CoxswainClient): Promise<void> {
  const target = { namespace: names.policy };
  await client.deployments.open({ ...deploymentSpec, name: names.policy, target, mode: 'shadow' });
  say(`\nDeployed in shadow mode: ${shadowSteps} decisions that nothing is done with.`);
  // Of an earlier demonstration the steps go on counting.
  const { step: first } = await untilStatus(client, names.policy, ({ status }) => status === 'running');
  await untilStatus(client, names.policy, ({ step, last }) => step >= first + shadowSteps && last?.actor === 'policy');
  const decisions = await client.deployments.decisions(names.policy, { last: shadowSteps });
  for (const { step, actor, guarded, problems } of decisions) {
    const changes = guarded
      .filter(({ before, permitted }) => before !== permitted)
      .map(({ workload, before, permitted }) => `${workload.split('/')[1]} ${before} → ${permitted}`);
    const incomplete =
      problems.length === 0 ? [] : [`not known to Prometheus yet: ${problems.length} of what is asked for`];
    say(`  step ${step}, ${actor}: ${[...changes, ...incomplete].join(', ') || 'no change'}`);
  }
}

/** The HPA that the policy's evaluation calibrated is the fallback of every deployment. */
async function deployHpa(client: CoxswainClient): Promise<void> {
  const target = { namespace: names.hpa };
  await client.deployments.open({ ...deploymentSpec, name: names.hpa, target, mode: 'live' });
  await untilStatus(client, names.hpa, ({ status }) => status === 'running');
  await client.deployments.fallBack(names.hpa, 'The calibrated HPA, to compare with.');
}

async function untilStatus(
  client: CoxswainClient,
  name: string,
  holds: (status: ControlStatus) => boolean,
): Promise<ControlStatus> {
  for (;;) {
    const { loop, failure } = await client.deployments.status(name);
    if (failure !== null) throw new Error(`The deployment failed: ${failure}`);
    if (loop !== null && holds(loop)) return loop;
    await sleep(1_000, undefined, { signal: stopped.signal });
  }
}

async function report(client: CoxswainClient): Promise<void> {
  const events = await Promise.all(Object.values(names).map((name) => client.deployments.events(name)));
  say('What happened, newest first:');
  for (const { at, kind, message } of events.flat().sort((a, b) => b.at.getTime() - a.at.getTime()))
    say(`  ${at.toISOString().slice(11, 19)}  ${kind}: ${message}`);
  say(`\nEvery decision: npx coxswain decisions ${names.policy}; computed again: npx coxswain replay ${names.policy}`);
}

/**
 * `npm run demo:cluster`: the whole loop on one machine. A real Kubernetes control plane whose nodes are played, the objects
 * of Online Boutique, the twin as their load, a real Prometheus; a policy that is trained here, deployed in shadow mode and
 * then live; a flash crowd for it, and the same crowd for the calibrated HPA. See {@link usage}.
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
import { startClosedLoop } from './closed-loop/closed-loop.ts';
import type { ClosedLoop } from './closed-loop/closed-loop.ts';
import { crowdTable, playCrowd } from './cluster-demo/crowd-trial.ts';
import type { CrowdMeasures } from './cluster-demo/crowd-trial.ts';
import { tryLock } from './file-lock.mjs';
import { startKubernetesCluster } from './local-services/kubernetes-cluster.ts';
import type { KubernetesCluster } from './local-services/kubernetes-cluster.ts';
import { addNodes } from './local-services/kubernetes-nodes.ts';
import { cleanUpLeftovers } from './local-services/leftovers.ts';
import { obtainKubernetes } from './local-services/obtain-kubernetes.ts';
import { obtainPrometheus } from './local-services/obtain-prometheus.ts';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';
import { listenForStop } from './stop-request.ts';

const usage = `Usage: npm run demo:cluster -- [--rate 120] [--peak 2.5] [--minutes 8] [--settle 2] [--json] [--stay]
  --rate     requests/s before the crowd
  --peak     peak of the crowd, times the rate
  --minutes  length of the crowd
  --settle   minutes that are waited before each crowd
  --json     print both trials as one line of JSON, last on standard output; everything else goes to standard error
  --stay     keep everything up afterwards, until Ctrl-C
`;

const root = dirname(import.meta.dirname);
const dataFolder = join(root, '.coxswain', 'demo');
const namespace = 'shop';
const names = { policy: 'demo', hpa: 'demo-hpa' } as const;
/** Both deployments of the demonstration, but for name and mode. */
const deploymentSpec = {
  version: 1,
  description: 'The demonstration',
  model: { name: 'online-boutique', version: 'champion' },
  target: { namespace },
  metrics: { windowSeconds: 30 },
  // Two controllers are compared, so the one must not take over from the other in the middle.
  fallback: { errorBudget: { violationShare: 0.5, windowSteps: 60 } },
} as const;
const shadowSteps = 4;
const nodes = { count: 6, shape: { cpu: '16', memory: '64Gi', pods: '110' } };

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
        minutes: number('8'),
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
  const loop = await bringUpCluster();
  const stack = remember(
    await startStack({
      root,
      dataFolder,
      report: say,
      environment: loop.environment,
      announced: findLocalServices(root) === null,
    }),
  );
  const { client, close } = openClient(stack);
  started.push({ stop: close });
  await endEarlierDeployments(client);
  await trainUnlessThere(client, stack);
  await deployInShadow(client);
  await client.deployments.setMode(names.policy, 'live');
  say(
    `\nLive. A crowd of ${flags.crowd.peak} times ${flags.rate} requests/s comes in ${flags.crowd.settleMinutes} min …`,
  );
  const trials: CrowdMeasures[] = [await playCrowd(loop, 'policy', flags.crowd, stopped.signal)];
  await stopDeployment(client, names.policy);
  // The HPA begins with the same replicas, and without a memory of the first crowd.
  say('The same crowd for the calibrated HPA, in a deployment of its own …');
  await loop.resetReplicas();
  await client.deployments.open({ ...deploymentSpec, name: names.hpa, mode: 'live' });
  await untilStatus(client, names.hpa, ({ status }) => status === 'running');
  await client.deployments.fallBack(names.hpa, 'The same crowd for the calibrated HPA.');
  trials.push(await playCrowd(loop, 'HPA, calibrated', flags.crowd, stopped.signal));
  say(`\n${crowdTable(trials)}\n`);
  await report(client);
  if (flags.json) process.stdout.write(`${JSON.stringify({ trials })}\n`);
  if (flags.stay) {
    say('Everything stays up. Stop it with Ctrl-C.');
    await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
  }
  await stopDeployment(client, names.hpa);
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

async function bringUpCluster(): Promise<ClosedLoop> {
  const programs = await obtainKubernetes({ report: say });
  const { prometheus } = await obtainPrometheus({ report: say });
  const clusterFolder = join(dataFolder, 'cluster');
  await cleanUpLeftovers(join(clusterFolder, 'records'));
  // The cluster is new each time; what was trained stays.
  rmSync(clusterFolder, { recursive: true, force: true });
  say('Starting a Kubernetes control plane …');
  const cluster: KubernetesCluster = remember(await startKubernetesCluster({ programs, dataFolder: clusterFolder }));
  const nodeNames = Array.from({ length: nodes.count }, (_, i) => `node-${i + 1}`);
  await addNodes(cluster, nodeNames, nodes.shape);
  say(`Kubernetes: KUBECONFIG=${cluster.kubeconfig}`);
  const manifests = applicationManifests(onlineBoutiqueApplication, {
    namespace,
    image: 'busybox:1.37',
    replicasFor: flags.rate,
    disruptionBudgets: false,
    speed: 1,
  });
  const loop = remember(
    await startClosedLoop({
      kubeconfig: cluster.kubeconfig,
      prometheus,
      manifests: manifests as unknown as KubernetesObject[],
      namespace,
      dataFolder: clusterFolder,
      scrapeSeconds: 5,
      twin: ['--rate', String(flags.rate)],
    }),
  );
  say(`Prometheus: ${loop.prometheus.url}\n`);
  return loop;
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
  await client.deployments.open({ ...deploymentSpec, name: names.policy, mode: 'shadow' });
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
      problems.length === 0 ? [] : [`${problems.length} sentences about what Prometheus does not know yet`];
    say(`  step ${step}, ${actor}: ${[...changes, ...incomplete].join(', ') || 'no change'}`);
  }
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

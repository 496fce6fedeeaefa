import type { KubernetesObject } from '@kubernetes/client-node';
import { startClosedLoop } from '../../scripts/closed-loop/closed-loop.ts';
import { programsOrSkip } from '../../scripts/local-services/programs-or-skip.ts';
import { kubernetesOrSkip, startTestCluster } from '../../scripts/local-services/test-cluster.ts';
import { removeTestData, testDataFolder } from '../../scripts/local-services/test-data.ts';
import { testServices, uniqueName } from '../../scripts/local-services/test-services.ts';
import { createClusterActor } from '../../src/cluster/kubernetes/cluster-actor.ts';
import { createClusterReader } from '../../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../../src/cluster/kubernetes/kubernetes-client.ts';
import { createPrometheusClient } from '../../src/cluster/prometheus/prometheus-client.ts';
import { loadMetricNames } from '../../src/cluster/workload-metrics/load-metric-names.ts';
import { createSnapshotReader } from '../../src/cluster/workload-metrics/snapshot-reader.ts';
import type { DeploymentRecord } from '../../src/contracts/control.ts';
import { runControlStep } from '../../src/control/control-step.ts';
import type { ControlStepPorts } from '../../src/control/control-step.ts';
import { liveDeployment } from '../../src/control/live-deployment.ts';
import { firstState } from '../../src/domain/control/fallback-rules.ts';
import { onlineBoutiqueApplication } from '../../src/rl/environments/online-boutique/online-boutique-application.ts';
import { createOnlineBoutique } from '../../src/rl/environments/online-boutique/online-boutique.ts';
import type { AgentSetup } from '../../src/rl/algorithm.ts';
import { ppo } from '../../src/rl/algorithms/ppo.ts';
import { policyModel } from '../../src/rl/policy-export.ts';
import { Generator } from '../../src/rl/random.ts';
import { parseDeploymentSpec } from '../../src/spec/deployment-spec.ts';
import { createMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { applicationManifests } from '../../src/twin-load/application-manifests.ts';
import { createPolicyProcesses } from '../../workers/policy/policy-processes.ts';
import { millisecondsEach } from '../figure.ts';
import type { Figure } from '../figure.ts';

const namespace = 'shop';
const rate = 120;
const repetitions = 40;

/**
 * One control step of eleven services on a real control plane, Prometheus and store, with the policy in its process: observe,
 * decide, guard, act, verify and record, without the wait for the next one and without Temporal.
 */
export const controlStep: Figure = {
  name: 'control_step_ms',
  unit: 'ms',
  async unavailable() {
    return (await kubernetesOrSkip()).skip || (await programsOrSkip('prometheus')).skip || null;
  },
  async measure() {
    const folder = testDataFolder();
    const cluster = await startTestCluster({ nodes: 4 });
    const services = await testServices();
    const options = { namespace, image: 'none', replicasFor: rate, disruptionBudgets: false, speed: 1 };
    const loop = await startClosedLoop({
      kubeconfig: cluster.kubeconfig,
      prometheus: (await programsOrSkip('prometheus')).programs!.prometheus,
      manifests: applicationManifests(onlineBoutiqueApplication, options) as unknown as KubernetesObject[],
      namespace,
      dataFolder: folder,
      twin: ['--rate', String(rate)],
    });
    const store = createMongoStore({ url: services.mongoUrl, database: uniqueName('bench') });
    const kubernetes = createKubernetesClient({
      kubeconfig: cluster.kubeconfig,
      context: null,
      namespaces: [namespace],
    });
    const onnx = await untrainedPolicy();
    const policies = createPolicyProcesses({ environment: { PATH: process.env.PATH ?? '' }, load: async () => onnx });
    try {
      await store.migrate();
      return await measureSteps({
        store: store.control,
        reader: createClusterReader(kubernetes),
        actor: createClusterActor(kubernetes),
        snapshots: createSnapshotReader(createPrometheusClient({ url: loop.prometheus.url }), loadMetricNames(null)),
        policies,
        now: () => new Date(),
      });
    } finally {
      await policies.release(record.name);
      await store.close();
      await loop.stop();
      await services.stop();
      await cluster.stop();
      await removeTestData(folder);
    }
  },
};

const spec = parseDeploymentSpec({
  version: 1,
  name: 'bench',
  model: { name: 'untrained', version: 1 },
  target: { namespace },
  mode: 'live',
  guard: { limits: { coolDownDownSeconds: 0 } },
  metrics: { windowSeconds: 15 },
});

const record: DeploymentRecord = {
  name: 'bench',
  spec,
  status: 'running',
  model: { name: 'untrained', version: 1 },
  policy: { sha256: '0'.repeat(64), bytes: 1 },
  environment: { name: 'online-boutique', parameters: {} },
  twin: null,
  hpaTargetPercent: 60,
  services: onlineBoutiqueApplication.services.map(({ name, minReplicas, maxReplicas }) => ({
    service: name,
    workload: `${namespace}/${name}`,
    kind: 'Deployment',
    limits: { minReplicas, maxReplicas, maxStepUp: 7, maxStepDown: 7, coolDownUpSeconds: 0, coolDownDownSeconds: 0 },
  })),
  pausedOwners: [],
  openedAt: new Date(0),
  closedAt: null,
  failure: null,
};

/** Steps in which the policy was asked and answered; an untrained one changes several services in each. */
async function measureSteps(ports: ControlStepPorts): Promise<number[]> {
  const live = liveDeployment(record, onlineBoutiqueApplication);
  let state = firstState(record.name, 'live', 0);
  const step = async (): Promise<boolean> => {
    const summary = await runControlStep(ports, live, state, new AbortController().signal);
    state = { ...summary.state, fallback: null, stepsWithoutObservation: 0, budget: [] };
    return summary.actor === 'policy';
  };
  const deadlineMs = Date.now() + 120_000;
  while (!(await step())) {
    if (Date.now() > deadlineMs) throw new Error('No complete observation within two minutes.');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return millisecondsEach(repetitions, 3, async () => {
    if (!(await step())) throw new Error('A step had no complete observation.');
  });
}

/** The weights with which a training begins. */
async function untrainedPolicy(): Promise<Uint8Array> {
  const environment = createOnlineBoutique({ trace: new Float64Array(300).fill(15 * rate) });
  const setup = { environment: environment.description, environments: 1, generator: new Generator(1), device: 'cpu' };
  const agent = await ppo.createAgent(ppo.configure({}, 1), setup as AgentSetup);
  const onnx = policyModel(agent.policy, agent.weights());
  await agent.dispose();
  return onnx;
}

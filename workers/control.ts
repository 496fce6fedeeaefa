import { createCollectActivities } from '../activities/collect.ts';
import { createControlActivities } from '../activities/control.ts';
import type { CollectPorts, ControlPorts } from '../activities/ports.ts';
import { childEnvironment } from '../config/child-environment.ts';
import type { Config, MetricsServer } from '../config/index.ts';
import { createClusterActor } from '../src/cluster/kubernetes/cluster-actor.ts';
import { createClusterReader } from '../src/cluster/kubernetes/cluster-reader.ts';
import { createKubernetesClient } from '../src/cluster/kubernetes/kubernetes-client.ts';
import { createPrometheusClient } from '../src/cluster/prometheus/prometheus-client.ts';
import type { PrometheusClient } from '../src/cluster/prometheus/prometheus-client.ts';
import { createKialiCallGraph } from '../src/cluster/service-graph/call-graph-reader.ts';
import { loadMetricNames } from '../src/cluster/workload-metrics/load-metric-names.ts';
import { createSeriesReader } from '../src/cluster/workload-metrics/series-reader.ts';
import { createSnapshotReader } from '../src/cluster/workload-metrics/snapshot-reader.ts';
import type { CallGraphReader } from '../src/contracts/cluster-metrics.ts';
import { CoxswainError } from '../src/contracts/errors.ts';
import { taskQueues } from '../src/contracts/task-queues.ts';
import { applicationOf } from '../src/rl/twin/application-of.ts';
import { parseDeploymentSpec } from '../src/spec/deployment-spec.ts';
import { createPolicyProcesses } from './policy/policy-processes.ts';
import { episodeSteps } from './spec-against-code.ts';
import { runWorkerProcess } from './worker-process.ts';
import type { WorkerContext } from './worker-process.ts';

/** Steps and recordings wait for their cluster, not for a processor. A recording holds its slot for as long as it takes. */
const slots = 100;

/**
 * The control worker: everything that touches clusters, on the queue `control`. The policies run in processes of their own.
 * Several may run; any of them goes on with any loop.
 */
await runWorkerProcess(async (context) => [
  {
    taskQueue: taskQueues.control,
    activities: activitiesOf(context),
    maxConcurrentActivityTaskExecutions: slots,
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '5s',
  },
]);

function activitiesOf({ config, client, store, artifacts }: WorkerContext) {
  const cluster = createKubernetesClient(config.cluster);
  const reader = createClusterReader(cluster);
  const prometheus = prometheusOf(config);
  const names = loadMetricNames(config.metrics.namesFile);
  const control: ControlPorts = {
    store,
    reader,
    actor: createClusterActor(cluster),
    snapshots: createSnapshotReader(prometheus, names),
    policies: createPolicyProcesses({ environment: childEnvironment(), load: (policy) => artifacts.get(policy) }),
    readDeployment(input) {
      const spec = parseDeploymentSpec(input);
      allowNamespace(config, spec.target.namespace);
      return spec;
    },
    applicationOf: async (environment, twin) => applicationOf(environment, twin && (await artifacts.get(twin))),
    now: () => new Date(),
  };
  const series = createSeriesReader(prometheus, names);
  const callGraph = callGraphOf(config);
  const collect: CollectPorts = { store, artifacts, client, episodeSteps, series, cluster: reader, callGraph };
  return { ...createControlActivities(control), ...createCollectActivities(collect) };
}

function prometheusOf({ metrics: { prometheus } }: Config): PrometheusClient {
  if (prometheus === null) {
    const message = 'COXSWAIN_PROMETHEUS_URL: found nothing; the control worker needs the address of a Prometheus.';
    throw new CoxswainError('CONFIG_INVALID', message);
  }
  return createPrometheusClient(serverOf(prometheus));
}

function callGraphOf({ metrics: { kiali } }: Config): CallGraphReader | null {
  return kiali === null ? null : createKialiCallGraph(serverOf(kiali));
}

function serverOf({ url, token }: MetricsServer): { url: string; token?: () => string } {
  return token === null ? { url } : { url, token: () => token.latest() };
}

function allowNamespace({ cluster: { namespaces } }: Config, namespace: string): void {
  if (namespaces.includes(namespace)) return;
  const message = `target.namespace: found "${namespace}"; allowed by COXSWAIN_CLUSTER_NAMESPACES of this worker: ${namespaces.join(', ') || 'none'}`;
  throw new CoxswainError('NOT_ALLOWED', message);
}

import type {
  GraphMetrics,
  MetricsSnapshot,
  SnapshotReader,
  SnapshotRequest,
} from '../../../src/contracts/cluster-metrics.ts';
import type { ControlState, DeploymentRecord, DeploymentSpec, StepSummary } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { PolicyAnswer, PolicyProcesses, PolicyQuestion } from '../../../src/contracts/policy-process.ts';
import { runControlStep } from '../../../src/control/control-step.ts';
import { liveDeployment } from '../../../src/control/live-deployment.ts';
import type { LiveDeployment } from '../../../src/control/live-deployment.ts';
import { firstState } from '../../../src/domain/control/fallback-rules.ts';
import type { Application } from '../../../src/rl/environments/online-boutique/application.ts';
import type { GraphApplication } from '../../../src/rl/environments/service-graph/graph-application.ts';
import { FakeCluster } from '../../fakes/fake-cluster.ts';
import { MemoryControlStore } from '../../fakes/memory-control-store.ts';

const service = (name: string) => ({
  name,
  serversPerPod: 2,
  serviceSeconds: 0.02,
  serviceScv: 1,
  networkSeconds: 0.001,
  startupSeconds: 10,
  terminationSeconds: 5,
  cpuRequestMillicores: 200,
  cpuIdleMillicores: 4,
  cpuBusyMillicores: 98,
  minReplicas: 1,
  maxReplicas: 12,
});

/** Two services, one behind the other. */
export const application: Application = {
  services: [service('web'), service('db')],
  requests: [{ name: 'page', weight: 1, call: { service: 'web', calls: [{ service: 'db' }] } }],
};

const graphService = (name: string) => ({
  ...service(name),
  memoryLimitMebibytes: 128,
  memoryIdleMebibytes: 64,
  memoryPerCallMebibytes: 1,
  sidecar: true,
  canaries: false,
});

/** The same two services, and one that comes and goes. */
export const graphApplication: GraphApplication = {
  services: [graphService('web'), graphService('db')],
  requests: application.requests,
  features: [
    {
      name: 'reviews',
      services: [graphService('reviews')],
      calls: [{ requests: ['page'], caller: 'web', call: { service: 'reviews' } }],
    },
  ],
};

export const limits = {
  minReplicas: 1,
  maxReplicas: 8,
  maxStepUp: 3,
  maxStepDown: 2,
  coolDownUpSeconds: 0,
  coolDownDownSeconds: 60,
};

export function deploymentRecord(spec: Partial<DeploymentSpec> = {}): DeploymentRecord {
  const complete: DeploymentSpec = {
    version: 1,
    name: 'shop',
    description: '',
    model: { name: 'shop', version: 'champion' },
    target: { namespace: 'shop', workloads: {}, entry: null },
    mode: 'live',
    intervalSeconds: 15,
    metrics: { dialect: 'istio', windowSeconds: 60 },
    guard: { limits, services: {}, podHours: null, frozen: [], maxObservationAgeSteps: 2 },
    owners: 'refuse',
    fallback: {
      controller: 'own',
      hpaTargetPercent: null,
      errorBudget: { violationShare: 0.05, windowSteps: 5 },
    },
    placement: null,
    ...spec,
  };
  return {
    name: 'shop',
    spec: complete,
    status: 'running',
    model: { name: 'shop', version: 3 },
    policy: { sha256: 'a'.repeat(64), bytes: 1 },
    environment: { name: 'online-boutique', parameters: { actionBase: 'hpa', maxChange: 3 } },
    twin: null,
    hpaTargetPercent: 50,
    services: ['web', 'db'].map((name) => ({ service: name, workload: `shop/${name}`, kind: 'Deployment', limits })),
    pausedOwners: [],
    openedAt: new Date(0),
    closedAt: null,
    failure: null,
  };
}

/** A deployment of a policy on {@link graphApplication}. */
export function graphRecord(spec: Partial<DeploymentSpec> = {}): DeploymentRecord {
  const record = deploymentRecord(spec);
  return {
    ...record,
    environment: { name: 'service-graph', parameters: { nodes: 11, maxChange: 3, podQuota: 20 } },
    services: [
      ...record.services,
      { service: 'reviews', workload: 'shop/reviews', kind: 'Deployment', comesAndGoes: true, limits },
    ],
  };
}

/** A perfect Prometheus of a steady load, with trouble on demand. */
export class FakeMetrics implements SnapshotReader {
  requestsPerSecond = 40;
  violationShare = 0;
  /** CPU of a service together, millicores. */
  cpuMillicores = 200;
  away = false;
  /** Sentences of what is missing; the CPU of the first service then is. */
  missing: string[] = [];
  /** Workloads of which nothing is known yet. */
  readonly unmeasured = new Set<string>();
  /** By how much the newest step lies before the present one, seconds. */
  lagSeconds = 0;

  async read(request: SnapshotRequest): Promise<MetricsSnapshot> {
    if (this.away) throw new CoxswainError('OBSERVATION_UNAVAILABLE', 'Prometheus did not answer.');
    const { stepSeconds, rateSteps, workloads, at } = request;
    const seconds = at.getTime() / 1000 - this.lagSeconds;
    return {
      endSeconds: Math.floor(seconds / stepSeconds) * stepSeconds,
      stepSeconds,
      requestsPerSecond: new Array<number>(rateSteps).fill(this.requestsPerSecond),
      p95Seconds: 0.2,
      violationShare: this.violationShare,
      services: workloads.map((workload, s) => ({
        cpuMillicores:
          (this.missing.length > 0 && s === 0) || this.unmeasured.has(workload) ? null : this.cpuMillicores,
        memoryBytes: null,
        callsPerSecond: this.unmeasured.has(workload) ? null : this.requestsPerSecond,
        errorRate: 0,
        meanSeconds: 0.05,
        ownSeconds: 0.03,
        p50Seconds: 0.03,
        p95Seconds: 0.1,
        p99Seconds: 0.2,
        receivedBytesPerSecond: null,
        sentBytesPerSecond: null,
      })),
      ...(request.graph ? { graph: this.graphOf(workloads) } : {}),
      missing: this.missing,
    };
  }

  /** The first workload calls all others. */
  private graphOf(workloads: readonly string[]): GraphMetrics {
    const callsPerSecond = this.requestsPerSecond;
    return {
      edges: workloads
        .map((_, target) => ({ source: 0, target, callsPerSecond, p95Seconds: 0.1, errorRate: 0, mutualTlsShare: 1 }))
        .slice(1),
      podMemoryBytes: workloads.map((workload) => (this.unmeasured.has(workload) ? null : 64 * 2 ** 20)),
    };
  }
}

/** A policy that gives the answer of a function; it also counts its calls in its memory. */
export class FakePolicy implements PolicyProcesses {
  dead = false;
  action: (question: PolicyQuestion) => readonly number[] = ({ mask }) => (mask === null ? [] : [0, 0]);
  asked = 0;

  async ask(question: PolicyQuestion): Promise<PolicyAnswer> {
    if (this.dead) throw new CoxswainError('POLICY_UNAVAILABLE', 'The policy process ended with signal SIGKILL.');
    this.asked++;
    return { action: this.action(question), memory: Float32Array.of((question.memory[0] ?? 0) + 1) };
  }

  async release(): Promise<void> {}
}

/** A control loop on fakes, one step at a time. */
export class ControlBench {
  timeMs = Date.UTC(2026, 10, 2, 12, 0, 7);
  readonly now = (): Date => new Date(this.timeMs);
  readonly cluster: FakeCluster;
  readonly metrics = new FakeMetrics();
  readonly policies = new FakePolicy();
  readonly store = new MemoryControlStore();
  readonly live: LiveDeployment;
  state: ControlState;

  constructor(spec: Partial<DeploymentSpec> = {}, live = liveDeployment(deploymentRecord(spec), application)) {
    this.live = live;
    const workloads = live.record.services.map(({ workload }) => workload);
    this.cluster = new FakeCluster(workloads, this.now);
    this.state = firstState('shop', spec.mode ?? 'live', 0);
  }

  get ports() {
    const { store, cluster, metrics, policies, now } = this;
    return { store, reader: cluster, actor: cluster, snapshots: metrics, policies, now };
  }

  /** The same step again, as another attempt of the activity would. */
  attempt(): Promise<StepSummary> {
    return runControlStep(this.ports, this.live, this.state, new AbortController().signal);
  }

  /** A step, and the time of the next one. */
  async step(): Promise<StepSummary> {
    const summary = await this.attempt();
    this.state = summary.state;
    this.timeMs += 15_000;
    return summary;
  }

  async steps(count: number): Promise<StepSummary[]> {
    const summaries: StepSummary[] = [];
    for (let i = 0; i < count; i++) summaries.push(await this.step());
    return summaries;
  }

  replicas(): number[] {
    return [...this.cluster.workloads.values()].map(({ replicas }) => replicas);
  }
}

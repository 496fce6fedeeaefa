import type {
  ClusterActor,
  ClusterGap,
  ClusterReader,
  ClusterState,
  ClusterWorkload,
  NodeState,
  PausedOwner,
  PodState,
  ReplicaOwner,
  ScaleRequest,
  ScaleResult,
} from '../../src/contracts/cluster.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';

/** A workload of the fake cluster; tests change it at will. */
export interface FakeWorkload {
  replicas: number;
  owner: ReplicaOwner | null;
  disruptionsAllowed: number | null;
  scaledAt: Date | null;
  /** CPU of each pod by the metrics API; null = it is not served. */
  podMillicores: number | null;
  /** Node of each pod; absent = all on node-0. */
  nodes?: string[];
  /** Names of the pods; absent = numbered. A pod that is evicted comes again under another name. */
  podNames?: string[];
  /** Pods that are not ready, of the last ones. */
  unready?: number;
  /** What `placeOn` was told. */
  placedOn?: readonly string[] | null;
  rollingOut?: boolean;
}

/** A cluster of Deployments whose pods are ready at once, with trouble on demand. Notes what is done to it. */
export class FakeCluster implements ClusterReader, ClusterActor {
  readonly workloads = new Map<string, FakeWorkload>();
  readonly scaled: ScaleRequest[] = [];
  readonly autoscalers = new Set<string>();
  readonly warnings: string[] = [];
  readonly paused: string[] = [];
  /** `workload on nodes` */
  readonly placements: string[] = [];
  /** Pods and the nodes that they left. */
  readonly evicted: { readonly workload: string; readonly pod: string; readonly node: string }[] = [];
  /** Nodes by name. */
  readonly nodes = new Map<string, Pick<NodeState, 'ready' | 'unschedulable'>>([
    ['node-0', { ready: true, unschedulable: false }],
  ]);
  /** Answers of the next evictions; then they succeed. */
  readonly evictionAnswers: ('budget' | 'gone' | Error)[] = [];
  /** Runs before each change of the placement. */
  beforePlacement: (workload: string) => void = () => {};
  podsLeft: Record<string, number> = {};
  gaps: readonly ClusterGap[] = [];
  /** The API server does not answer. */
  away = false;
  /** Runs before each change of replicas, as somebody else might act. */
  beforeScale: (request: ScaleRequest) => void = () => {};
  now: () => Date;

  constructor(workloads: readonly string[], now: () => Date, replicas = 2) {
    this.now = now;
    for (const name of workloads) {
      this.workloads.set(name, {
        replicas,
        owner: null,
        disruptionsAllowed: null,
        scaledAt: null,
        podMillicores: null,
      });
    }
  }

  async read(): Promise<ClusterState> {
    this.answer();
    const entries = [...this.workloads];
    return {
      at: this.now(),
      nodes: [...this.nodes].map(([name, node]) => ({
        name,
        ...node,
        allocatableMillicores: 16_000,
        allocatableBytes: 2 ** 34,
        allocatablePods: 110,
        labels: { 'kubernetes.io/hostname': `host-of-${name}` },
      })),
      workloads: entries.map(([name, workload]) => stateOf(name, workload)),
      pods: entries.flatMap(([name, workload]) => podsOf(name, workload)),
      podsLeft: this.podsLeft,
      events: [],
      gaps: this.gaps,
    };
  }

  async scale(request: ScaleRequest): Promise<ScaleResult> {
    const { workload, from, to } = request;
    if (this.away) return { workload, outcome: 'failed', replicas: null, detail: 'the API server is away' };
    this.beforeScale(request);
    const found = this.workloads.get(workload);
    if (found === undefined) return { workload, outcome: 'gone', replicas: null, detail: 'it is gone' };
    if (found.replicas === to) return { workload, outcome: 'already', replicas: to, detail: 'it stood there' };
    if (found.replicas !== from) {
      return { workload, outcome: 'moved', replicas: found.replicas, detail: `it stands at ${found.replicas}` };
    }
    found.replicas = to;
    this.scaled.push(request);
    return { workload, outcome: 'scaled', replicas: to, detail: '' };
  }

  async pauseOwner(workload: string): Promise<PausedOwner | null> {
    this.answer();
    const found = this.workloads.get(workload);
    const owner = found?.owner ?? null;
    if (found === undefined || owner === null) return null;
    if (!owner.pausable || owner.kind === 'field-manager' || owner.kind === 'unknown') {
      throw new CoxswainError('WORKLOAD_OWNED', `${workload} is scaled by ${owner.name}`);
    }
    this.paused.push(workload);
    found.owner = null;
    return { workload, kind: owner.kind, name: owner.name };
  }

  async resumeOwner({ workload, kind, name }: PausedOwner): Promise<void> {
    this.answer();
    const found = this.workloads.get(workload);
    if (found !== undefined) found.owner = { kind, name, pausable: true };
  }

  async putAutoscaler({ workload }: { workload: string }): Promise<void> {
    this.answer();
    this.autoscalers.add(workload);
  }

  async removeAutoscaler(workload: string): Promise<void> {
    this.answer();
    this.autoscalers.delete(workload);
  }

  async placeOn(workload: string, _kind: string, nodes: readonly string[] | null): Promise<'placed' | 'gone'> {
    this.answer();
    this.beforePlacement(workload);
    const found = this.workloads.get(workload);
    if (found === undefined) return 'gone';
    this.placements.push(`${workload} on ${nodes?.join(', ') ?? 'any'}`);
    found.placedOn = nodes;
    return 'placed';
  }

  async evict({ namespace, name, uid }: { namespace: string; name: string; uid?: string }) {
    this.answer();
    const found = this.podNamed(namespace, name);
    if (found !== null) this.beforePlacement(found.workload);
    const answer = this.evictionAnswers.shift();
    if (answer instanceof Error) throw answer;
    if (answer !== undefined) return answer;
    if (found === null || (uid !== undefined && uid !== found.uid)) return 'gone';
    const { workload, index, node } = found;
    this.evicted.push({ workload, pod: name, node });
    const state = this.workloads.get(workload)!;
    const open = [...this.nodes].filter(([, { ready, unschedulable }]) => ready && !unschedulable);
    state.podNames = podsOf(workload, state).map((pod, i) => (i === index ? `${pod.name}x` : pod.name));
    state.nodes = podsOf(workload, state).map((pod, i) => (i === index ? (open[0]?.[0] ?? node) : pod.node!));
    return 'evicted' as const;
  }

  private podNamed(namespace: string, name: string) {
    for (const [workload, state] of this.workloads) {
      const pods = podsOf(workload, state);
      const index = pods.findIndex((pod) => pod.namespace === namespace && pod.name === name);
      if (index >= 0) return { workload, index, node: pods[index].node!, uid: pods[index].uid };
    }
    return null;
  }

  async warn(_workload: string, _kind: string, reason: string, message: string): Promise<void> {
    this.warnings.push(`${reason}: ${message}`);
  }

  private answer(): void {
    if (this.away) throw new CoxswainError('CLUSTER_UNAVAILABLE', 'The API server does not answer.');
  }
}

function stateOf(workload: string, found: FakeWorkload): ClusterWorkload {
  const { replicas, owner, disruptionsAllowed, scaledAt, unready = 0, placedOn = null, rollingOut = false } = found;
  return {
    workload,
    kind: 'Deployment',
    uid: workload,
    resourceVersion: String(replicas),
    replicas,
    readyReplicas: replicas - unready,
    cpuRequestMillicores: 200,
    cpuLimitMillicores: null,
    memoryRequestBytes: null,
    memoryLimitBytes: null,
    owner,
    autoscaler: null,
    disruptionsAllowed,
    scaledAt,
    placedOnHosts: placedOn?.map((node) => `host-of-${node}`) ?? null,
    rollingOut,
  };
}

function podsOf(workload: string, state: FakeWorkload): PodState[] {
  const { replicas, podMillicores, nodes = [], podNames = [], unready = 0 } = state;
  const names = Array.from({ length: replicas }, (_, i) => podNames[i] ?? `${workload.split('/')[1]}-${i}`);
  return names.map((name, i) => ({
    name,
    namespace: workload.split('/')[0],
    uid: `uid-of-${name}`,
    workload,
    node: nodes[i] ?? 'node-0',
    phase: 'Running',
    ready: i < replicas - unready,
    terminating: false,
    createdAt: new Date(0),
    readyAt: new Date(0),
    cpuMillicores: podMillicores,
    memoryBytes: null,
  }));
}

import type {
  ClusterActor,
  ClusterGap,
  ClusterReader,
  ClusterState,
  ClusterWorkload,
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
}

/** A cluster of Deployments whose pods are ready at once, with trouble on demand. Notes what is done to it. */
export class FakeCluster implements ClusterReader, ClusterActor {
  readonly workloads = new Map<string, FakeWorkload>();
  readonly scaled: ScaleRequest[] = [];
  readonly autoscalers = new Set<string>();
  readonly warnings: string[] = [];
  readonly paused: string[] = [];
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
      nodes: [],
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

  async placeOn(): Promise<void> {
    this.answer();
  }

  async evict(): Promise<'evicted'> {
    this.answer();
    return 'evicted';
  }

  async warn(_workload: string, _kind: string, reason: string, message: string): Promise<void> {
    this.warnings.push(`${reason}: ${message}`);
  }

  private answer(): void {
    if (this.away) throw new CoxswainError('CLUSTER_UNAVAILABLE', 'The API server does not answer.');
  }
}

function stateOf(workload: string, found: FakeWorkload): ClusterWorkload {
  const { replicas, owner, disruptionsAllowed, scaledAt } = found;
  return {
    workload,
    kind: 'Deployment',
    uid: workload,
    resourceVersion: String(replicas),
    replicas,
    readyReplicas: replicas,
    cpuRequestMillicores: 200,
    cpuLimitMillicores: null,
    memoryRequestBytes: null,
    memoryLimitBytes: null,
    owner,
    autoscaler: null,
    disruptionsAllowed,
    scaledAt,
  };
}

function podsOf(workload: string, { replicas, podMillicores }: FakeWorkload): PodState[] {
  return Array.from({ length: replicas }, (_, i) => ({
    name: `${workload.split('/')[1]}-${i}`,
    namespace: workload.split('/')[0],
    workload,
    node: 'node-0',
    phase: 'Running',
    ready: true,
    terminating: false,
    createdAt: new Date(0),
    readyAt: new Date(0),
    cpuMillicores: podMillicores,
    memoryBytes: null,
  }));
}

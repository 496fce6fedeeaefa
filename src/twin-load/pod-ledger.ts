import type { ClusterState, ClusterWorkload, PodState, WorkloadName } from '../contracts/cluster.ts';
import { SteppedCounters } from './stepped-counters.ts';

/** Pods that are followed at most: bounds the series. */
export const maxPods = 5_000;

/** Counters of a pod. */
export const POD_COUNTER = { cpuSeconds: 0, receivedBytes: 1, sentBytes: 2, width: 3 } as const;

/** A pod of the cluster, and what the twin plays on it. */
export interface LedgerPod {
  /** As the cluster last told. */
  state: PodState;
  /** Service of the application that it belongs to; null = none. */
  readonly service: number | null;
  /** When it was created by the clock of this machine, as near as can be told; milliseconds since 1970. */
  readonly bornAtMs: number;
  /** When it began to serve; null while it does not. */
  servingSinceMs: number | null;
  /** From 0 on; they vanish with the pod. See {@link POD_COUNTER}. */
  readonly counters: SteppedCounters;
  memoryBytes: number;
  /** Mean CPU over the present step. */
  cpuMillicores: number;
}

/** How pods of the application become ready. */
export interface StartupOptions {
  readonly namespace: string;
  /** Of the application, in its order, with their start-up delays. */
  readonly services: readonly { readonly name: string; readonly startupSeconds: number }[];
  /** Play the start-up delay; else a pod serves as soon as the cluster says that it is ready. */
  readonly playStartup: boolean;
  /** Simulated seconds a second. */
  readonly speed: number;
}

/**
 * The pods that a cluster has, as last read, and which of them serve.
 *
 * 1. A pod serves when the cluster says that it is ready and does not end, and its start-up delay is over.
 * 2. Its age when it is first seen is that by the API server's clock, and no more than the time since the reading before,
 *    which did not have it. From then on this machine's clock counts.
 * 3. A pod that comes again under its name (StatefulSets) is another pod.
 */
export class PodLedger {
  readonly #options: StartupOptions;
  readonly #services: ReadonlyMap<WorkloadName, number>;
  #pods = new Map<string, LedgerPod>();
  #workloads: readonly ClusterWorkload[] = [];
  #lastReadMs: number | null = null;
  #ignored = 0;
  /** Pods of each service that serve. */
  readonly serving: Int32Array;
  /** Pods of each service that there are. */
  readonly existing: Int32Array;

  constructor(options: StartupOptions) {
    this.#options = options;
    this.#services = new Map(options.services.map(({ name }, index) => [`${options.namespace}/${name}`, index]));
    this.serving = new Int32Array(options.services.length);
    this.existing = new Int32Array(options.services.length);
  }

  get pods(): Iterable<LedgerPod> {
    return this.#pods.values();
  }

  get workloads(): readonly ClusterWorkload[] {
    return this.#workloads;
  }

  /** Pods that were left out because there are more than {@link maxPods}. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Workload of a service of the application, when the cluster has it. */
  workloadOf(service: number): ClusterWorkload | undefined {
    const name = `${this.#options.namespace}/${this.#options.services[service].name}`;
    return this.#workloads.find(({ workload }) => workload === name);
  }

  /** Takes over what the cluster says. @param nowMs since 1970. */
  read({ at, workloads, pods }: ClusterState, nowMs: number): void {
    const { namespace } = this.#options;
    const present = new Map<string, LedgerPod>();
    const ours = pods.filter((pod) => pod.namespace === namespace);
    for (const state of ours.slice(0, maxPods)) {
      const known = this.#pods.get(state.name);
      const isSame = known?.state.createdAt.getTime() === state.createdAt.getTime();
      const pod = isSame ? known! : this.#welcome(state, nowMs, at);
      pod.state = state;
      present.set(state.name, pod);
    }
    this.#ignored = ours.length - present.size;
    this.#pods = present;
    this.#workloads = workloads.filter(({ workload }) => workload.startsWith(`${namespace}/`));
    this.#lastReadMs = nowMs;
  }

  /** Says who serves at this moment. */
  refresh(nowMs: number): void {
    this.serving.fill(0);
    this.existing.fill(0);
    for (const pod of this.#pods.values()) {
      const serves = this.#serves(pod, nowMs);
      if (!serves) pod.servingSinceMs = null;
      else pod.servingSinceMs ??= nowMs;
      if (pod.service === null) continue;
      this.existing[pod.service]++;
      if (serves) this.serving[pod.service]++;
    }
  }

  #welcome(state: PodState, nowMs: number, at: Date): LedgerPod {
    const ageMs = Math.max(0, at.getTime() - state.createdAt.getTime());
    const mostMs = this.#lastReadMs === null ? Infinity : nowMs - this.#lastReadMs;
    return {
      state,
      service: (state.workload === null ? undefined : this.#services.get(state.workload)) ?? null,
      bornAtMs: nowMs - Math.min(ageMs, mostMs),
      servingSinceMs: null,
      counters: new SteppedCounters(POD_COUNTER.width),
      memoryBytes: 0,
      cpuMillicores: 0,
    };
  }

  #serves({ state, service, bornAtMs }: LedgerPod, nowMs: number): boolean {
    if (!state.ready || state.terminating || state.phase !== 'Running') return false;
    const { playStartup, services, speed } = this.#options;
    if (!playStartup || service === null) return true;
    return (nowMs - bornAtMs) * speed >= services[service].startupSeconds * 1000;
  }
}

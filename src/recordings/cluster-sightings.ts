import type { ClusterState, PodState, WorkloadName } from '../contracts/cluster.ts';
import type { RecordedService } from '../contracts/cluster-metrics.ts';
import type { BinRange } from '../contracts/stores.ts';
import { startOf } from './recording-plan.ts';
import type { RecordingPlan } from './recording-plan.ts';

/** Pods that were created at most so long before the recording tell how long pods take to start. */
const pastSeconds = 3600;

/** What is the same over a whole recording. */
export type WorkloadFacts = Omit<RecordedService, 'series'>;

/** What the API server told while it was recorded: replicas bin by bin, and what Prometheus does not know. */
export class ClusterSightings {
  readonly #plan: RecordingPlan;
  readonly #replicas = new Map<WorkloadName, Map<number, { replicas: number; readyReplicas: number }>>();
  readonly #facts = new Map<WorkloadName, Omit<WorkloadFacts, 'startupSeconds'>>();
  /** By the pod's name: when it became ready, and after how long. */
  readonly #startups = new Map<string, { workload: WorkloadName; readySeconds: number; seconds: number }>();

  constructor(plan: RecordingPlan) {
    this.#plan = plan;
  }

  get workloads(): WorkloadName[] {
    return [...this.#facts.keys()];
  }

  /** @param bins that it is true of; null = of none of the recording. */
  add({ workloads, pods }: Pick<ClusterState, 'workloads' | 'pods'>, bins: BinRange | null): void {
    for (const { workload, replicas, readyReplicas, autoscaler, ...others } of workloads) {
      const { cpuRequestMillicores, cpuLimitMillicores, memoryRequestBytes, memoryLimitBytes } = others;
      this.#facts.set(workload, {
        workload,
        ...{ cpuRequestMillicores, cpuLimitMillicores, memoryRequestBytes, memoryLimitBytes },
        minReplicas: autoscaler?.minReplicas ?? null,
        maxReplicas: autoscaler?.maxReplicas ?? null,
      });
      const seen = this.#replicas.get(workload) ?? new Map<number, { replicas: number; readyReplicas: number }>();
      this.#replicas.set(workload, seen);
      for (let bin = bins?.from ?? 0; bin < (bins?.to ?? 0); bin++) seen.set(bin, { replicas, readyReplicas });
    }
    for (const pod of pods) this.#addStartup(pod);
  }

  /** Replicas that were seen in a bin. */
  replicas(workload: WorkloadName, bin: number): { replicas: number; readyReplicas: number } | undefined {
    return this.#replicas.get(workload)?.get(bin);
  }

  /**
   * What is known of a workload; its start-ups are those of the chunk in which a pod became ready. What was before
   * belongs to the first chunk, what comes after to the last.
   */
  facts(workload: WorkloadName, chunk: BinRange): WorkloadFacts {
    const from = chunk.from === 0 ? -Infinity : startOf(chunk.from, this.#plan);
    const to = chunk.to === this.#plan.bins ? Infinity : startOf(chunk.to, this.#plan);
    const startups = [...this.#startups.values()].filter(
      (startup) => startup.workload === workload && startup.readySeconds >= from && startup.readySeconds < to,
    );
    return {
      ...(this.#facts.get(workload) ?? unknownFacts(workload)),
      startupSeconds: startups.map(({ seconds }) => seconds).sort((a, b) => a - b),
    };
  }

  /** The first readiness counts: a pod may lose it and find it again. */
  #addStartup({ namespace, name, workload, createdAt, readyAt }: PodState): void {
    const key = `${namespace}/${name}`;
    if (workload === null || readyAt === null || this.#startups.has(key)) return;
    if (createdAt.getTime() / 1000 < this.#plan.startSeconds - pastSeconds) return;
    const seconds = Math.max(0, (readyAt.getTime() - createdAt.getTime()) / 1000);
    this.#startups.set(key, { workload, readySeconds: readyAt.getTime() / 1000, seconds });
  }
}

function unknownFacts(workload: WorkloadName): Omit<WorkloadFacts, 'startupSeconds'> {
  return {
    workload,
    ...{ cpuRequestMillicores: null, cpuLimitMillicores: null, memoryRequestBytes: null, memoryLimitBytes: null },
    ...{ minReplicas: null, maxReplicas: null },
  };
}

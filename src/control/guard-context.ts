import type { ClusterState, ClusterWorkload } from '../contracts/cluster.ts';
import type { ControlledService, ControlMemory } from '../contracts/control.ts';
import type { GuardContext } from '../domain/guard/guard.ts';

/** A {@link GuardContext} as JSON. */
export interface StoredGuardContext extends Omit<GuardContext, 'at' | 'workloads'> {
  readonly at: string;
  readonly workloads: readonly (Omit<GuardContext['workloads'][number], 'changedAt'> & {
    readonly changedAt: string | null;
  })[];
}

export function storedGuardContext(context: GuardContext): StoredGuardContext {
  return {
    ...context,
    at: context.at.toISOString(),
    workloads: context.workloads.map((workload) => ({
      ...workload,
      changedAt: workload.changedAt?.toISOString() ?? null,
    })),
  };
}

export function guardContextOf(stored: StoredGuardContext): GuardContext {
  return {
    ...stored,
    at: new Date(stored.at),
    workloads: stored.workloads.map((workload) => ({
      ...workload,
      changedAt: workload.changedAt === null ? null : new Date(workload.changedAt),
    })),
  };
}

/** What the guard must know, from the cluster and from what was seen before. */
export function readGuardContext(
  cluster: ClusterState,
  services: readonly ControlledService[],
  memory: ControlMemory,
  step: {
    readonly at: Date;
    readonly stepSeconds: number;
    readonly observationAgeSteps: number;
    readonly windowHours: number;
  },
): GuardContext {
  const workloads = services.flatMap(({ workload }, s) => {
    const found = workloadNamed(cluster, workload);
    if (found === undefined) return [];
    const { replicas, disruptionsAllowed, owner } = found;
    const changedAt = memory.seen[s]?.changedAt ?? null;
    return [
      {
        workload,
        replicas,
        changedAt: changedAt === null ? found.scaledAt : new Date(changedAt),
        disruptionsAllowed,
        owner: owner === null ? null : `${owner.kind} ${owner.name}`,
      },
    ];
  });
  const { at, stepSeconds, observationAgeSteps, windowHours } = step;
  return {
    at,
    stepSeconds,
    observationAgeSteps,
    workloads,
    podsLeft: cluster.podsLeft,
    podHoursUsed: podHoursUsed(memory.podHours, at, windowHours),
  };
}

/** The workload of a name in a cluster's state. */
export function workloadNamed({ workloads }: ClusterState, name: string): ClusterWorkload | undefined {
  return workloads.find(({ workload }) => workload === name);
}

const hourMs = 3_600_000;

/** Pod-hours of the window's hours, the present one included. */
export function podHoursUsed(podHours: ControlMemory['podHours'], at: Date, windowHours: number): number {
  const since = Math.floor(at.getTime() / hourMs) - windowHours;
  return podHours.filter(({ hour }) => hour > since).reduce((sum, { used }) => sum + used, 0);
}

/** What was seen of the replicas, brought up to date: a count that is another than before was changed in between, by whomever. */
export function noteSeen(
  seen: ControlMemory['seen'],
  replicas: readonly (number | null)[],
  at: Date,
): ControlMemory['seen'] {
  return replicas.map((count, s) => {
    const before = seen[s] ?? null;
    if (count === null || before?.replicas === count) return before;
    return { replicas: count, changedAt: before === null ? null : at.toISOString() };
  });
}

/** The pod-hours of the window, with those that the pods of this step will have used at its end. */
export function addPodHours(
  podHours: ControlMemory['podHours'],
  pods: number,
  step: { readonly at: Date; readonly stepSeconds: number; readonly windowHours: number },
): ControlMemory['podHours'] {
  const { at, stepSeconds, windowHours } = step;
  const hour = Math.floor(at.getTime() / hourMs);
  const kept = podHours.filter((entry) => entry.hour > hour - windowHours && entry.hour < hour);
  const present = podHours.find((entry) => entry.hour === hour)?.used ?? 0;
  return [...kept, { hour, used: present + (pods * stepSeconds) / 3600 }];
}

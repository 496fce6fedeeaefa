import type { ClusterReader, ClusterState, PodState } from '../contracts/cluster.ts';
import type { MetricsSnapshot, SnapshotReader } from '../contracts/cluster-metrics.ts';
import type {
  ControlObservation,
  ControlledService,
  DeploymentRecord,
  ObservedWorkload,
} from '../contracts/control.ts';
import { CoxswainError } from '../contracts/errors.ts';
import { resourceOf } from './cluster-gaps.ts';
import { workloadNamed } from './guard-context.ts';
import type { LiveDeployment } from './live-deployment.ts';

/** What a step read. */
export interface StepObservation {
  /** Null when it could not be read. */
  readonly cluster: ClusterState | null;
  /** Null when the cluster could not be read. */
  readonly observation: ControlObservation | null;
  readonly problems: readonly string[];
}

/**
 * Reads cluster and metrics at the same time. What cannot be read within `limitMs` is a problem, not an error.
 * @throws what `signal` was aborted with.
 */
export async function observeStep(
  ports: { readonly reader: ClusterReader; readonly snapshots: SnapshotReader },
  { record, scaling }: LiveDeployment,
  at: Date,
  limitMs: number,
  signal: AbortSignal,
): Promise<StepObservation> {
  const { spec, services } = record;
  const within = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const problems: string[] = [];
  const attempt = async <T>(what: string, read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      signal.throwIfAborted();
      const known = error instanceof CoxswainError;
      const reason = within.aborted ? `no answer within ${limitMs} ms` : String(error);
      problems.push(`${what}: ${known ? `${error.code}: ${error.message}` : reason}`);
      return null;
    }
  };
  const entry = services.find(({ service }) => service === spec.target.entry) ?? services[0];
  const [cluster, metrics] = await Promise.all([
    attempt('cluster', () => ports.reader.read({ namespaces: [spec.target.namespace], usage: true }, within)),
    attempt('metrics', () =>
      ports.snapshots.read(
        {
          workloads: services.map(({ workload }) => workload),
          entry: entry.workload,
          dialect: spec.metrics.dialect,
          stepSeconds: spec.intervalSeconds,
          rateSteps: scaling.rateSteps,
          windowSeconds: spec.metrics.windowSeconds,
          sloSeconds: scaling.sloSeconds,
          graph: scaling.seesCalls,
          comingAndGoing: services.filter(({ comesAndGoes }) => comesAndGoes).map(({ workload }) => workload),
          at,
        },
        within,
      ),
    ),
  ]);
  if (cluster === null) return { cluster, observation: null, problems };
  const { fresh, problem } = freshMetrics(metrics, record, at);
  if (problem !== null) problems.push(problem);
  const measuredSince = fresh === null ? null : new Date((fresh.endSeconds - fresh.stepSeconds) * 1000);
  return {
    cluster,
    observation: {
      metrics: fresh,
      workloads: services.map((service) => observedWorkload(cluster, service, measuredSince)),
    },
    problems: [...problems, ...gapsForGuard(cluster), ...(fresh?.missing ?? [])],
  };
}

/**
 * What could not be read and makes the guard assume the worse. Nodes are of no use for replicas, and what the metrics API
 * says only stands in for Prometheus.
 */
function gapsForGuard({ gaps }: ClusterState): string[] {
  const unused = ['nodes', 'pods.metrics.k8s.io'];
  return gaps
    .filter((gap) => !unused.includes(resourceOf(gap)))
    .map(({ code, reason }) => `cluster, in part: ${code}: ${reason}`);
}

/** Metrics that are too old, or from the future of this clock, are none. */
function freshMetrics(
  metrics: MetricsSnapshot | null,
  { spec }: DeploymentRecord,
  at: Date,
): { fresh: MetricsSnapshot | null; problem: string | null } {
  if (metrics === null) return { fresh: null, problem: null };
  const ageSteps = ageOf(metrics, at);
  const { maxObservationAgeSteps } = spec.guard;
  if (ageSteps < 0) {
    const seconds = Math.round(metrics.endSeconds - at.getTime() / 1000);
    return { fresh: null, problem: `metrics: they end ${seconds} s in the future; check the clocks.` };
  }
  if (ageSteps <= maxObservationAgeSteps) return { fresh: metrics, problem: null };
  const problem = `metrics: they are ${ageSteps} steps old; ${maxObservationAgeSteps} are allowed.`;
  return { fresh: null, problem };
}

/** Whole steps between the end of the metrics and a moment. */
export function ageOf({ endSeconds, stepSeconds }: MetricsSnapshot, at: Date): number {
  return Math.floor((at.getTime() / 1000 - endSeconds) / stepSeconds);
}

function observedWorkload(
  cluster: ClusterState,
  { workload }: ControlledService,
  measuredSince: Date | null,
): ObservedWorkload | null {
  const found = workloadNamed(cluster, workload);
  if (found === undefined) return null;
  const all = cluster.pods.filter((pod) => pod.workload === workload);
  const pods = all.filter(({ terminating }) => !terminating);
  const covered = pods.filter((pod) => isCovered(pod, measuredSince));
  return {
    kind: found.kind,
    replicas: found.replicas,
    readyPods: covered.length,
    unreadyPods: pods.length - covered.length,
    startingPods: pods.filter(({ ready }) => !ready).length,
    stoppingPods: all.length - pods.length,
    memoryLimitBytes: found.memoryLimitBytes,
    cpuRequestMillicores: found.cpuRequestMillicores,
    cpuMillicores: usageOf(covered),
  };
}

function isCovered({ ready, readyAt }: PodState, measuredSince: Date | null): boolean {
  return ready && (measuredSince === null || readyAt === null || readyAt <= measuredSince);
}

/** Null when the usage of one of the pods is not known. */
function usageOf(pods: readonly PodState[]): number | null {
  const known = pods.flatMap(({ cpuMillicores }) => (cpuMillicores === null ? [] : [cpuMillicores]));
  return known.length < pods.length || pods.length === 0 ? null : known.reduce((sum, usage) => sum + usage, 0);
}

import type { WorkloadName } from './cluster.ts';

/** Which names the series of a mesh have. */
export type MetricsDialect = 'istio' | 'opentelemetry';

/** What a controller wants to know of its services. */
export interface SnapshotRequest {
  /** In this order in the answer. */
  readonly workloads: readonly WorkloadName[];
  /** Where users' requests come in. */
  readonly entry: WorkloadName;
  readonly dialect: MetricsDialect;
  /** Length of a control step; times are multiples of it. */
  readonly stepSeconds: number;
  /** Steps of request rate wanted, the newest included. */
  readonly rateSteps: number;
  /**
   * Rates of everything else are means over this long, at least four scrape intervals. Where a step is too short to hold
   * two scrapes, its request rate is over half of this.
   */
  readonly windowSeconds: number;
  /** A request slower than this violates the SLO, seconds. */
  readonly sloSeconds: number;
  /** Workloads that come and go: of one without pods that use memory nothing is missing. Default none. */
  readonly comingAndGoing?: readonly WorkloadName[];
  /** Ask for the calls between the workloads as well. Default false. */
  readonly graph?: boolean;
  /** The moment that it is asked at; the answer is about complete steps before it. */
  readonly at: Date;
}

/** The metrics of a step. What is not known is null. Plain JSON. */
export interface MetricsSnapshot {
  /** End of the newest complete step, seconds since 1970. */
  readonly endSeconds: number;
  readonly stepSeconds: number;
  /** Requests/s that users sent in each of the last steps, oldest first; the last one ends at `endSeconds`. */
  readonly requestsPerSecond: readonly (number | null)[];
  /** Of the users' requests; null, and not missing, where there were none. */
  readonly p95Seconds: number | null;
  /**
   * Share of the users' requests slower than the SLO, 0 … 1 (interpolated between the histogram's bounds; an SLO above
   * the last finite bound counts all above that bound); 0 where there were none.
   */
  readonly violationShare: number | null;
  readonly services: readonly ServiceMetrics[];
  /** Absent unless it was asked for. */
  readonly graph?: GraphMetrics;
  /** What is missing, a sentence each; empty when the snapshot is complete. */
  readonly missing: readonly string[];
}

/** What policies on graphs see beside the figures of single services. */
export interface GraphMetrics {
  /** Between the workloads asked for, in the order of source and target. One along which no calls went is not there. */
  readonly edges: readonly CallEdge[];
  /** Memory of a pod of each workload, the mean of those that use any, bytes. */
  readonly podMemoryBytes: readonly (number | null)[];
}

/** HTTP and gRPC calls from one workload to another, both by their places among the workloads asked for. */
export interface CallEdge {
  readonly source: number;
  readonly target: number;
  /** Above 0. */
  readonly callsPerSecond: number;
  /** Until the caller had its answer; where callers tell nothing, as the called side saw it. */
  readonly p95Seconds: number | null;
  /** Share of calls that failed on the server's side, 0 … 1. */
  readonly errorRate: number;
  /** Share of calls under mutual TLS, 0 … 1; null where nobody tells. */
  readonly mutualTlsShare: number | null;
}

/**
 * What a mesh and cAdvisor know of one workload, all of its pods together. A workload with pods that nobody called, while
 * others were, has 0 calls, no errors (0), and no durations: these are null without being missing.
 */
export interface ServiceMetrics {
  readonly cpuMillicores: number | null;
  readonly memoryBytes: number | null;
  /** As its own side counts them; where that is silent, as its callers do. */
  readonly callsPerSecond: number | null;
  /** Share of calls that failed on the server's side, 0 … 1. */
  readonly errorRate: number | null;
  /** Mean time from request to response at the server, the calls that it makes itself included, seconds. */
  readonly meanSeconds: number | null;
  /**
   * The same without the time that it waited for the calls that it made, seconds. Calls at the same time count one after
   * the other, so for a service that makes such it is too small, down to 0.
   */
  readonly ownSeconds: number | null;
  readonly p50Seconds: number | null;
  readonly p95Seconds: number | null;
  readonly p99Seconds: number | null;
  readonly receivedBytesPerSecond: number | null;
  readonly sentBytesPerSecond: number | null;
}

/**
 * Reads snapshots. Port; adapter: src/cluster.
 * OBSERVATION_UNAVAILABLE when the server is not there or too slow, OBSERVATION_REFUSED when it refuses. Series that are
 * not there are no error: they are null, and named in `missing`.
 */
export interface SnapshotReader {
  read(request: SnapshotRequest, signal?: AbortSignal): Promise<MetricsSnapshot>;
}

/** A stretch of time of which a namespace's series are wanted. */
export interface SeriesRequest {
  readonly namespace: string;
  readonly dialect: MetricsDialect;
  /** Seconds since 1970; a multiple of `binSeconds`. */
  readonly startSeconds: number;
  readonly binSeconds: number;
  readonly bins: number;
  /** Rates are over a bin where it holds two scrapes, else over half of this; at least four scrape intervals. */
  readonly windowSeconds: number;
  /** Workloads that are known from elsewhere; others are found in the series. */
  readonly workloads: readonly WorkloadName[];
}

/** A namespace's series over a stretch of time. All arrays have a number for each bin; NaN = not known. */
export interface NamespaceSeries {
  /** In the order of their names; those of which something is known. */
  readonly services: readonly ServiceHistory[];
  /** Of calls into the namespace, and out of its workloads, in the order of source, target and protocol. */
  readonly edges: readonly RecordedEdge[];
}

/** What the series tell of a workload. */
export interface ServiceHistory {
  readonly workload: WorkloadName;
  /** Replicas are known only where somebody counts them for Prometheus. */
  readonly series: Readonly<Record<ServiceSeries, Float32Array>>;
  /** Pods that use memory, ready or not. */
  readonly runningPods: Float32Array;
}

/**
 * Reads what there was. Port; adapter: src/cluster.
 * OBSERVATION_UNAVAILABLE when the server is not there or too slow, OBSERVATION_REFUSED when it refuses. Series that are
 * not there, or not for the whole time, are no error.
 */
export interface SeriesReader {
  read(request: SeriesRequest, signal?: AbortSignal): Promise<NamespaceSeries>;
}

/** Who called whom over a time, as somebody else than Prometheus shows it. Port; adapter: Kiali, in src/cluster. */
export interface CallGraphReader {
  /** OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED. @param stretch seconds since 1970. */
  read(
    namespace: string,
    stretch: { readonly fromSeconds: number; readonly toSeconds: number },
    signal?: AbortSignal,
  ): Promise<readonly { readonly source: WorkloadName; readonly target: WorkloadName }[]>;
}

/** A cluster's series over a time, bin after bin. NaN = not known. All arrays of series have `bins` values. */
export interface ClusterRecording {
  readonly namespace: string;
  readonly dialect: MetricsDialect;
  /** Seconds since 1970; a multiple of `binSeconds`. */
  readonly startSeconds: number;
  readonly binSeconds: number;
  readonly bins: number;
  /** Where users' requests come in. */
  readonly entry: WorkloadName;
  /** Users' requests. */
  readonly requestsPerSecond: Float32Array;
  readonly p95Seconds: Float32Array;
  readonly services: readonly RecordedService[];
  readonly edges: readonly RecordedEdge[];
  readonly gaps: readonly RecordingGap[];
}

/** A workload in a recording. A service that was not there in a bin has NaN replicas. */
export interface RecordedService {
  readonly workload: WorkloadName;
  readonly cpuRequestMillicores: number | null;
  readonly cpuLimitMillicores: number | null;
  readonly memoryRequestBytes: number | null;
  readonly memoryLimitBytes: number | null;
  /** Bounds of its autoscaler; null = it has none. */
  readonly minReplicas: number | null;
  readonly maxReplicas: number | null;
  /** From creation to ready of pods that started while it was recorded, or shortly before, seconds. */
  readonly startupSeconds: readonly number[];
  readonly series: Readonly<Record<ServiceSeries, Float32Array>>;
}

/** Series of a recorded service; units as in {@link ServiceMetrics}. */
export const serviceSeries = [
  'replicas',
  'readyReplicas',
  'cpuMillicores',
  'memoryBytes',
  'callsPerSecond',
  'errorRate',
  'meanSeconds',
  'ownSeconds',
  'p50Seconds',
  'p95Seconds',
  'p99Seconds',
  'receivedBytesPerSecond',
  'sentBytesPerSecond',
] as const;
export type ServiceSeries = (typeof serviceSeries)[number];

/** Calls from one workload to another in a recording. For `tcp` connections that were opened: no errors, no times. */
export interface RecordedEdge {
  readonly source: WorkloadName;
  readonly target: WorkloadName;
  readonly protocol: 'http' | 'grpc' | 'tcp';
  readonly callsPerSecond: Float32Array;
  readonly errorRate: Float32Array;
  /** Mean time that the caller waited, seconds. */
  readonly meanSeconds: Float32Array;
}

/** Something that is missing in a recording, bins [from, to). */
export interface RecordingGap {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

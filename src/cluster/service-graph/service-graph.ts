import type { WorkloadName } from '../../contracts/cluster.ts';

/** Calls from one workload to another. */
export interface ServiceEdge {
  readonly source: WorkloadName;
  readonly target: WorkloadName;
  readonly protocol: 'http' | 'grpc' | 'tcp';
  /** 0 for TCP. */
  readonly requestsPerSecond: number;
  /** Share of requests that failed on the server's side (5xx, or a gRPC error), 0 … 1; 0 for TCP. */
  readonly errorRate: number;
  /** 0 for HTTP and gRPC. */
  readonly bytesPerSecond: number;
  /** 95th percentile of the response time; null where it is not known. */
  readonly p95Seconds: number | null;
  /** Share of the traffic that is encrypted by mutual TLS, 0 … 1; null where it is not known. */
  readonly mtls: number | null;
}

/** Who calls whom. */
export interface ServiceGraph {
  /** In alphabetical order. */
  readonly workloads: readonly WorkloadName[];
  /** In the order of source, target and protocol. */
  readonly edges: readonly ServiceEdge[];
}

/** A graph in its fixed order, with the workloads of its edges. */
export function serviceGraph(edges: readonly ServiceEdge[], alone: readonly WorkloadName[] = []): ServiceGraph {
  const names = new Set([...alone, ...edges.flatMap(({ source, target }) => [source, target])]);
  const key = ({ source, target, protocol }: ServiceEdge): string => `${source}\n${target}\n${protocol}`;
  return {
    workloads: [...names].sort(),
    edges: edges.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
  };
}

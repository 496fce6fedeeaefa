import { quantileOf, selector, summedRate } from '../prometheus/expressions.ts';
import type { LabelFilter } from '../prometheus/expressions.ts';
import type { Series } from '../prometheus/prometheus-answer.ts';
import type { PrometheusClient } from '../prometheus/prometheus-client.ts';
import { unknownWorkload } from '../../contracts/cluster.ts';
import type { WorkloadName } from '../../contracts/cluster.ts';
import { serviceGraph } from './service-graph.ts';
import type { ServiceEdge, ServiceGraph } from './service-graph.ts';

/** Names of the series of which a service graph is made. */
export interface EdgeMetricNames {
  /** Counter of requests. */
  readonly requests: string;
  /** Requests that failed on the server's side: those of `requests` with certain labels, or other counters; added up. */
  readonly errors: readonly ({ readonly filter: LabelFilter } | { readonly metric: string })[];
  /** Buckets of the response time, and what one unit of them is. */
  readonly durationBuckets: string;
  readonly durationSecondsPerUnit: number;
  /** Counter of bytes of TCP connections; null = none. */
  readonly tcpBytes: string | null;
  /** Restricts every series, for example to those of one reporter. */
  readonly filter: LabelFilter;
  readonly source: WorkloadLabels;
  readonly target: WorkloadLabels;
  /** Label with the protocol (`http`, `grpc`); null = all of it is HTTP. */
  readonly protocolLabel: string | null;
  /** Label and value by which mutual TLS is known; null = it is not. */
  readonly mtls: { readonly label: string; readonly value: string } | null;
}

/** Labels that name a workload. */
export interface WorkloadLabels {
  readonly name: string;
  /** Null where the series say no namespace: then all are in the one that is asked for. */
  readonly namespace: string | null;
}

/** Istio's standard metrics, as the target's proxy reports them. */
export const istioEdgeMetrics: EdgeMetricNames = {
  requests: 'istio_requests_total',
  errors: [
    { filter: { response_code: ['500', '501', '502', '503', '504'] } },
    // gRPC errors of the server (UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS) come with 200.
    { filter: { response_code: '200', grpc_response_status: ['2', '4', '12', '13', '14', '15'] } },
  ],
  durationBuckets: 'istio_request_duration_milliseconds_bucket',
  durationSecondsPerUnit: 0.001,
  tcpBytes: 'istio_tcp_sent_bytes_total',
  filter: { reporter: 'destination' },
  source: { name: 'source_workload', namespace: 'source_workload_namespace' },
  target: { name: 'destination_workload', namespace: 'destination_workload_namespace' },
  protocolLabel: 'request_protocol',
  mtls: { label: 'connection_security_policy', value: 'mutual_tls' },
};

/** What OpenTelemetry's service graph connector makes of traces. */
export const openTelemetryEdgeMetrics: EdgeMetricNames = {
  requests: 'traces_service_graph_request_total',
  errors: [{ metric: 'traces_service_graph_request_failed_total' }],
  durationBuckets: 'traces_service_graph_request_server_seconds_bucket',
  durationSecondsPerUnit: 1,
  tcpBytes: null,
  filter: {},
  source: { name: 'client', namespace: null },
  target: { name: 'server', namespace: null },
  protocolLabel: null,
  mtls: null,
};

/** Which part of the mesh, when. */
export interface MetricGraphRequest {
  readonly namespaces: readonly string[];
  /** Seconds since 1970. */
  readonly atSeconds: number;
  /** Rates are means over this long before. Take four scrape intervals or more. */
  readonly windowSeconds: number;
  readonly signal?: AbortSignal;
}

/**
 * The service graph from the series of a mesh, for clusters without Kiali: who called into the namespaces.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED
 */
export async function readMetricGraph(
  client: PrometheusClient,
  names: EdgeMetricNames,
  request: MetricGraphRequest,
): Promise<ServiceGraph> {
  const { atSeconds, signal } = request;
  const answers = await Promise.all(
    expressionsOf(names, request).map(async ({ figure, expression }) => {
      const { series } = await client.query(expression, atSeconds, signal);
      return { figure, series };
    }),
  );
  const edges = new Edges(names, request.namespaces[0]);
  for (const { figure, series } of answers) for (const one of series) edges.add(figure, one);
  return serviceGraph(edges.found());
}

/** What a series says of an edge. */
type EdgeFigure = 'requests' | 'errors' | 'encrypted' | 'bytes' | 'p95Seconds';

function expressionsOf(
  { requests, errors, durationBuckets, tcpBytes, filter, source, target, protocolLabel, mtls }: EdgeMetricNames,
  { namespaces, windowSeconds }: MetricGraphRequest,
): { figure: EdgeFigure; expression: string }[] {
  const workload = [source, target].flatMap(({ name, namespace }) => (namespace === null ? [name] : [name, namespace]));
  const by = protocolLabel === null ? workload : [...workload, protocolLabel];
  const within = target.namespace === null ? filter : { ...filter, [target.namespace]: namespaces };
  const rate = (figure: EdgeFigure, metric: string, further: LabelFilter = {}, labels = by) => ({
    figure,
    expression: summedRate(selector(metric, { ...within, ...further }), windowSeconds, labels),
  });
  return [
    rate('requests', requests),
    ...errors.map((error) =>
      'metric' in error ? rate('errors', error.metric) : rate('errors', requests, error.filter),
    ),
    ...(mtls ? [rate('encrypted', requests, { [mtls.label]: mtls.value })] : []),
    ...(tcpBytes ? [rate('bytes', tcpBytes, {}, workload)] : []),
    {
      figure: 'p95Seconds',
      expression: quantileOf(0.95, selector(durationBuckets, within), windowSeconds, by),
    },
  ];
}

interface Tally {
  readonly source: WorkloadName;
  readonly target: WorkloadName;
  readonly protocol: ServiceEdge['protocol'];
  requests: number;
  errors: number;
  encrypted: number;
  bytes: number;
  p95Seconds: number | null;
}

/** Edges while their figures come in, series by series. */
class Edges {
  private readonly tallies = new Map<string, Tally>();
  private readonly names: EdgeMetricNames;
  private readonly namespace: string;

  /** @param namespace of series that say none. */
  constructor(names: EdgeMetricNames, namespace: string) {
    this.names = names;
    this.namespace = namespace;
  }

  /** Adds what a series says; what is no finite number says nothing. */
  add(figure: EdgeFigure, { labels, values }: Series): void {
    const value = values.at(-1) ?? NaN;
    if (!Number.isFinite(value)) return;
    const tally = this.at(labels, figure === 'bytes' ? 'tcp' : this.protocolOf(labels));
    if (figure === 'p95Seconds') tally.p95Seconds = value * this.names.durationSecondsPerUnit;
    else tally[figure] += value;
  }

  private at(labels: Series['labels'], protocol: Tally['protocol']): Tally {
    const source = this.workload(labels, this.names.source);
    const target = this.workload(labels, this.names.target);
    const key = `${source}\n${target}\n${protocol}`;
    const tally = this.tallies.get(key) ?? {
      ...{ source, target, protocol },
      ...{ requests: 0, errors: 0, encrypted: 0, bytes: 0, p95Seconds: null },
    };
    this.tallies.set(key, tally);
    return tally;
  }

  /** Edges that carry something. */
  found(): ServiceEdge[] {
    const active = [...this.tallies.values()].filter(({ requests, bytes }) => requests > 0 || bytes > 0);
    return active.map(({ source, target, protocol, requests, errors, encrypted, bytes, p95Seconds }) => ({
      source,
      target,
      protocol,
      requestsPerSecond: requests,
      errorRate: requests > 0 ? Math.min(1, errors / requests) : 0,
      bytesPerSecond: bytes,
      p95Seconds,
      mtls: this.names.mtls && requests > 0 ? Math.min(1, encrypted / requests) : null,
    }));
  }

  private protocolOf(labels: Series['labels']): ServiceEdge['protocol'] {
    const { protocolLabel } = this.names;
    return protocolLabel !== null && labels[protocolLabel] === 'grpc' ? 'grpc' : 'http';
  }

  private workload(labels: Series['labels'], { name, namespace }: WorkloadLabels): WorkloadName {
    const own = labels[name];
    if (own === undefined || own === '' || own === 'unknown') return unknownWorkload;
    const itsNamespace = namespace === null ? undefined : labels[namespace];
    return `${itsNamespace ?? this.namespace}/${own}`;
  }
}

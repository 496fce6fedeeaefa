import type { LabelFilter } from '../prometheus/expressions.ts';
import type { WorkloadLabels } from '../service-graph/metric-graph.ts';
import type { MetricsDialect } from '../../contracts/cluster-metrics.ts';

/** Names of all series that live services are known by. */
export interface MetricNames {
  /** Of requests, by the mesh or tracing that counts them. */
  readonly calls: Readonly<Record<MetricsDialect, CallMetricNames>>;
  readonly pods: PodMetricNames;
  readonly replicas: readonly ReplicaMetricNames[];
}

/** Series about calls between workloads. */
export interface CallMetricNames {
  /** Counter of requests. */
  readonly requests: string;
  /** Requests that failed on the server's side: those of `requests` with certain labels, or other counters; added up. */
  readonly errors: readonly ({ readonly filter: LabelFilter } | { readonly metric: string })[];
  /** As the server saw the calls: what is counted. */
  readonly server: SideMetricNames;
  /** As the caller saw them: how long it waited. Null = nobody tells; the server's times are taken. */
  readonly client: SideMetricNames | null;
  /** What one unit of a duration is. */
  readonly durationSecondsPerUnit: number;
  /** Counter of TCP connections; null = none. */
  readonly tcpConnections: string | null;
  /** Restricts `requests` of the server's side to those under mutual TLS; null = nobody tells. */
  readonly mutualTls: LabelFilter | null;
  readonly source: WorkloadLabels;
  readonly target: WorkloadLabels;
  /** Names of sources that are no workload: traffic from outside of the mesh. */
  readonly outside: readonly string[];
  /** Label with the protocol (`http`, `grpc`); null = all of it is HTTP. */
  readonly protocolLabel: string | null;
}

/** A histogram of durations on one side of a call. */
export interface SideMetricNames {
  /** Restricts every series to those of this side. */
  readonly filter: LabelFilter;
  readonly durationBuckets: string;
  readonly durationSum: string;
  readonly durationCount: string;
}

/** What cAdvisor (in the kubelet) tells of pods. */
export interface PodMetricNames {
  readonly namespaceLabel: string;
  readonly podLabel: string;
  /** Leaves out what would count twice: the sum over a pod, and its sandbox. */
  readonly containerFilter: LabelFilter;
  /** Counter, seconds of CPU time. */
  readonly cpuSeconds: string;
  /** Gauge, bytes. */
  readonly memoryBytes: string;
  /** Counters, bytes. */
  readonly receivedBytes: string;
  readonly sentBytes: string;
}

/** What kube-state-metrics tells of one kind of workload. */
export interface ReplicaMetricNames {
  readonly namespaceLabel: string;
  readonly nameLabel: string;
  /** Gauges. */
  readonly replicas: string;
  readonly readyReplicas: string;
}

const istio: CallMetricNames = {
  requests: 'istio_requests_total',
  errors: [
    { filter: { response_code: ['500', '501', '502', '503', '504'] } },
    // gRPC errors of the server (UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS) come with 200.
    { filter: { response_code: '200', grpc_response_status: ['2', '4', '12', '13', '14', '15'] } },
  ],
  server: istioSide('destination'),
  client: istioSide('source'),
  durationSecondsPerUnit: 0.001,
  tcpConnections: 'istio_tcp_connections_opened_total',
  mutualTls: { connection_security_policy: 'mutual_tls' },
  source: { name: 'source_workload', namespace: 'source_workload_namespace' },
  target: { name: 'destination_workload', namespace: 'destination_workload_namespace' },
  outside: ['unknown'],
  protocolLabel: 'request_protocol',
};

function istioSide(reporter: 'source' | 'destination'): SideMetricNames {
  return {
    filter: { reporter },
    durationBuckets: 'istio_request_duration_milliseconds_bucket',
    durationSum: 'istio_request_duration_milliseconds_sum',
    durationCount: 'istio_request_duration_milliseconds_count',
  };
}

/** What OpenTelemetry's service graph connector makes of traces. */
const openTelemetry: CallMetricNames = {
  requests: 'traces_service_graph_request_total',
  errors: [{ metric: 'traces_service_graph_request_failed_total' }],
  server: openTelemetrySide('server'),
  client: openTelemetrySide('client'),
  durationSecondsPerUnit: 1,
  tcpConnections: null,
  mutualTls: null,
  source: { name: 'client', namespace: null },
  target: { name: 'server', namespace: null },
  // The connector calls the peer of a server span without a client span `user`.
  outside: ['unknown', 'user'],
  protocolLabel: null,
};

function openTelemetrySide(side: 'server' | 'client'): SideMetricNames {
  const name = `traces_service_graph_request_${side}_seconds`;
  return {
    filter: {},
    durationBuckets: `${name}_bucket`,
    durationSum: `${name}_sum`,
    durationCount: `${name}_count`,
  };
}

/** The names that Istio, OpenTelemetry, cAdvisor and kube-state-metrics give. */
export const standardMetricNames: MetricNames = {
  calls: { istio, opentelemetry: openTelemetry },
  pods: {
    namespaceLabel: 'namespace',
    podLabel: 'pod',
    containerFilter: { container: { not: ['', 'POD'] } },
    cpuSeconds: 'container_cpu_usage_seconds_total',
    memoryBytes: 'container_memory_working_set_bytes',
    receivedBytes: 'container_network_receive_bytes_total',
    sentBytes: 'container_network_transmit_bytes_total',
  },
  replicas: [
    {
      namespaceLabel: 'namespace',
      nameLabel: 'deployment',
      replicas: 'kube_deployment_spec_replicas',
      readyReplicas: 'kube_deployment_status_replicas_ready',
    },
    {
      namespaceLabel: 'namespace',
      nameLabel: 'statefulset',
      replicas: 'kube_statefulset_replicas',
      readyReplicas: 'kube_statefulset_status_replicas_ready',
    },
  ],
};

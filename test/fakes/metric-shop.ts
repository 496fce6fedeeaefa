import type { MetricsDialect } from '../../src/contracts/cluster-metrics.ts';

/**
 * A shop whose sidecars (or the OpenTelemetry connector that makes a service graph of its traces), kubelet and kube-state-metrics tell series, at any moment, with known rates behind them: so a
 * test can say what must come out. It plays the containers' work, nothing else.
 *
 * `web` gets 20 + 10 sin(2πt / 600) requests/s from outside, calls each other service once (`cart` twice), and waits
 * 2 ms longer for each call than the callee takes. A service has two pods with counters of their own.
 */
export class MetricShop {
  readonly services: readonly string[];
  /** Series of pods that are not told at a moment: vanished. */
  isThere: (service: string, seconds: number) => boolean = () => true;
  /** A pod's counters began at 0 at the last of these moments before. */
  restarts: readonly { readonly pod: string; readonly seconds: number }[] = [];
  /** CPU counters of a service that are no number at a moment. */
  isBroken: (service: string, seconds: number) => boolean = () => false;
  /** Replicas that kube-state-metrics tells; null = there is none. */
  replicas: ((service: string, seconds: number) => number) | null = null;

  readonly #dialect: MetricsDialect;

  /** @param others services beside `web` and `cart`. */
  constructor(others = 1, dialect: MetricsDialect = 'istio') {
    this.#dialect = dialect;
    this.services = ['web', 'cart', ...Array.from({ length: others }, (_, i) => `service-${i}`)];
  }

  /** Requests/s that users send. */
  usersAt(seconds: number): number {
    return 20 + 10 * Math.sin((2 * Math.PI * seconds) / periodSeconds);
  }

  /** Calls/s that a service gets, by what users send. */
  fanOut(service: string): number {
    return service === 'cart' ? 2 : 1;
  }

  /** Mean duration at the server. `web` waits for all others, one after the other. */
  meanSeconds(service: string): number {
    if (service !== 'web') return 0.02;
    const waited = this.services.slice(1).reduce((sum, name) => sum + this.fanOut(name) * waitSeconds, 0);
    return 0.03 + waited;
  }

  pods(service: string): string[] {
    return ['bbbbb', 'ccccc'].map((suffix) => `${service}-5d8f9c7b4-${suffix}`);
  }

  /** All series at a moment, as lines of `name{labels} value`. */
  linesAt(seconds: number): string[] {
    const there = this.services.filter((service) => this.isThere(service, seconds));
    return there.flatMap((service) => [
      ...this.pods(service).flatMap((pod) => this.#podLines(service, pod, seconds)),
      ...this.#replicaLines(service, seconds),
    ]);
  }

  #podLines(service: string, pod: string, seconds: number): string[] {
    const requests = this.#requestsOf(pod, seconds);
    const calls = requests * this.fanOut(service);
    if (this.#dialect === 'opentelemetry') {
      const waited = service === 'web' ? this.meanSeconds('web') : waitSeconds;
      const means = { server: this.meanSeconds(service), client: waited };
      return [...tracedLines(service, pod, calls, means), ...this.#usageLines(service, pod, calls, seconds)];
    }
    const incoming = edgeLabels(service === 'web' ? 'unknown' : 'web', service);
    const outgoing = service === 'web' ? this.services.slice(1) : [];
    return [
      ...callLines('destination', incoming, pod, calls, this.meanSeconds(service)),
      ...outgoing.flatMap((target) =>
        callLines('source', edgeLabels('web', target), pod, requests * this.fanOut(target), waitSeconds),
      ),
      ...this.#usageLines(service, pod, calls, seconds),
    ];
  }

  #usageLines(service: string, pod: string, calls: number, seconds: number): string[] {
    const of = `namespace="shop",pod="${pod}"`;
    const cpu = this.isBroken(service, seconds) ? NaN : calls * cpuSecondsPerCall;
    return [
      `container_cpu_usage_seconds_total{${of},container="server"} ${cpu}`,
      // The sum over the pod, which must not count twice.
      `container_cpu_usage_seconds_total{${of},container=""} ${cpu}`,
      `container_memory_working_set_bytes{${of},container="server"} ${memoryBytes}`,
      `container_network_receive_bytes_total{${of},interface="eth0"} ${calls * 500}`,
      `container_network_transmit_bytes_total{${of},interface="eth0"} ${calls * 900}`,
    ];
  }

  #replicaLines(service: string, seconds: number): string[] {
    if (this.replicas === null) return [];
    const of = `namespace="shop",deployment="${service}"`;
    const replicas = this.replicas(service, seconds);
    return [
      `kube_deployment_spec_replicas{${of}} ${replicas}`,
      `kube_deployment_status_replicas_ready{${of}} ${replicas}`,
    ];
  }

  /** Users' requests that a pod had a share in since its counters began. */
  #requestsOf(pod: string, seconds: number): number {
    const begun = this.restarts.filter((restart) => restart.pod === pod && restart.seconds <= seconds).at(-1)?.seconds;
    return (sentUntil(seconds) - (begun === undefined ? 0 : sentUntil(begun))) / 2;
  }
}

const periodSeconds = 600;
/** How long `web` waits for an answer of another service. */
const waitSeconds = 0.022;
/** What the pods of a service use. */
export const cpuSecondsPerCall = 0.01;
export const memoryBytes = 64 * 1024 * 1024;

/** Shares of the requests up to bounds of the durations, milliseconds; a tenth is slower than 250 ms. */
const bounds = { 5: 0, 10: 0.2, 25: 0.4, 50: 0.6, 100: 0.7, 250: 0.9, 500: 0.98, 1000: 1, '+Inf': 1 };

/** Requests since some moment long ago: the rate's integral. */
function sentUntil(seconds: number): number {
  const long = seconds - 1_600_000_000;
  const turn = (2 * Math.PI) / periodSeconds;
  return 20 * long - (10 / turn) * Math.cos(turn * seconds);
}

function edgeLabels(source: string, target: string): string {
  const namespace = source === 'unknown' ? 'unknown' : 'shop';
  return (
    `source_workload="${source}",source_workload_namespace="${namespace}",` +
    `destination_workload="${target}",destination_workload_namespace="shop",request_protocol="http"`
  );
}

function callLines(
  reporter: 'source' | 'destination',
  edge: string,
  pod: string,
  calls: number,
  meanSeconds: number,
): string[] {
  const of = `reporter="${reporter}",${edge},pod="${pod}"`;
  const duration = 'istio_request_duration_milliseconds';
  // Only the destination knows how a call came.
  const security = reporter === 'source' ? 'unknown' : edge.includes('"unknown"') ? 'none' : 'mutual_tls';
  const request = `${of},connection_security_policy="${security}"`;
  return [
    `istio_requests_total{${request},response_code="200"} ${calls * 0.95}`,
    `istio_requests_total{${request},response_code="503"} ${calls * 0.05}`,
    `${duration}_sum{${of}} ${calls * meanSeconds * 1000}`,
    `${duration}_count{${of}} ${calls}`,
    ...Object.entries(bounds).map(([le, share]) => `${duration}_bucket{${of},le="${le}"} ${calls * share}`),
  ];
}

/** Calls that arrive at a pod, as the service graph connector counts them: both sides in one series of an edge. */
function tracedLines(
  service: string,
  pod: string,
  calls: number,
  means: { readonly server: number; readonly client: number },
): string[] {
  const of = `client="${service === 'web' ? 'user' : 'web'}",server="${service}",connection_type="",collector="${pod}"`;
  const metric = 'traces_service_graph_request';
  const sides = (['server', 'client'] as const).flatMap((side) => [
    `${metric}_${side}_seconds_sum{${of}} ${calls * means[side]}`,
    `${metric}_${side}_seconds_count{${of}} ${calls}`,
    ...Object.entries(bounds).map(
      ([le, share]) =>
        `${metric}_${side}_seconds_bucket{${of},le="${le === '+Inf' ? le : Number(le) / 1000}"} ${calls * share}`,
    ),
  ]);
  return [`${metric}_total{${of}} ${calls}`, `${metric}_failed_total{${of}} ${calls * 0.05}`, ...sides];
}

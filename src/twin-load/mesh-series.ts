import { unknownWorkload } from '../contracts/cluster.ts';
import { labelText } from './exposition.ts';
import type { Exposition } from './exposition.ts';
import { durationBoundsMs, RequestSeries } from './request-series.ts';

/** What came of requests: answered, answered with an error, or refused because nobody was there. */
export type Outcome = 'ok' | 'failed' | 'refused';

/** Who calls whom. */
export interface MeshEdge {
  /** Service of the application; null = users. */
  readonly source: string | null;
  readonly destination: string;
}

/** Where users' requests come from. */
export interface MeshOptions {
  readonly namespace: string;
  /** A gateway of the mesh that users' requests pass; null = they come from outside, and no proxy of theirs reports. */
  readonly ingress: { readonly namespace: string; readonly name: string } | null;
}

type Reporter = 'source' | 'destination';

/** A refused call lasts as long as it takes a proxy to find that nobody is there. */
const REFUSED_SECONDS = 0.0005;

/**
 * Istio's standard metrics of an application's calls, one series an edge and outcome, as if those of all proxies were added
 * up. Users speak HTTP with the services that they call; everything else is gRPC.
 */
export class MeshSeries {
  readonly #options: MeshOptions;
  readonly #http: ReadonlySet<string>;
  readonly #series = new Map<string, { readonly labels: string; readonly requests: RequestSeries }>();

  /** @param entries services that users call. */
  constructor(options: MeshOptions, entries: ReadonlySet<string>) {
    this.#options = options;
    this.#http = entries;
  }

  /** The step is over. */
  settle(): void {
    for (const { requests } of this.#series.values()) requests.settle();
  }

  /**
   * Lets the step add calls that were answered, well or with an error.
   * @param mean at the server, seconds.
   * @param networkSeconds by how much longer the caller waits.
   */
  addAnswered(
    edge: MeshEdge,
    outcome: 'ok' | 'failed',
    calls: number,
    { mean, variance, networkSeconds }: { mean: number; variance: number; networkSeconds: number },
  ): void {
    if (calls <= 0) return;
    this.#find(edge, 'destination', outcome).add(calls, mean, variance);
    if (this.#isReportedBySource(edge)) this.#find(edge, 'source', outcome).add(calls, mean + networkSeconds, variance);
  }

  /** Lets the step add calls that found nobody; only their callers know of them. */
  addRefused(edge: MeshEdge, calls: number): void {
    if (calls > 0 && this.#isReportedBySource(edge))
      this.#find(edge, 'source', 'refused').add(calls, REFUSED_SECONDS, 0);
  }

  /** @param share of the step that is over. */
  write(exposition: Exposition, share: number): void {
    exposition.family('istio_requests_total', 'counter', 'Requests that a proxy handled.');
    for (const { labels, requests } of this.#series.values()) {
      exposition.sample('istio_requests_total', labels, requests.count(share));
    }
    const name = 'istio_request_duration_milliseconds';
    exposition.family(name, 'histogram', 'Durations of requests.');
    for (const { labels, requests } of this.#series.values()) {
      durationBoundsMs.forEach((bound, i) => {
        exposition.sample(`${name}_bucket`, `${labels},le="${bound}"`, requests.bucket(i, share));
      });
      exposition.sample(`${name}_bucket`, `${labels},le="+Inf"`, requests.count(share));
      exposition.sample(`${name}_sum`, labels, requests.sumMilliseconds(share));
      exposition.sample(`${name}_count`, labels, requests.count(share));
    }
  }

  #isReportedBySource({ source }: MeshEdge): boolean {
    return source !== null || this.#options.ingress !== null;
  }

  #find(edge: MeshEdge, reporter: Reporter, outcome: Outcome): RequestSeries {
    const key = `${edge.source ?? ''}>${edge.destination}>${reporter}>${outcome}`;
    const found = this.#series.get(key);
    if (found) return found.requests;
    const requests = new RequestSeries();
    this.#series.set(key, { labels: labelText(this.#labels(edge, reporter, outcome)), requests });
    return requests;
  }

  #labels({ source, destination }: MeshEdge, reporter: Reporter, outcome: Outcome): Record<string, string> {
    const { namespace, ingress } = this.#options;
    const users = ingress ?? { namespace: unknownWorkload, name: unknownWorkload };
    const from = source === null ? users : { namespace, name: source };
    const encrypted = source === null && ingress === null ? 'none' : 'mutual_tls';
    return {
      reporter,
      source_workload: from.name,
      source_workload_namespace: from.namespace,
      source_app: from.name,
      source_canonical_service: from.name,
      destination_workload: destination,
      destination_workload_namespace: namespace,
      destination_app: destination,
      destination_canonical_service: destination,
      destination_service: `${destination}.${namespace}.svc.cluster.local`,
      destination_service_name: destination,
      destination_service_namespace: namespace,
      ...(this.#http.has(destination) ? httpOutcome[outcome] : grpcOutcome[outcome]),
      response_flags: outcome === 'refused' ? 'UH' : '-',
      // Only the server's proxy knows: the client's says so of every request.
      connection_security_policy: reporter === 'source' ? 'unknown' : encrypted,
    };
  }
}

const httpOutcome: Record<Outcome, Record<string, string>> = {
  ok: { request_protocol: 'http', response_code: '200' },
  failed: { request_protocol: 'http', response_code: '500' },
  refused: { request_protocol: 'http', response_code: '503' },
};

/** gRPC answers 200 and says in its own status what went wrong: 13 INTERNAL, 14 UNAVAILABLE. */
const grpcOutcome: Record<Outcome, Record<string, string>> = {
  ok: { request_protocol: 'grpc', response_code: '200', grpc_response_status: '0' },
  failed: { request_protocol: 'grpc', response_code: '200', grpc_response_status: '13' },
  refused: { request_protocol: 'grpc', response_code: '200', grpc_response_status: '14' },
};

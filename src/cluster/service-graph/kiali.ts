import { CoxswainError } from '../../contracts/errors.ts';
import { requestJson } from '../json-request.ts';
import type { JsonServer } from '../json-request.ts';
import { unknownWorkload } from '../../contracts/cluster.ts';
import type { WorkloadName } from '../../contracts/cluster.ts';
import { serviceGraph } from './service-graph.ts';
import type { ServiceEdge, ServiceGraph } from './service-graph.ts';

/** Which part of the mesh, over what time. */
export interface KialiRequest {
  readonly namespaces: readonly string[];
  /** Rates are means over this long before `atSeconds`. */
  readonly durationSeconds: number;
  /** Seconds since 1970. Default now. */
  readonly atSeconds?: number;
  readonly signal?: AbortSignal;
}

/**
 * The service graph as Kiali sees it, from its workload graph.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED
 */
export async function readKialiGraph(
  server: Omit<JsonServer, 'name'>,
  { namespaces, durationSeconds, atSeconds, signal }: KialiRequest,
): Promise<ServiceGraph> {
  const { status, body } = await requestJson(
    { ...server, name: 'Kiali' },
    {
      path: '/api/namespaces/graph',
      parameters: {
        namespaces: namespaces.join(','),
        graphType: 'workload',
        duration: `${durationSeconds}s`,
        injectServiceNodes: 'false',
        appenders: 'deadNode,responseTime,securityPolicy',
        responseTime: '95',
        ...(atSeconds === undefined ? {} : { queryTime: String(atSeconds) }),
      },
      ...(signal ? { signal } : {}),
    },
  );
  if (status !== 200) throw refused(`status ${status}: ${JSON.stringify(errorOf(body))}`);
  return parseKialiGraph(body);
}

/**
 * The graph in an answer of Kiali's graph API. Nodes that are no workload (a service, an application) go by their own
 * name; boxes around nodes are left out.
 * @throws CoxswainError OBSERVATION_REFUSED when the body is no such answer.
 */
export function parseKialiGraph(body: unknown): ServiceGraph {
  const { nodes, edges } = recordOf(recordOf(body).elements);
  if (!Array.isArray(nodes) || !Array.isArray(edges)) throw refused('it has no nodes and edges');
  const names = new Map<string, WorkloadName>();
  for (const node of nodes) {
    const data = recordOf(recordOf(node).data);
    const name = data.isBox === undefined ? nameOf(data) : null;
    if (name !== null) names.set(String(data.id), name);
  }
  const named = (id: unknown): WorkloadName => {
    const name = names.get(String(id));
    if (name === undefined) throw refused(`an edge leads to node ${String(id)}, which is not there`);
    return name;
  };
  const found = edges.flatMap((edge) => {
    const data = recordOf(recordOf(edge).data);
    const edgeFound = edgeOf(data, named(data.source), named(data.target));
    return edgeFound ? [edgeFound] : [];
  });
  return serviceGraph(joined(found), [...names.values()]);
}

/** Node types in Kiali: workload, app, service, aggregate, unknown. */
function nameOf({ nodeType, namespace, workload, app, service }: Record<string, unknown>): WorkloadName | null {
  const own = { workload, app: workload ?? app, service }[String(nodeType)];
  if (nodeType === 'unknown' || own === 'unknown') return unknownWorkload;
  return typeof own === 'string' && own !== '' ? `${String(namespace)}/${own}` : null;
}

function edgeOf(
  { traffic, responseTime, isMTLS }: Record<string, unknown>,
  source: WorkloadName,
  target: WorkloadName,
): ServiceEdge | null {
  // An idle edge carries no traffic, or traffic without rates.
  const { protocol, rates } = recordOf(traffic ?? {});
  if (protocol !== 'http' && protocol !== 'grpc' && protocol !== 'tcp') return null;
  const rateOf = (name: string): number => numberOf(recordOf(rates ?? {})[name] ?? '0', name);
  const rate = rateOf(protocol);
  const tcp = protocol === 'tcp';
  return {
    source,
    target,
    protocol,
    requestsPerSecond: tcp ? 0 : rate,
    errorRate: tcp || rate === 0 ? 0 : errorsOf(protocol, rateOf) / rate,
    bytesPerSecond: tcp ? rate : 0,
    p95Seconds: responseTime === undefined ? null : numberOf(responseTime, 'responseTime') / 1000,
    mtls: isMTLS === undefined ? null : numberOf(isMTLS, 'isMTLS') / 100,
  };
}

function errorsOf(protocol: 'http' | 'grpc', rateOf: (name: string) => number): number {
  return protocol === 'http' ? rateOf('http5xx') : rateOf('grpcErr');
}

/** Nodes that have one name for us (versions of an application, a service seen from two clusters) are one workload. */
function joined(edges: readonly ServiceEdge[]): ServiceEdge[] {
  const byKey = new Map<string, ServiceEdge>();
  for (const edge of edges) {
    const key = `${edge.source}\n${edge.target}\n${edge.protocol}`;
    const before = byKey.get(key);
    byKey.set(key, before ? sum(before, edge) : edge);
  }
  return [...byKey.values()];
}

function sum(a: ServiceEdge, b: ServiceEdge): ServiceEdge {
  const requestsPerSecond = a.requestsPerSecond + b.requestsPerSecond;
  const errors = a.errorRate * a.requestsPerSecond + b.errorRate * b.requestsPerSecond;
  const known = [a.p95Seconds, b.p95Seconds].filter((value) => value !== null);
  const weights = [a, b].map((edge) => edge.requestsPerSecond + edge.bytesPerSecond);
  const total = weights[0] + weights[1];
  return {
    ...a,
    requestsPerSecond,
    errorRate: requestsPerSecond > 0 ? errors / requestsPerSecond : 0,
    bytesPerSecond: a.bytesPerSecond + b.bytesPerSecond,
    // Percentiles cannot be added up: the larger one is on the safe side.
    p95Seconds: known.length > 0 ? Math.max(...known) : null,
    mtls:
      a.mtls === null || b.mtls === null || total === 0 ? null : (a.mtls * weights[0] + b.mtls * weights[1]) / total,
  };
}

function numberOf(text: unknown, name: string): number {
  const value = typeof text === 'string' || typeof text === 'number' ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw refused(`${name} is ${JSON.stringify(text)}, which is no number`);
  return value;
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refused('it is not that of the graph API');
}

function errorOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'error' in body ? body.error : body;
}

function refused(why: string): CoxswainError {
  return new CoxswainError('OBSERVATION_REFUSED', `Kiali's answer cannot be used: ${why}.`);
}

import type { RecordedEdge } from '../../contracts/cluster-metrics.ts';
import type { CallSeries, EdgeRates } from './call-series.ts';

/** Calls along one edge on a grid; NaN where a figure is not known. */
export interface CountedEdge extends Pick<RecordedEdge, 'source' | 'target' | 'protocol'> {
  readonly callsPerSecond: Float64Array;
  readonly errorRate: Float64Array;
  /** Mean time that the caller waited, seconds. */
  readonly meanSeconds: Float64Array;
}

/**
 * Edges as the servers count them; where they are silent, as callers do (who also tell of servers outside of the mesh). An
 * edge without a number at a time at which others have one carried nothing then.
 */
export function countedEdges({ server, client, errors }: CallSeries, points: number): CountedEdge[] {
  const counted = byEdge(server.requests);
  const onlyTold = client.requests.filter((edge) => !counted.has(edgeKey(edge)));
  const [failed, sums, counts] = [errors, client.durationSums, client.durationCounts].map(byEdge);
  const [serverSums, serverCounts] = [server.durationSums, server.durationCounts].map(byEdge);
  const told = byEdge(client.requests);
  const all = [...server.requests, ...onlyTold];
  const answered = Array.from({ length: points }, (_, point) => all.some(({ rates }) => !Number.isNaN(rates[point])));
  const unknown = new Float64Array(points).fill(NaN);
  return all.map((edge): CountedEdge => {
    const key = edgeKey(edge);
    const { source, target, protocol } = edge;
    const rates = edge.rates.map((rate, i) => firstKnown(rate, told.get(key)?.[i], answered[i] ? 0 : NaN));
    const atCaller = sums.has(key);
    const sum = (atCaller ? sums : serverSums).get(key) ?? unknown;
    const count = (atCaller ? counts : serverCounts).get(key) ?? unknown;
    const errorRates = failed.get(key) ?? unknown;
    return {
      ...{ source, target, protocol },
      callsPerSecond: rates,
      errorRate: rates.map((rate, i) => share(errorRates[i], rate)),
      meanSeconds: sum.map((seconds, i) => (count[i] > 0 ? seconds / count[i] : NaN)),
    };
  });
}

/** Equal for equal edges, and in the order of source, target and protocol. */
export function edgeKey({ source, target, protocol }: Pick<RecordedEdge, 'source' | 'target' | 'protocol'>): string {
  return `${source}\n${target}\n${protocol}`;
}

function byEdge(edges: readonly EdgeRates[]): Map<string, Float64Array> {
  return new Map(edges.map((edge) => [edgeKey(edge), edge.rates]));
}

function firstKnown(...values: readonly (number | undefined)[]): number {
  return values.find((value) => value !== undefined && !Number.isNaN(value)) ?? NaN;
}

function share(errors: number, rate: number): number {
  if (Number.isNaN(rate)) return NaN;
  return rate > 0 && errors > 0 ? Math.min(1, errors / rate) : 0;
}

import type { WorkloadName } from '../contracts/cluster.ts';
import { serviceSeries } from '../contracts/cluster-metrics.ts';
import type {
  ClusterRecording,
  MetricsDialect,
  NamespaceSeries,
  RecordedEdge,
  RecordedService,
  ServiceSeries,
} from '../contracts/cluster-metrics.ts';
import { CoxswainError } from '../contracts/errors.ts';
import type { BinRange } from '../contracts/stores.ts';
import type { ClusterSightings } from './cluster-sightings.ts';
import { gapsOf } from './recording-gaps.ts';
import { startOf } from './recording-plan.ts';
import type { RecordingPlan } from './recording-plan.ts';

/**
 * A chunk of a recording: series with what was seen of the cluster. Replicas are those that Prometheus has, else those that
 * were seen, else the pods that ran. Who the entry is and what is missing is said when the chunks are joined.
 */
export function chunkOf(
  chunk: BinRange,
  plan: RecordingPlan,
  { namespace, dialect }: { namespace: string; dialect: MetricsDialect },
  { series, sightings }: { series: NamespaceSeries; sightings: ClusterSightings },
): ClusterRecording {
  const bins = chunk.to - chunk.from;
  return {
    ...{ namespace, dialect, binSeconds: plan.binSeconds, bins, entry: '', gaps: [] },
    startSeconds: startOf(chunk.from, plan),
    requestsPerSecond: unknown(bins),
    p95Seconds: unknown(bins),
    services: series.services.map(({ workload, series: own, runningPods }) => {
      const seen = (bin: number) => sightings.replicas(workload, chunk.from + bin);
      const replicas = own.replicas.map((count, bin) => firstKnown(count, seen(bin)?.replicas, runningPods[bin]));
      const readyReplicas = own.readyReplicas.map((count, bin) => firstKnown(count, seen(bin)?.readyReplicas));
      return { ...sightings.facts(workload, chunk), series: { ...own, replicas, readyReplicas } };
    }),
    edges: series.edges,
  };
}

/**
 * Joins the chunks of a plan, finds the entry where none is named, and lists the gaps.
 * @throws CoxswainError RECORDING_INCOMPLETE when the entry is not found.
 */
export function joinChunks(
  chunks: readonly ClusterRecording[],
  { startSeconds, bins }: RecordingPlan,
  entryName: string | null,
): ClusterRecording {
  const [{ namespace, dialect, binSeconds }] = chunks;
  const services = joinServices(chunks, bins);
  const edges = joinEdges(chunks, bins);
  const entry = entryName === null ? findEntry(namespace, edges) : `${namespace}/${entryName}`;
  const users = services.find(({ workload }) => workload === entry);
  if (entry === null || users === undefined) throw noEntry(namespace, entry, services);
  const { callsPerSecond: requestsPerSecond, p95Seconds } = users.series;
  const recording = { namespace, dialect, startSeconds, binSeconds, bins, entry, services, edges };
  return { ...recording, requestsPerSecond, p95Seconds, gaps: gapsOf({ ...recording, requestsPerSecond }) };
}

/**
 * Where users' requests come in: who is called most from outside of the namespace; without such calls, who is called most
 * by somebody that nobody calls (a load generator). Null when nobody is.
 */
export function findEntry(namespace: string, edges: readonly RecordedEdge[]): WorkloadName | null {
  const calls = edges.filter(({ target, protocol }) => target.startsWith(`${namespace}/`) && protocol !== 'tcp');
  const isOutside = ({ source }: RecordedEdge): boolean => !source.startsWith(`${namespace}/`);
  const targets = new Set(calls.map(({ target }) => target));
  return mostCalled(calls.filter(isOutside)) ?? mostCalled(calls.filter(({ source }) => !targets.has(source)));
}

function mostCalled(edges: readonly RecordedEdge[]): WorkloadName | null {
  const sums = new Map<WorkloadName, number>();
  for (const { target, callsPerSecond } of edges) {
    const known = callsPerSecond.filter((rate) => !Number.isNaN(rate));
    sums.set(target, (sums.get(target) ?? 0) + known.reduce((sum, rate) => sum + rate, 0));
  }
  const called = [...sums].filter(([, sum]) => sum > 0).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return called[0]?.[0] ?? null;
}

function noEntry(namespace: string, entry: WorkloadName | null, services: readonly RecordedService[]): CoxswainError {
  const names = services.map(({ workload }) => workload).join(', ') || 'none';
  const found = entry === null ? `Nobody in ${namespace} was called` : `Nothing was recorded of the entry ${entry}`;
  return new CoxswainError(
    'RECORDING_INCOMPLETE',
    `${found}, so there are no users' requests; workloads recorded: ${names}. Name collect.source.entry, or check that the mesh's series are in Prometheus.`,
  );
}

function joinServices(chunks: readonly ClusterRecording[], bins: number): RecordedService[] {
  const found = new Map<WorkloadName, RecordedService>();
  forEachChunk(chunks, (chunk, from) => {
    for (const service of chunk.services) {
      const before = found.get(service.workload);
      found.set(service.workload, before ? withFacts(before, service) : emptied(service, bins));
      const { series } = found.get(service.workload)!;
      for (const name of serviceSeries) series[name].set(service.series[name], from);
    }
  });
  return [...found.values()].sort((a, b) => (a.workload < b.workload ? -1 : 1));
}

/** The later chunk knows better, where it knows anything. */
function withFacts(before: RecordedService, later: RecordedService): RecordedService {
  const { workload, series, startupSeconds } = before;
  const facts = { ...later, workload, series, startupSeconds };
  const isKnown =
    later.cpuRequestMillicores !== null || later.memoryRequestBytes !== null || later.minReplicas !== null;
  return { ...(isKnown ? facts : before), startupSeconds: [...startupSeconds, ...later.startupSeconds] };
}

function emptied(service: RecordedService, bins: number): RecordedService {
  const series = Object.fromEntries(serviceSeries.map((name) => [name, unknown(bins)]));
  return { ...service, series: series as Record<ServiceSeries, Float32Array> };
}

/** An edge that a chunk lacks carried nothing in the bins in which that chunk has others. */
function joinEdges(chunks: readonly ClusterRecording[], bins: number): RecordedEdge[] {
  const found = new Map<string, RecordedEdge>();
  const keyOf = ({ source, target, protocol }: RecordedEdge): string => `${source}\n${target}\n${protocol}`;
  const idle = new Float32Array(bins).fill(NaN);
  forEachChunk(chunks, ({ edges, bins: size }, from) => {
    for (let bin = 0; bin < size; bin++)
      if (edges.some(({ callsPerSecond }) => !Number.isNaN(callsPerSecond[bin]))) idle[from + bin] = 0;
  });
  forEachChunk(chunks, (chunk, from) => {
    for (const edge of chunk.edges) {
      const key = keyOf(edge);
      const joined = found.get(key) ?? {
        ...edge,
        callsPerSecond: idle.slice(),
        errorRate: edge.protocol === 'tcp' ? unknown(bins) : idle.slice(),
        meanSeconds: unknown(bins),
      };
      found.set(key, joined);
      joined.callsPerSecond.set(edge.callsPerSecond, from);
      joined.errorRate.set(edge.errorRate, from);
      joined.meanSeconds.set(edge.meanSeconds, from);
    }
  });
  return [...found.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function forEachChunk(
  chunks: readonly ClusterRecording[],
  visit: (chunk: ClusterRecording, from: number) => void,
): void {
  let from = 0;
  for (const chunk of chunks) {
    visit(chunk, from);
    from += chunk.bins;
  }
}

/**
 * The requests that arrived in each bin, a rate times its length, rounded; a bin whose rate is not known lies on the straight
 * line between its neighbours, or is as the nearest one where there is only one.
 * @throws CoxswainError RECORDING_INCOMPLETE when not one request was recorded.
 */
export function arrivalsOf({ requestsPerSecond, binSeconds, entry }: ClusterRecording): {
  arrivals: Uint32Array;
  interpolatedBins: number;
} {
  const known = Array.from(requestsPerSecond.keys()).filter((bin) => !Number.isNaN(requestsPerSecond[bin]));
  const arrivals = new Uint32Array(requestsPerSecond.length);
  let next = 0;
  for (let bin = 0; bin < arrivals.length; bin++) {
    while (next < known.length && known[next] < bin) next++;
    const after = known[next] ?? known[next - 1];
    const before = known[next] === bin ? bin : (known[next - 1] ?? after);
    const share = after === before ? 0 : (bin - before) / (after - before);
    const rate = requestsPerSecond[before] + share * (requestsPerSecond[after] - requestsPerSecond[before]);
    arrivals[bin] = Math.round(Math.max(0, rate) * binSeconds);
  }
  if (arrivals.every((count) => count === 0))
    throw new CoxswainError(
      'RECORDING_INCOMPLETE',
      `Not one request to ${entry} was recorded; check collect.source.entry.`,
    );
  return { arrivals, interpolatedBins: arrivals.length - known.length };
}

function firstKnown(...values: readonly (number | undefined)[]): number {
  return values.find((value) => value !== undefined && !Number.isNaN(value)) ?? NaN;
}

function unknown(bins: number): Float32Array {
  return new Float32Array(bins).fill(NaN);
}

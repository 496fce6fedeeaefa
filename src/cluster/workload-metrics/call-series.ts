import { selector, sharpestRate } from '../prometheus/expressions.ts';
import type { LabelFilter } from '../prometheus/expressions.ts';
import type { GridSeries, PrometheusClient, TimeGrid } from '../prometheus/prometheus-client.ts';
import type { WorkloadLabels } from '../service-graph/metric-graph.ts';
import { unknownWorkload } from '../../contracts/cluster.ts';
import type { WorkloadName } from '../../contracts/cluster.ts';
import type { RecordedEdge } from '../../contracts/cluster-metrics.ts';
import { quantile } from './histogram.ts';
import type { Bucket } from './histogram.ts';
import type { CallMetricNames, SideMetricNames } from './metric-names.ts';

/** Which series, when. */
export interface SeriesRequest {
  readonly namespaces: readonly string[];
  /** Rates at each of its times are means over a window before it. */
  readonly grid: TimeGrid;
  /** Shortest first; the first one in which a series has two samples counts. */
  readonly rateWindows: readonly number[];
  readonly signal?: AbortSignal;
}

/** Rates of one edge on the grid, per second. NaN where there is none. */
export interface EdgeRates {
  readonly source: WorkloadName;
  readonly target: WorkloadName;
  readonly protocol: RecordedEdge['protocol'];
  readonly rates: Float64Array;
}

/** What one side counts. */
export interface SideSeries {
  readonly requests: readonly EdgeRates[];
  /** Sum of the durations, in seconds per second, and how many there were. */
  readonly durationSums: readonly EdgeRates[];
  readonly durationCounts: readonly EdgeRates[];
}

/** All that is known of calls into, between and out of the workloads of namespaces. */
export interface CallSeries {
  readonly server: SideSeries;
  /** Empty where callers tell nothing. */
  readonly client: SideSeries;
  /** As the server counts them. */
  readonly errors: readonly EdgeRates[];
  readonly connections: readonly EdgeRates[];
  /** Histograms of the durations at servers, all callers together. */
  readonly histograms: ReadonlyMap<WorkloadName, Histogram>;
}

/** A histogram on the grid: a rate for each bound, seconds. */
export type Histogram = ReadonlyMap<number, Float64Array>;

/**
 * Reads the series of calls with one query each, whatever the number of workloads, all at once.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE, OBSERVATION_REFUSED
 */
export async function readCallSeries(
  client: PrometheusClient,
  names: CallMetricNames,
  request: SeriesRequest,
): Promise<CallSeries> {
  const at = (side: SideMetricNames, end: 'source' | 'target', extra?: LabelFilter): LabelFilter =>
    sideFilter(names, side, end, request, extra);
  const edges = async (metric: string, filter: LabelFilter, scale = 1, protocol?: 'tcp'): Promise<EdgeRates[]> => {
    const by = protocol === 'tcp' ? endLabels(names) : edgeLabels(names);
    const series = await ask(client, selector(metric, filter), by, request);
    return joined(series.map(({ labels, values }) => edgeOf(names, request, labels, scaled(values, scale), protocol)));
  };
  const side = async (sideNames: SideMetricNames, end: 'source' | 'target'): Promise<SideSeries> => {
    const [requests, durationSums, durationCounts] = await Promise.all([
      edges(names.requests, at(sideNames, end)),
      edges(sideNames.durationSum, at(sideNames, end), names.durationSecondsPerUnit),
      edges(sideNames.durationCount, at(sideNames, end)),
    ]);
    return { requests, durationSums, durationCounts };
  };
  const { server } = names;
  const [serverSide, clientSide, errors, connections, histograms] = await Promise.all([
    side(server, 'target'),
    names.client === null ? nothing : side(names.client, 'source'),
    Promise.all(
      names.errors.map((error) =>
        'metric' in error
          ? edges(error.metric, at(server, 'target'))
          : edges(names.requests, at(server, 'target', error.filter)),
      ),
    ),
    names.tcpConnections === null ? [] : edges(names.tcpConnections, at(server, 'target'), 1, 'tcp'),
    readHistograms(client, names, request, at(server, 'target')),
  ]);
  return { server: serverSide, client: clientSide, errors: joined(errors.flat()), connections, histograms };
}

const nothing: SideSeries = { requests: [], durationSums: [], durationCounts: [] };

async function readHistograms(
  client: PrometheusClient,
  names: CallMetricNames,
  request: SeriesRequest,
  filter: LabelFilter,
): Promise<Map<WorkloadName, Map<number, Float64Array>>> {
  const by = ['le', ...labelsOf(names.target)];
  const series = await ask(client, selector(names.server.durationBuckets, filter), by, request);
  const histograms = new Map<WorkloadName, Map<number, Float64Array>>();
  for (const { labels, values } of series) {
    const target = workloadOf(labels, names.target, names, request);
    const histogram = histograms.get(target) ?? new Map<number, Float64Array>();
    histograms.set(target, histogram);
    const bound = Number(labels.le === '+Inf' ? Infinity : labels.le) * names.durationSecondsPerUnit;
    // Two spellings of a bound (`5`, `5.0`) are one.
    const before = histogram.get(bound);
    histogram.set(bound, before ? added(before, values) : values);
  }
  return histograms;
}

/** A quantile at each time of the grid; NaN where nothing was observed. */
export function quantiles(share: number, histogram: Histogram | undefined, points: number): Float64Array {
  return Float64Array.from({ length: points }, (_, point) => quantile(share, bucketsAt(histogram, point)));
}

/** The buckets of a histogram at a time of the grid. */
export function bucketsAt(histogram: Histogram | undefined, point: number): Bucket[] {
  return Array.from(histogram ?? [], ([bound, rates]) => ({ bound, count: rates[point] }));
}

/** Adds up the rates of edges that are chosen; where nothing is known of any of them, NaN. */
export function total(
  edges: readonly EdgeRates[],
  points: number,
  isMeant: (edge: EdgeRates) => boolean,
): Float64Array {
  return edges
    .filter(isMeant)
    .map(({ rates }) => rates)
    .reduce(added, new Float64Array(points).fill(NaN));
}

/** Sums, where NaN counts as nothing unless both are. */
export function added(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => (Number.isNaN(value) ? b[i] : Number.isNaN(b[i]) ? value : value + b[i]));
}

async function ask(
  client: PrometheusClient,
  metric: string,
  by: readonly string[],
  { grid, rateWindows, signal }: SeriesRequest,
): Promise<readonly GridSeries[]> {
  const { series } = await client.queryGrid(sharpestRate(metric, rateWindows, by), grid, signal);
  return series;
}

/** Restricts series to those of one side of the calls, whose `end` is in the namespaces asked for. */
export function sideFilter(
  names: CallMetricNames,
  { filter }: SideMetricNames,
  end: 'source' | 'target',
  { namespaces }: SeriesRequest,
  extra?: LabelFilter,
): LabelFilter {
  return { ...filter, ...within(names[end], namespaces), ...extra };
}

function within({ namespace }: WorkloadLabels, namespaces: readonly string[]): LabelFilter {
  return namespace === null ? {} : { [namespace]: namespaces };
}

function labelsOf({ name, namespace }: WorkloadLabels): string[] {
  return namespace === null ? [name] : [name, namespace];
}

/** The labels that name both ends of a call. */
export function endLabels({ source, target }: CallMetricNames): string[] {
  return [...labelsOf(source), ...labelsOf(target)];
}

function edgeLabels(names: CallMetricNames): string[] {
  return names.protocolLabel === null ? endLabels(names) : [...endLabels(names), names.protocolLabel];
}

/** What the labels of a series say of its edge. */
export function edgeOf(
  names: CallMetricNames,
  request: SeriesRequest,
  labels: GridSeries['labels'],
  rates: Float64Array,
  protocol = protocolOf(names, labels),
): EdgeRates {
  return {
    source: workloadOf(labels, names.source, names, request),
    target: workloadOf(labels, names.target, names, request),
    protocol,
    rates,
  };
}

function protocolOf({ protocolLabel }: CallMetricNames, labels: GridSeries['labels']): RecordedEdge['protocol'] {
  return protocolLabel !== null && labels[protocolLabel] === 'grpc' ? 'grpc' : 'http';
}

/** Series that say no namespace are of the first one. */
function workloadOf(
  labels: GridSeries['labels'],
  { name, namespace }: WorkloadLabels,
  { outside }: CallMetricNames,
  { namespaces }: SeriesRequest,
): WorkloadName {
  const own = labels[name] ?? '';
  if (own === '' || outside.includes(own)) return unknownWorkload;
  return `${namespace === null ? namespaces[0] : (labels[namespace] ?? '')}/${own}`;
}

/** Series that are one edge for us are added up. */
function joined(edges: readonly EdgeRates[]): EdgeRates[] {
  const found = new Map<string, EdgeRates>();
  for (const edge of edges) {
    const key = `${edge.source}\n${edge.target}\n${edge.protocol}`;
    const before = found.get(key);
    found.set(key, before ? { ...before, rates: added(before.rates, edge.rates) } : edge);
  }
  return [...found.values()];
}

function scaled(values: Float64Array, scale: number): Float64Array {
  return scale === 1 ? values : values.map((value) => value * scale);
}

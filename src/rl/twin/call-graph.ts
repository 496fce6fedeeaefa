import type { ClusterRecording, RecordedService } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import type { CallParameters } from '../environments/online-boutique/application.ts';
import { entryFirst, isKnown, knownBins, valuesAt } from './recorded.ts';
import { robustRatio } from './robust.ts';

/** Calls that one call of a service makes to another, on average. */
export interface CallRatio {
  readonly source: number;
  readonly target: number;
  readonly calls: number;
}

/** Who calls whom how often, services by their place with the entry first. Nobody gets to himself through the calls. */
export interface CallGraph {
  readonly calls: readonly CallRatio[];
  /** Calls that an average users' request makes to each service. */
  readonly visits: Float64Array;
  readonly notes: readonly string[];
}

/** Fewer calls a request than this do not count. */
const LEAST_RATIO = 1e-4;
/** Part of a service's calls that known callers may leave unexplained before the entry is taken for the caller. */
const UNEXPLAINED = 0.05;
/** Calls that an average request may make. */
export const MOST_CALLS = 1000;
/** Calls in the tree of a request, rare ones too: each is a stage of the simulator. */
const MOST_STAGES = 1000;

/**
 * Ratios of calls by the forced-flow law (Denning & Buzen, "The Operational Analysis of Queueing Network Models", 1978):
 * X_s = V_s · X_0. An edge's ratio is its rate over its caller's. Three things make the graph whole:
 *
 * 1. Calls that go round are cut where a walk from the entry, busiest edge first, comes back to a service on its way.
 * 2. A service whose calls exceed what its known callers make (edges missing, callers outside of the mesh, cut circles)
 *    is called by the entry for the rest, so that its visits are those that were recorded.
 * 3. A graph with so many ways through it that its tree would have more than 1000 calls becomes flat: the entry calls
 *    every service as often as before. A request passes its calls one after the other, so its latency stays the same.
 * 4. A service whose calls nobody counted (plain TCP, where an edge counts connections) is called once for each call of a
 *    known caller, else of the entry.
 */
export function fitCallGraph(recording: ClusterRecording, range: BinRange): CallGraph {
  const services = entryFirst(recording);
  const notes: string[] = [];
  const recorded = recordedRatios(recording, services, range);
  if (recorded.length === 0 && services.length > 1) {
    notes.push('There are no edges: every service is taken as called by the entry.');
  }
  const { kept, cut } = withoutCircles(recorded, services.length);
  for (const { source, target } of cut) {
    const way = `${services[source].workload} → ${services[target].workload}`;
    notes.push(`Calls go round through ${way}: taken as the entry's.`);
  }
  const { calls, visits } = withRest(recording, range, kept, notes);
  if (stagesOf(calls, services.length) <= MOST_STAGES) return { calls, visits, notes };
  notes.push(`There are more than ${MOST_STAGES} ways through the services: all are taken as called by the entry.`);
  return { calls: calledByEntry(visits), visits, notes };
}

/** The visits of every service, and the calls with what the entry makes of those that known callers do not explain. */
function withRest(
  recording: ClusterRecording,
  range: BinRange,
  kept: readonly CallRatio[],
  notes: string[],
): { calls: CallRatio[]; visits: Float64Array } {
  const services = entryFirst(recording);
  const visits = new Float64Array(services.length);
  const calls = [...kept];
  visits[0] = 1;
  for (const s of callersFirst(kept, services.length)) {
    if (s === 0) continue;
    const { workload } = services[s];
    const explained = kept.reduce((sum, edge) => (edge.target === s ? sum + visits[edge.source] * edge.calls : sum), 0);
    const measured = measuredVisits(recording, services[s], range);
    const isCounted = Number.isFinite(measured);
    const rest = isCounted ? measured - explained : explained > 0 ? 0 : 1;
    visits[s] = explained;
    if (rest <= UNEXPLAINED * (isCounted ? measured : 1) || rest < LEAST_RATIO) continue;
    visits[s] += rest;
    addCalls(calls, { source: 0, target: s, calls: rest });
    if (!isCounted) notes.push(`Nobody counted the calls to ${workload}: taken as one a request.`);
    else if (kept.length > 0) {
      const percent = Math.round((100 * rest) / measured);
      notes.push(`${percent} % of the calls to ${workload} have no known caller: taken as the entry's.`);
    }
  }
  return { calls, visits };
}

/** Calls in the tree of {@link callTree}. */
function stagesOf(calls: readonly CallRatio[], count: number): number {
  const stages = new Float64Array(count);
  for (const s of callersFirst(calls, count).reverse()) {
    stages[s] = 1;
    for (const { source, target, calls: ratio } of calls) {
      if (source === s) stages[s] += Math.max(1, Math.ceil(ratio)) * stages[target];
    }
  }
  return stages[0];
}

function calledByEntry(visits: Float64Array): CallRatio[] {
  return [...visits.keys()]
    .filter((s) => s > 0 && visits[s] >= LEAST_RATIO)
    .map((target) => ({ source: 0, target, calls: visits[target] }));
}

/**
 * The average request's calls as a tree: r calls of an edge become ⌈r⌉ in a row, each made by a share r/⌈r⌉ of the
 * requests. @param factor of a call of the entry: what its ratio is multiplied by.
 */
export function callTree(
  { calls }: Pick<CallGraph, 'calls'>,
  names: readonly string[],
  from = 0,
  factor: (edge: CallRatio) => number = () => 1,
): CallParameters {
  const inner = calls
    .filter(({ source }) => source === from)
    .map((edge) => {
      const ratio = edge.calls * factor(edge);
      const times = Math.max(1, Math.ceil(ratio - 1e-9));
      const share = Math.min(1, ratio / times);
      const { calls: further } = callTree({ calls }, names, edge.target);
      return { service: names[edge.target], times, share, ...(further === undefined ? {} : { calls: further }) };
    });
  return { service: names[from], ...(inner.length === 0 ? {} : { calls: inner }) };
}

/** A service's calls for each users' request, by what was counted; NaN when nobody counted. */
function measuredVisits(recording: ClusterRecording, service: RecordedService, range: BinRange): number {
  const { callsPerSecond } = service.series;
  const bins = knownBins(range, callsPerSecond, recording.requestsPerSecond);
  if (bins.length === 0) return NaN;
  return ratioOf(recording, callsPerSecond, recording.requestsPerSecond, bins);
}

function ratioOf(
  { binSeconds }: ClusterRecording,
  calls: Float32Array,
  callers: Float32Array,
  bins: Int32Array,
): number {
  const counts = (rates: Float32Array): Float64Array => valuesAt(rates, bins).map((rate) => binSeconds * rate);
  return robustRatio(counts(callers), counts(calls));
}

function recordedRatios(
  recording: ClusterRecording,
  services: readonly RecordedService[],
  range: BinRange,
): CallRatio[] {
  const places = new Map(services.map(({ workload }, place) => [workload, place]));
  return recording.edges.flatMap((edge) => {
    const source = places.get(edge.source);
    const target = places.get(edge.target);
    // The entry's calls are the users': what other services ask of it has no place in a tree that begins there.
    if (source === undefined || target === undefined || target === 0) return [];
    if (!isKnown(edge.callsPerSecond, range)) return [];
    const callers = source === 0 ? recording.requestsPerSecond : services[source].series.callsPerSecond;
    // What a caller does while the called service is not there says nothing about its calls.
    const bins = knownBins(range, edge.callsPerSecond, callers, services[target].series.readyReplicas);
    if (edge.protocol === 'tcp') {
      return isKnown(services[target].series.callsPerSecond, range) ? [] : [{ source, target, calls: 1 }];
    }
    const calls = ratioOf(recording, edge.callsPerSecond, callers, bins);
    return calls >= LEAST_RATIO ? [{ source, target, calls }] : [];
  });
}

/** Walks from the entry, busiest edge first, and cuts each edge that leads back to a service on its own way. */
function withoutCircles(edges: readonly CallRatio[], count: number): { kept: CallRatio[]; cut: CallRatio[] } {
  const kept: CallRatio[] = [];
  const cut: CallRatio[] = [];
  const state = new Uint8Array(count); // 1 = on the way, 2 = done
  const walk = (s: number): void => {
    state[s] = 1;
    for (const edge of edges.filter(({ source }) => source === s).sort((a, b) => b.calls - a.calls)) {
      if (state[edge.target] === 1) {
        cut.push(edge);
        continue;
      }
      kept.push(edge);
      if (state[edge.target] === 0) walk(edge.target);
    }
    state[s] = 2;
  };
  for (let s = 0; s < count; s++) if (state[s] === 0) walk(s);
  return { kept, cut };
}

/** Services so that each comes after its callers (edges must not go round). */
function callersFirst(edges: readonly CallRatio[], count: number): number[] {
  const order: number[] = [];
  const done = new Uint8Array(count);
  const visit = (s: number): void => {
    if (done[s] === 1) return;
    done[s] = 1;
    for (const { target, source } of edges) if (target === s) visit(source);
    order.push(s);
  };
  for (let s = 0; s < count; s++) visit(s);
  return order;
}

function addCalls(calls: CallRatio[], more: CallRatio): void {
  const at = calls.findIndex(({ source, target }) => source === more.source && target === more.target);
  if (at < 0) calls.push(more);
  else calls[at] = { ...more, calls: calls[at].calls + more.calls };
}

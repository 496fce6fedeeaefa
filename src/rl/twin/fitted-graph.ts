import type { ClusterRecording, RecordedService } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import type { Application, CallParameters, RequestParameters } from '../environments/online-boutique/application.ts';
import type {
  Feature,
  FeatureCall,
  GraphApplication,
  GraphService,
} from '../environments/service-graph/graph-application.ts';
import { callsOf } from './fit-service.ts';
import { entryFirst, isThere, knownBins, valuesAt } from './recorded.ts';
import { quantile, robustSlopes } from './robust.ts';

const MEBIBYTE = 2 ** 20;
/** A service that is away in more of the bins than this comes and goes. */
const AWAY_SHARE = 0.02;
/** Services that are there in the same bins, but for this share, are one feature. */
const TOGETHER_SHARE = 0.95;
const PRIOR_IDLE_MEBIBYTES = 64;

/**
 * The fitted application as one whose services come and go. Services that were away part of the time are features; those
 * that came and went together are one. Memory by robust regression of a pod's memory on the calls at it (Little's law:
 * calls at a service = X · mean time there).
 */
export function fittedGraph(
  application: Application,
  recording: ClusterRecording,
  range: BinRange,
  visits: Float64Array,
): { graph: GraphApplication; changesPerHour: number } {
  const recorded = entryFirst(recording);
  const services = application.services.map((service, s): GraphService => ({
    ...service,
    ...fitMemory(recorded[s], callsOf(recording, recorded[s], range, visits[s]), range),
    sidecar: recording.dialect === 'istio' && knownBins(range, recorded[s].series.callsPerSecond).length > 0,
    canaries: false,
  }));
  const presences = recorded.map((service) => presenceOf(service, range));
  const together = featureGroups(presences, range);
  const groups: Groups = new Map(together.flatMap((places, group) => places.map((s) => [services[s].name, group])));
  const features = together.map((places, group): Feature => ({
    name: services[places[0]].name,
    services: places.map((s) => services[s]),
    calls: callsInto(group, application.requests, groups),
  }));
  const graph = {
    services: services.filter(({ name }) => !groups.has(name)),
    requests: application.requests.map((request) => ({ ...request, call: alwaysMade(request.call, groups) })),
    features,
  };
  const changes = together.reduce((sum, [first]) => sum + changesIn(presences[first]), 0);
  const hours = ((range.to - range.from) * recording.binSeconds) / 3600;
  return {
    graph,
    changesPerHour: Math.min(240, changes / hours),
  };
}

function fitMemory(service: RecordedService, calls: Float32Array, range: BinRange) {
  const { memoryBytes, readyReplicas, meanSeconds } = service.series;
  const bins = knownBins(range, memoryBytes, readyReplicas, calls, meanSeconds);
  const plain = bins.length > 0 ? bins : knownBins(range, memoryBytes, readyReplicas);
  const memory = valuesAt(memoryBytes, plain).map((bytes) => bytes / MEBIBYTE);
  const pods = valuesAt(readyReplicas, plain);
  const atService = bins.length > 0 ? bins : null;
  const present =
    atService === null ? pods.map(() => 0) : Float64Array.from(bins, (bin) => calls[bin] * meanSeconds[bin]);
  const { a, b } = robustSlopes(pods, present, memory, { prior: PRIOR_IDLE_MEBIBYTES, ridge: 0.01 * plain.length });
  const idle = plain.length > 0 ? a : PRIOR_IDLE_MEBIBYTES;
  const most = quantile(
    memory.map((mebibytes, i) => mebibytes / Math.max(1, pods[i])),
    1,
  );
  const limit =
    service.memoryLimitBytes === null ? 2 * Math.max(idle, most || 0, 1) : service.memoryLimitBytes / MEBIBYTE;
  return {
    memoryIdleMebibytes: Math.min(idle, limit),
    memoryLimitMebibytes: limit,
    memoryPerCallMebibytes: b,
  };
}

/** Of each bin of the range whether the service was there. */
function presenceOf(service: RecordedService, { from, to }: BinRange): boolean[] {
  return Array.from({ length: to - from }, (_, bin) => isThere(service, from + bin));
}

/** Places of services that come and go, together where they do. The entry is always there. */
function featureGroups(presences: readonly (readonly boolean[])[], range: BinRange): number[][] {
  const length = range.to - range.from;
  const groups: number[][] = [];
  presences.forEach((present, s) => {
    const away = present.filter((there) => !there).length;
    if (s === 0 || away <= AWAY_SHARE * length) return;
    const group = groups.find(([first]) => sameShare(presences[first], present) >= TOGETHER_SHARE);
    if (group === undefined) groups.push([s]);
    else group.push(s);
  });
  return groups;
}

function sameShare(a: readonly boolean[], b: readonly boolean[]): number {
  return a.filter((there, bin) => there === b[bin]).length / a.length;
}

function changesIn(present: readonly boolean[]): number {
  return present.filter((there, bin) => bin > 0 && there !== present[bin - 1]).length;
}

/** The group of each service that comes and goes. */
type Groups = ReadonlyMap<string, number>;

/** A call with the calls within it that are always made with it: those into a feature only from the feature itself. */
function alwaysMade(call: CallParameters, groups: Groups): CallParameters {
  const calls = call.calls
    ?.filter(({ service }) => !groups.has(service) || groups.get(service) === groups.get(call.service))
    .map((inner) => alwaysMade(inner, groups));
  return { ...call, ...(calls === undefined ? {} : { calls }) };
}

/** The calls by which others get into a group's services: one a request and caller, since trees repeat themselves. */
function callsInto(group: number, requests: readonly RequestParameters[], groups: Groups): FeatureCall[] {
  const found = new Map<string, FeatureCall>();
  const search = (request: string, { service: caller, calls = [] }: CallParameters): void => {
    for (const call of calls) {
      search(request, call);
      if (groups.get(call.service) !== group || groups.get(caller) === group) continue;
      const key = `${request} ${caller} ${call.service}`;
      if (!found.has(key)) found.set(key, { requests: [request], caller, call: alwaysMade(call, groups) });
    }
  };
  for (const { name, call } of requests) search(name, call);
  return [...found.values()];
}

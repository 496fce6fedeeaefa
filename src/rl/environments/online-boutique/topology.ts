import type { Application, CallParameters } from './application.ts';

/**
 * An application as flat arrays. Every call of every request type is one stage: a request of type t passes the stages
 * `typeStart[t]` … `typeStart[t + 1] − 1` in order, one call at a time, so the requests at a stage are the calls in the
 * system of its service.
 */
export interface Topology {
  readonly services: readonly string[];
  readonly requestTypes: readonly string[];
  /** Service of each stage. */
  readonly stageService: Int32Array;
  /** First stage of each type, and one entry more: the number of stages. */
  readonly typeStart: Int32Array;
  /** Share of each type in the arrivals; sums to 1. */
  readonly typeShare: Float64Array;
  /** Calls of each type to each service, row = type. */
  readonly callsPerType: Float64Array;
  /** Latency of each type with empty queues: mean, seconds, and variance, seconds². */
  readonly typeBaseMean: Float64Array;
  readonly typeBaseVariance: Float64Array;
  /** Calls that an average request makes to each service. */
  readonly visits: Float64Array;
  /** Time between two calls of one request to the same service with empty queues, seconds; mean over types. */
  readonly callGapSeconds: Float64Array;
}

/** Flattens a validated application. */
export function compileTopology(application: Application): Topology {
  const services = application.services.map((service) => service.name);
  const paths = application.requests.map((request) => stagesOf(request.call, services));
  const typeStart = new Int32Array(paths.length + 1);
  paths.forEach((path, type) => (typeStart[type + 1] = typeStart[type] + path.length));
  const weightSum = application.requests.reduce((sum, request) => sum + request.weight, 0);
  const typeShare = Float64Array.from(application.requests, (request) => request.weight / weightSum);
  const callsPerType = countCalls(paths, services.length);
  const { mean, variance } = emptyLatency(application, paths);
  return {
    services,
    requestTypes: application.requests.map((request) => request.name),
    stageService: Int32Array.from(paths.flat()),
    typeStart,
    typeShare,
    callsPerType,
    typeBaseMean: mean,
    typeBaseVariance: variance,
    visits: visitsOf(callsPerType, typeShare, services.length),
    callGapSeconds: callGaps(callsPerType, typeShare, mean, services.length),
  };
}

/** The services that a call visits, itself first, in the order of the visits. */
function stagesOf(call: CallParameters, services: readonly string[]): number[] {
  const once = [services.indexOf(call.service), ...(call.calls ?? []).flatMap((inner) => stagesOf(inner, services))];
  return Array.from({ length: call.times ?? 1 }, () => once).flat();
}

function countCalls(paths: readonly number[][], serviceCount: number): Float64Array {
  const calls = new Float64Array(paths.length * serviceCount);
  paths.forEach((path, type) => path.forEach((service) => calls[type * serviceCount + service]++));
  return calls;
}

function emptyLatency(application: Application, paths: readonly number[][]) {
  const mean = new Float64Array(paths.length);
  const variance = new Float64Array(paths.length);
  paths.forEach((path, type) => {
    for (const index of path) {
      const service = application.services[index];
      mean[type] += service.networkSeconds + service.serviceSeconds;
      variance[type] += service.serviceScv * service.serviceSeconds ** 2;
    }
  });
  return { mean, variance };
}

function visitsOf(callsPerType: Float64Array, typeShare: Float64Array, serviceCount: number): Float64Array {
  const visits = new Float64Array(serviceCount);
  callsPerType.forEach((calls, index) => {
    visits[index % serviceCount] += calls * typeShare[Math.floor(index / serviceCount)];
  });
  return visits;
}

function callGaps(
  callsPerType: Float64Array,
  typeShare: Float64Array,
  typeMean: Float64Array,
  serviceCount: number,
): Float64Array {
  return Float64Array.from({ length: serviceCount }, (_, service) => {
    let weight = 0;
    let sum = 0;
    for (let type = 0; type < typeShare.length; type++) {
      const calls = callsPerType[type * serviceCount + service];
      if (calls < 2) continue;
      weight += typeShare[type];
      sum += (typeShare[type] * typeMean[type]) / calls;
    }
    return weight === 0 ? 0 : sum / weight;
  });
}

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
  /** Share of a type's requests that make the call of each stage; the others pass it by. */
  readonly stageShare: Float64Array;
  /** Service that makes the call of each stage; −1 where users do. */
  readonly stageCaller: Int32Array;
  /** First stage behind each stage's call and all the calls within it. */
  readonly stageEnd: Int32Array;
  /** Each stage's path through the call tree of its type, the same in every application that has the call. */
  readonly stagePath: readonly string[];
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
  const places = new Map(services.map((name, index) => [name, index]));
  const paths = application.requests.map((request) => {
    const stages: Stage[] = [];
    addStages(request.call, places, { ...users, path: request.name }, 0, stages);
    return stages;
  });
  const stages = paths.flat();
  const typeStart = new Int32Array(paths.length + 1);
  paths.forEach((path, type) => (typeStart[type + 1] = typeStart[type] + path.length));
  const weightSum = application.requests.reduce((sum, request) => sum + request.weight, 0);
  const typeShare = Float64Array.from(application.requests, (request) => request.weight / weightSum);
  const callsPerType = countCalls(paths, services.length);
  const { mean, variance } = emptyLatency(application, paths);
  return {
    services,
    requestTypes: application.requests.map((request) => request.name),
    stageService: Int32Array.from(stages, (stage) => stage.service),
    stageShare: Float64Array.from(stages, (stage) => stage.share),
    stageCaller: Int32Array.from(stages, (stage) => stage.caller),
    stageEnd: Int32Array.from(stages, (stage, index) => index + stage.length),
    stagePath: stages.map((stage) => stage.path),
    typeStart,
    typeShare,
    callsPerType,
    typeBaseMean: mean,
    typeBaseVariance: variance,
    visits: visitsOf(callsPerType, typeShare, services.length),
    callGapSeconds: callGaps(callsPerType, typeShare, mean, services.length),
  };
}

/** One call of a request type. */
interface Stage {
  readonly service: number;
  readonly caller: number;
  readonly share: number;
  readonly path: string;
  /** Stages of the call and all calls within it. */
  length: number;
}

const users: Omit<Stage, 'path'> = { service: -1, caller: -1, share: 1, length: 0 };

/** Adds the stages of a call, itself first, in the order of the visits. @param number of the calls like it before. */
function addStages(
  call: CallParameters,
  places: ReadonlyMap<string, number>,
  parent: Stage,
  number: number,
  stages: Stage[],
): void {
  const service = places.get(call.service)!;
  for (let time = 1; time <= (call.times ?? 1); time++) {
    const stage: Stage = {
      service,
      caller: parent.service,
      share: parent.share * (call.share ?? 1),
      path: `${parent.path}/${call.service}:${number + time}`,
      length: 0,
    };
    const before = stages.push(stage) - 1;
    if (call.calls !== undefined) addInnerStages(call.calls, places, stage, stages);
    stage.length = stages.length - before;
  }
}

function addInnerStages(
  calls: readonly CallParameters[],
  places: ReadonlyMap<string, number>,
  parent: Stage,
  stages: Stage[],
): void {
  calls.forEach((call, index) => {
    let number = 0;
    for (let i = 0; i < index; i++) if (calls[i].service === call.service) number += calls[i].times ?? 1;
    addStages(call, places, parent, number, stages);
  });
}

function countCalls(paths: readonly Stage[][], serviceCount: number): Float64Array {
  const calls = new Float64Array(paths.length * serviceCount);
  paths.forEach((path, type) => path.forEach(({ service, share }) => (calls[type * serviceCount + service] += share)));
  return calls;
}

/** A call that only a share p of the requests makes adds p·(σ² + (1 − p)·m²) to the variance. */
function emptyLatency(application: Application, paths: readonly Stage[][]) {
  const mean = new Float64Array(paths.length);
  const variance = new Float64Array(paths.length);
  paths.forEach((path, type) => {
    for (const { service: index, share } of path) {
      const service = application.services[index];
      const seconds = service.networkSeconds + service.serviceSeconds;
      mean[type] += share * seconds;
      variance[type] += share * (service.serviceScv * service.serviceSeconds ** 2 + (1 - share) * seconds ** 2);
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

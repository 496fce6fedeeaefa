import { Generator } from '../../random.ts';

/** A cluster and what runs on it, drawn once for an environment; what happens there is drawn anew in every episode. */
export interface Scenario {
  readonly nodes: number;
  readonly zones: number;
  readonly services: number;
  /** Zone of each node. */
  readonly nodeZone: Int32Array;
  /** CPU of each node, millicores. */
  readonly nodeCpu: Float64Array;
  /** Memory of each node, mebibytes. */
  readonly nodeMemory: Float64Array;
  /** Round trip between nodes of two zones (row × column), milliseconds; the diagonal is between two nodes of a zone. */
  readonly zoneMilliseconds: Float64Array;
  /** CPU and memory requests of a pod of each service: millicores, mebibytes. */
  readonly podCpu: Float64Array;
  readonly podMemory: Float64Array;
  /** Calls that a user's request makes to each service; users call service 0. */
  readonly visits: Float64Array;
  /** Time of a call on an idle pod, milliseconds. */
  readonly callMilliseconds: Float64Array;
  /** Pods of each service that keep it at {@link TARGET_LOAD} at the peak. */
  readonly peakReplicas: Int32Array;
  readonly calls: readonly ServiceCall[];
  /** Row × column: 1 = pods of the two services may not share a node. */
  readonly conflicts: Uint8Array;
  /** Row = service, column = zone: 1 = its pods may run there. */
  readonly allowedZones: Uint8Array;
  /** Users' requests a second at the peak. */
  readonly peakRequests: number;
}

/** A call between services: how often a user's request makes it. */
export interface ServiceCall {
  readonly caller: number;
  readonly callee: number;
  readonly perRequest: number;
}

/** What a scenario is drawn from. */
export interface ScenarioSettings {
  readonly nodes: number;
  readonly zones: number;
  readonly services: number;
  /** Share of the cluster's CPU that the pods of the peak request. */
  readonly fillShare: number;
  readonly scenarioSeed: number;
  /** Whether some services keep away from each other, and some to certain zones. */
  readonly affinity: boolean;
}

/** Load that replicas are sized for, share of their capacity. */
export const TARGET_LOAD = 0.6;
/** Round trip between two pods of one node, milliseconds. */
export const SAME_NODE_MILLISECONDS = 0.05;
const SAME_ZONE_MILLISECONDS = 0.5;

/** CPU of a node, millicores; with 2 MiB a millicore. */
const NODE_SIZES = [4000, 8000, 16_000] as const;
const NODE_MEMORY_PER_MILLICORE = 2;
/** Memory of a pod for each millicore that it requests, mebibytes. */
const POD_MEMORY_RATIOS = [0.5, 1, 2, 4] as const;
const CALLS_PER_CALL = [0.5, 1, 1, 2, 3] as const;
const CONFLICT_SHARE = 0.3;
const RESTRICTED_SHARE = 0.3;

/** Draws a scenario; the same settings give the same one. */
export function drawScenario(settings: ScenarioSettings): Scenario {
  const { nodes, zones, services, fillShare, affinity } = settings;
  const generator = new Generator(settings.scenarioSeed);
  const nodeCpu = Float64Array.from({ length: nodes }, () => pick(generator, NODE_SIZES));
  const zoneMilliseconds = drawDistances(generator, zones);
  const calls = drawCalls(generator, services);
  const visits = visitsOf(calls, services);
  const callMilliseconds = Float64Array.from({ length: services }, () => 0.5 + 2 * generator.uniform());
  const peakReplicas = Int32Array.from({ length: services }, () => 3 + generator.integer(6));
  const workMilliseconds = visits.reduce((sum, each, s) => sum + each * callMilliseconds[s], 0);
  const millicores = fillShare * nodeCpu.reduce((sum, cpu) => sum + cpu, 0);
  const peakRequests = (millicores * TARGET_LOAD) / workMilliseconds;
  const smallest = Math.min(...nodeCpu);
  const podCpu = Float64Array.from(peakReplicas, (replicas, s) => {
    const needed = (peakRequests * visits[s] * callMilliseconds[s]) / (TARGET_LOAD * replicas);
    return Math.min(smallest / 2, Math.max(50, 50 * Math.ceil(needed / 50)));
  });
  return {
    nodes,
    zones,
    services,
    nodeZone: Int32Array.from({ length: nodes }, (_, node) => node % zones),
    nodeCpu,
    nodeMemory: nodeCpu.map((cpu) => NODE_MEMORY_PER_MILLICORE * cpu),
    zoneMilliseconds,
    podCpu,
    podMemory: podCpu.map((cpu) => Math.min(smallest, pick(generator, POD_MEMORY_RATIOS) * cpu)),
    visits,
    callMilliseconds,
    // A pod that had to be cut to half of the smallest node is needed more often.
    peakReplicas: peakReplicas.map((replicas, s) =>
      Math.max(replicas, Math.ceil((peakRequests * visits[s] * callMilliseconds[s]) / (TARGET_LOAD * podCpu[s]))),
    ),
    calls,
    ...(affinity ? drawAffinity(generator, services, zones) : noAffinity(services, zones)),
    peakRequests,
  };
}

/** Zones along a line, neighbours 2 … 8 ms apart. */
function drawDistances(generator: Generator, zones: number): Float64Array {
  const place = new Float64Array(zones);
  for (let zone = 1; zone < zones; zone++) place[zone] = place[zone - 1] + 2 + 6 * generator.uniform();
  return Float64Array.from({ length: zones * zones }, (_, index) => {
    const distance = Math.abs(place[Math.floor(index / zones)] - place[index % zones]);
    return distance === 0 ? SAME_ZONE_MILLISECONDS : distance;
  });
}

/** A tree: every service but the first is called by an earlier one. */
function drawCalls(generator: Generator, services: number): ServiceCall[] {
  const visits = new Float64Array(services).fill(1);
  return Array.from({ length: services - 1 }, (_, index) => {
    const callee = index + 1;
    const caller = generator.integer(callee);
    visits[callee] = Math.min(6, visits[caller] * pick(generator, CALLS_PER_CALL));
    return { caller, callee, perRequest: visits[callee] };
  });
}

function visitsOf(calls: readonly ServiceCall[], services: number): Float64Array {
  const visits = new Float64Array(services).fill(1);
  for (const { callee, perRequest } of calls) visits[callee] = perRequest;
  return visits;
}

type Affinity = Pick<Scenario, 'conflicts' | 'allowedZones'>;

function noAffinity(services: number, zones: number): Affinity {
  return { conflicts: new Uint8Array(services * services), allowedZones: new Uint8Array(services * zones).fill(1) };
}

function drawAffinity(generator: Generator, services: number, zones: number): Affinity {
  const conflicts = drawConflicts(generator, services);
  return { conflicts, allowedZones: drawAllowedZones(generator, conflicts, services, zones) };
}

/** Pairs of services; each service has one adversary at most, so that there is a place for all of them. */
function drawConflicts(generator: Generator, services: number): Uint8Array {
  const conflicts = new Uint8Array(services * services);
  for (let a = 1; a < services; a += 2) {
    const b = a - 1;
    if (generator.uniform() >= CONFLICT_SHARE) continue;
    conflicts[a * services + b] = 1;
    conflicts[b * services + a] = 1;
  }
  return conflicts;
}

/** Some services without an adversary may not run in one of the zones. */
function drawAllowedZones(generator: Generator, conflicts: Uint8Array, services: number, zones: number): Uint8Array {
  const allowed = new Uint8Array(services * zones).fill(1);
  for (let s = 0; s < services; s++) {
    const free = !conflicts.subarray(s * services, (s + 1) * services).includes(1);
    if (free && zones > 1 && generator.uniform() < RESTRICTED_SHARE) allowed[s * zones + generator.integer(zones)] = 0;
  }
  return allowed;
}

function pick<Value>(generator: Generator, values: readonly Value[]): Value {
  return values[generator.integer(values.length)];
}

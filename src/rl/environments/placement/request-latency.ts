import { Pods } from './pods.ts';
import { SAME_NODE_MILLISECONDS } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** A service is counted as loaded by this share at most: what is above is lost, not waited for. */
export const MOST_LOAD = 0.95;

/**
 * Time that a user's request spends on the network, milliseconds: from the users of each zone to the first service, and
 * along every call between services. Calls spread evenly over the pods of the called service, as a Kubernetes Service
 * spreads them. Services without ready pods are left out.
 * @param userShare share of the users in each zone.
 */
export function networkMilliseconds(scenario: Scenario, pods: Pods, userShare: Float64Array): number {
  let sum = accessMilliseconds(scenario, pods, userShare);
  for (const { caller, callee, perRequest } of scenario.calls) {
    const pairs = pods.totalReady[caller] * pods.totalReady[callee];
    if (pairs > 0) sum += (perRequest * pairMilliseconds(scenario, pods, caller, callee)) / pairs;
  }
  return sum;
}

function accessMilliseconds({ zones, zoneMilliseconds }: Scenario, pods: Pods, userShare: Float64Array): number {
  const first = pods.totalReady[0];
  if (first === 0) return 0;
  let sum = 0;
  for (let from = 0; from < zones; from++) {
    for (let to = 0; to < zones; to++) {
      sum += userShare[from] * pods.readyInZone[to] * zoneMilliseconds[from * zones + to];
    }
  }
  return sum / first;
}

/** Summed over all pairs of pods: by zones, and the pairs on one node put right. */
function pairMilliseconds(scenario: Scenario, pods: Pods, a: number, b: number): number {
  const { zones, nodes, zoneMilliseconds, nodeZone } = scenario;
  const { readyInZone, ready } = pods;
  let sum = 0;
  for (let from = 0; from < zones; from++) {
    const there = readyInZone[a * zones + from];
    if (there === 0) continue;
    for (let to = 0; to < zones; to++) {
      sum += there * readyInZone[b * zones + to] * zoneMilliseconds[from * zones + to];
    }
  }
  for (let node = 0; node < nodes; node++) {
    const pairs = ready[a * nodes + node] * ready[b * nodes + node];
    if (pairs > 0) sum -= pairs * (zoneMilliseconds[nodeZone[node] * (zones + 1)] - SAME_NODE_MILLISECONDS);
  }
  return sum;
}

/**
 * Time that a user's request spends being worked on, milliseconds: the calls to each service times an M/G/1 processor
 * sharing pod's response, t/(1 − ρ), and the slowdown 1 + contention · u² of a node whose CPU is used to the share u.
 * @param load ρ of each service.
 * @param nodeUse u of each node.
 */
export function processingMilliseconds(
  scenario: Scenario,
  pods: Pods,
  load: Float64Array,
  nodeUse: Float64Array,
  contention: number,
): number {
  const { services, nodes, visits, callMilliseconds } = scenario;
  let sum = 0;
  for (let service = 0; service < services; service++) {
    const count = pods.totalReady[service];
    if (count === 0) continue;
    let slowdown = 0;
    for (let node = 0; node < nodes; node++) {
      const here = pods.ready[service * nodes + node];
      if (here > 0) slowdown += here * (1 + contention * nodeUse[node] * nodeUse[node]);
    }
    const rho = load[service] < MOST_LOAD ? load[service] : MOST_LOAD;
    sum += (visits[service] * callMilliseconds[service] * slowdown) / (count * (1 - rho));
  }
  return sum;
}

/**
 * The latency that others are measured against, milliseconds: every service with one pod on every node, all of them
 * loaded to `load`, all nodes used to `use`.
 */
export function referenceMilliseconds(scenario: Scenario, load: number, use: number, contention: number): number {
  const { services, nodes, zones } = scenario;
  const everywhere = new Pods(scenario);
  for (let service = 0; service < services; service++) {
    for (let node = 0; node < nodes; node++) everywhere.addReady(service, node);
  }
  const loads = new Float64Array(services).fill(load);
  const uses = new Float64Array(nodes).fill(use);
  return (
    networkMilliseconds(scenario, everywhere, new Float64Array(zones).fill(1 / zones)) +
    processingMilliseconds(scenario, everywhere, loads, uses, contention)
  );
}

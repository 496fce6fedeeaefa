import type { Environment, Observation } from '../../../../../src/rl/environment.ts';
import type { ClusterOperation } from '../../../../../src/rl/environments/placement/cluster-operation.ts';
import type { OperatedPlacement } from '../../../../../src/rl/environments/placement/operated-placement.ts';
import { imbalance, resourceShare, weigh } from '../../../../../src/rl/environments/placement/placement-cost.ts';
import type { PlacementOfArrivals } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import {
  networkMilliseconds,
  processingMilliseconds,
  referenceMilliseconds,
} from '../../../../../src/rl/environments/placement/request-latency.ts';
import { TARGET_LOAD } from '../../../../../src/rl/environments/placement/scenario.ts';
import { Generator } from '../../../../../src/rl/random.ts';

/** Return and measures of the episodes of some seeds, on average. */
export function playEpisodes<Played extends Environment>(
  environment: Played,
  decide: (environment: Played, seen: Observation) => ArrayLike<number>,
  seeds: readonly number[] = [1, 2, 3, 4],
): { episodeReturn: number; measures: Record<string, number> } {
  const measures: Record<string, number> = {};
  let episodeReturn = 0;
  let steps = 0;
  for (const seed of seeds) {
    let seen = environment.reset(seed);
    for (let over = false; !over; steps++) {
      const transition = environment.step(Int32Array.from(decide(environment, seen)));
      episodeReturn += transition.reward / seeds.length;
      for (const [name, value] of Object.entries(transition.measures)) measures[name] = (measures[name] ?? 0) + value;
      seen = transition;
      over = transition.truncated;
    }
  }
  for (const name of Object.keys(measures)) measures[name] /= steps;
  return { episodeReturn, measures };
}

/** Any allowed choice of every head. */
export function randomly(seed = 1) {
  const generator = new Generator(seed);
  return ({ description }: Environment, { actionMask }: Observation): number[] => {
    const { actionSpace } = description;
    const heads = actionSpace.kind === 'multi-discrete' ? actionSpace.choices : [description.actionMaskSize];
    let start = 0;
    return heads.map((count) => {
      const allowed = [...actionMask!.subarray(start, start + count).entries()].filter(([, bit]) => bit === 1);
      start += count;
      return allowed[generator.integer(allowed.length)][0];
    });
  };
}

/** Puts the arriving pod on the allowed node of the highest score, the first of equals. */
export function byScore(score: (environment: PlacementOfArrivals, node: number) => number) {
  return (environment: PlacementOfArrivals, { actionMask }: Observation): number[] => {
    const { nodes } = environment.view.scenario;
    const allowed = [...Array(nodes).keys()].filter((node) => actionMask![node] === 1);
    const scores = allowed.map((node) => score(environment, node));
    return [allowed.length === 0 ? nodes : allowed[scores.indexOf(Math.max(...scores))]];
  };
}

const freeCpu = ({ view }: PlacementOfArrivals, node: number): number =>
  view.scenario.nodeCpu[node] - view.pods.requestedCpu[node];

export const firstFit = byScore(() => 0);
export const bestFit = byScore((environment, node) => -freeCpu(environment, node));
export const spread = byScore(
  (environment, node) => freeCpu(environment, node) / environment.view.scenario.nodeCpu[node],
);

/** Puts the pod where the reward of this step is the highest, with the default weights and contention. */
export function greedily(weights = { latencyWeight: 1, resourceWeight: 1, balanceWeight: 0.5 }) {
  return byScore(({ view: { scenario, pods, arriving } }, node) => {
    const userShare = new Float64Array(scenario.zones).fill(1 / scenario.zones);
    const load = new Float64Array(scenario.services).fill(TARGET_LOAD);
    pods.addReady(arriving, node);
    const use = scenario.nodeCpu.map((cpu, each) => pods.requestedCpu[each] / cpu);
    const milliseconds =
      networkMilliseconds(scenario, pods, userShare) + processingMilliseconds(scenario, pods, load, use, 0.5);
    const cost = {
      latency: milliseconds / referenceMilliseconds(scenario, TARGET_LOAD, 0.65, 0.5),
      resources: resourceShare(scenario, pods),
      imbalance: imbalance(use, pods.up),
    };
    pods.remove(arriving, node);
    return -weigh(cost, weights);
  });
}

/** What is to happen to a service: a node for a pod more, one for a pod fewer; −1 = none. */
interface Change {
  readonly add: number;
  readonly remove: number;
}

/** Adds a pod on the node with the most free CPU above 75 % load, removes one from the fullest node below 40 %. */
function byLoad(operation: ClusterOperation, service: number): Change {
  const { scenario, pods, load } = operation;
  const free = (node: number): number => 1 - pods.requestedCpu[node] / scenario.nodeCpu[node];
  const nodes = [...Array(scenario.nodes).keys()].sort((a, b) => free(b) - free(a));
  const starting = pods.total[service] > pods.totalReady[service];
  const add = load[service] > 0.75 && !starting ? (nodes.find((node) => operation.mayAdd(service, node)) ?? -1) : -1;
  const remove = load[service] < 0.4 ? (nodes.findLast((node) => operation.mayRemove(service, node)) ?? -1) : -1;
  return { add, remove };
}

const servicesOf = ({ operation }: OperatedPlacement): number[] => [...Array(operation.scenario.services).keys()];

/** Scaling by load in placement-v2. */
export function scaleByLoad(environment: OperatedPlacement): number[] {
  const { operation } = environment;
  return servicesOf(environment).map((service) => {
    const { add, remove } = byLoad(operation, service);
    if (add >= 0) return 1 + add;
    return remove >= 0 ? 1 + operation.scenario.nodes + remove : 0;
  });
}

/** Scaling by load in placement-v3. */
export function repairByLoad(environment: OperatedPlacement): number[] {
  return servicesOf(environment).flatMap((service) => {
    const { add, remove } = byLoad(environment.operation, service);
    return add >= 0 ? [0, 1 + add] : [1 + remove, 0];
  });
}

/** The same, and when nothing is to be scaled one pod moves from the fullest node to the emptiest that it fits. */
export function rebalance(environment: OperatedPlacement): number[] {
  const { operation } = environment;
  const { scenario, pods, nodeUse } = operation;
  const action = repairByLoad(environment);
  if (action.some((choice) => choice !== 0)) return action;
  const working = [...Array(scenario.nodes).keys()].filter((node) => pods.up[node] === 1);
  const order = working.sort((a, b) => nodeUse[b] - nodeUse[a]);
  const [from, to] = [order[0], order.at(-1)!];
  if (nodeUse[from] - nodeUse[to] < 0.15) return action;
  const service = servicesOf(environment).find(
    (each) => pods.count(each, from) > 0 && pods.total[each] > 2 && pods.fits(each, to),
  );
  if (service !== undefined) action.splice(2 * service, 2, 1 + from, 1 + to);
  return action;
}

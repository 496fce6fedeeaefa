import type { Environment } from '../../../../../src/rl/environment.ts';
import { byScore } from '../../../../../src/rl/environments/placement/arrival-controllers.ts';
import { repairByLoad } from '../../../../../src/rl/environments/placement/operation-controllers.ts';
import type { BaselineDecision } from '../../../../../src/rl/environments/registry.ts';
import type { ClusterOperation } from '../../../../../src/rl/environments/placement/cluster-operation.ts';
import type { OperatedPlacement } from '../../../../../src/rl/environments/placement/operated-placement.ts';
import {
  imbalance,
  resourceShare,
  rewardParts,
  sumOfParts,
} from '../../../../../src/rl/environments/placement/placement-cost.ts';
import type { PlacementOfArrivals } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import {
  networkMilliseconds,
  processingMilliseconds,
  referenceMilliseconds,
} from '../../../../../src/rl/environments/placement/request-latency.ts';
import { TARGET_LOAD } from '../../../../../src/rl/environments/placement/scenario.ts';
import { Generator } from '../../../../../src/rl/random.ts';

/** Return and measures of the episodes of some seeds, on average. */
export function playEpisodes(
  environment: Environment,
  decide: BaselineDecision,
  seeds: readonly number[] = [1, 2, 3, 4],
): { episodeReturn: number; measures: Record<string, number> } {
  const measures: Record<string, number> = {};
  let episodeReturn = 0;
  let steps = 0;
  for (const seed of seeds) {
    let seen = environment.reset(seed);
    for (let over = false; !over; steps++) {
      const transition = environment.step(Int32Array.from(decide(seen)));
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
export function randomly({ description }: Environment, seed = 1): BaselineDecision {
  const generator = new Generator(seed);
  return ({ actionMask }) => {
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

/** Puts the pod where the reward of this step is the highest, with the default weights and contention. */
export function greedily(environment: PlacementOfArrivals): BaselineDecision {
  const weights = { latencyWeight: 1, resourceWeight: 1, balanceWeight: 0.5 };
  return byScore(environment, ({ scenario, pods, arriving, userShare }, node) => {
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
    return sumOfParts(rewardParts(cost, weights));
  });
}

/** Repairs by load, and when nothing is to be scaled moves a pod from the fullest node to the emptiest that it fits. */
export function rebalance({ operation }: OperatedPlacement): BaselineDecision {
  const repair = repairByLoad({ operation });
  return (seen) => withMove(operation, [...(repair(seen) as number[])]);
}

function withMove(operation: ClusterOperation, action: number[]): number[] {
  const { scenario, pods, nodeUse } = operation;
  if (action.some((choice) => choice !== 0)) return action;
  const working = [...Array(scenario.nodes).keys()].filter((node) => pods.up[node] === 1);
  const order = working.sort((a, b) => nodeUse[b] - nodeUse[a]);
  const [from, to] = [order[0], order.at(-1)!];
  if (nodeUse[from] - nodeUse[to] < 0.15) return action;
  const service = [...Array(scenario.services).keys()].find(
    (each) => pods.count(each, from) > 0 && pods.total[each] > 2 && pods.fits(each, to),
  );
  if (service !== undefined) action.splice(2 * service, 2, 1 + from, 1 + to);
  return action;
}

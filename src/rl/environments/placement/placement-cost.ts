import type { Pods } from './pods.ts';
import type { Scenario } from './scenario.ts';

/** How good a placement is; each part is better when smaller. */
export interface PlacementCost {
  /** Latency of a request over that of the reference. */
  readonly latency: number;
  /** See {@link resourceShare}. */
  readonly resources: number;
  /** See {@link imbalance}. */
  readonly imbalance: number;
}

/** Weights of the parts. */
export interface PlacementWeights {
  readonly latencyWeight: number;
  readonly resourceWeight: number;
  readonly balanceWeight: number;
}

/** What each part takes from the reward. */
export interface RewardParts {
  readonly rewardLatency: number;
  readonly rewardResources: number;
  readonly rewardBalance: number;
}

/** The parts of a cost with their weights, as summands of the reward. */
export function rewardParts(cost: PlacementCost, weights: PlacementWeights): RewardParts {
  return {
    rewardLatency: -weights.latencyWeight * cost.latency,
    rewardResources: -weights.resourceWeight * cost.resources,
    rewardBalance: -weights.balanceWeight * cost.imbalance,
  };
}

/** The summands together. */
export function sumOfParts({ rewardLatency, rewardResources, rewardBalance }: RewardParts): number {
  return rewardLatency + rewardResources + rewardBalance;
}

/**
 * What the pods take of the cluster, 0 … 1: the mean of the share of the nodes in use and of the share that is requested,
 * of CPU and memory alike. Packing pods onto few nodes and running few pods both make it smaller.
 */
export function resourceShare({ nodes, nodeCpu, nodeMemory }: Scenario, pods: Pods): number {
  let [cpu, memory, taken] = [0, 0, 0];
  let [requestedCpu, requestedMemory] = [0, 0];
  let takenMemory = 0;
  for (let node = 0; node < nodes; node++) {
    cpu += nodeCpu[node];
    memory += nodeMemory[node];
    requestedCpu += pods.requestedCpu[node];
    requestedMemory += pods.requestedMemory[node];
    if (pods.onNode[node] === 0) continue;
    taken += nodeCpu[node];
    takenMemory += nodeMemory[node];
  }
  return 0.25 * ((taken + requestedCpu) / cpu + (takenMemory + requestedMemory) / memory);
}

/** Standard deviation of the nodes' shares of CPU use over those that work, 0 … 0.5. */
export function imbalance(nodeUse: Float64Array, up: Uint8Array): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let node = 0; node < nodeUse.length; node++) {
    if (up[node] === 0) continue;
    count++;
    sum += nodeUse[node];
    squares += nodeUse[node] * nodeUse[node];
  }
  if (count === 0) return 0;
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean));
}

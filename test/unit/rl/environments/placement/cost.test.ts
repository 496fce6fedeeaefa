import assert from 'node:assert/strict';
import test from 'node:test';
import {
  imbalance,
  resourceShare,
  rewardParts,
  sumOfParts,
} from '../../../../../src/rl/environments/placement/placement-cost.ts';
import { Pods } from '../../../../../src/rl/environments/placement/pods.ts';
import {
  networkMilliseconds,
  processingMilliseconds,
  referenceMilliseconds,
} from '../../../../../src/rl/environments/placement/request-latency.ts';
import { smallScenario } from './small-scenario.ts';

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, not ${expected}`);

/** Pods as service and node. */
function placed(...places: readonly (readonly [service: number, node: number])[]): Pods {
  const pods = new Pods(smallScenario);
  for (const [service, node] of places) pods.addReady(service, node);
  return pods;
}

test('the network time of a request is that of users to pods and of every pair of pods that call, by hand', () => {
  const users = Float64Array.of(0.75, 0.25);
  // web and store on node 0: users 0.75·0.5 + 0.25·4, two calls on the node.
  near(networkMilliseconds(smallScenario, placed([0, 0], [1, 0]), users), 1.375 + 2 * 0.05);
  // store on another node of the zone, then in the other zone.
  near(networkMilliseconds(smallScenario, placed([0, 0], [1, 2]), users), 1.375 + 2 * 0.5);
  near(networkMilliseconds(smallScenario, placed([0, 0], [1, 3]), users), 1.375 + 2 * 4);
  // web on 0 and 1, store on 0 and 3: pairs 0.05 + 4 + 4 + 0.5.
  const both = 0.5 * (1.375 + 0.75 * 4 + 0.25 * 0.5);
  near(networkMilliseconds(smallScenario, placed([0, 0], [0, 1], [1, 0], [1, 3]), users), both + (2 * 8.55) / 4);
  near(networkMilliseconds(smallScenario, placed([0, 0]), users), 1.375);
  near(networkMilliseconds(smallScenario, placed(), users), 0);
});

test('the processing time grows with the load, at most to 95 %, and with the use of the nodes', () => {
  const pods = placed([0, 0], [0, 2], [1, 0]);
  const time = (load: readonly number[], use: readonly number[], contention: number): number =>
    processingMilliseconds(smallScenario, pods, Float64Array.from(load), Float64Array.from(use), contention);
  near(time([0, 0], [0, 0, 0, 0], 0.5), 10 + 2);
  near(time([0.5, 0.75], [0, 0, 0, 0], 0.5), 20 + 8);
  near(time([0, 0], [1, 0, 0.5, 0], 0.5), (10 * (1.5 + 1.125)) / 2 + 2 * 1.5);
  near(time([2, 0], [0, 0, 0, 0], 0.5), 10 / (1 - 0.95) + 2);
});

test('the reference has every service on every node', () => {
  // Users 0.5·(0.5 + 4); pairs of nodes: 4 the same, 4 in the zone, 8 across.
  const network = 2.25 + (2 * (4 * 0.05 + 4 * 0.5 + 8 * 4)) / 16;
  near(referenceMilliseconds(smallScenario, 0.5, 1, 0.25), network + 24 * 1.25);
});

test('resources are the means of nodes in use and of requests, of CPU and memory', () => {
  near(resourceShare(smallScenario, placed()), 0);
  // 1000 of 6000 m in use, 750 requested; 2000 of 9000 MiB in use, 1250 requested.
  near(resourceShare(smallScenario, placed([0, 0], [1, 0])), 0.25 * (1750 / 6000 + 3250 / 9000));
});

test('the imbalance is the standard deviation over the nodes that work', () => {
  near(imbalance(Float64Array.of(0.2, 0.6, 1, 1), Uint8Array.of(1, 1, 0, 0)), 0.2);
  near(imbalance(Float64Array.of(0.5, 0.5), Uint8Array.of(1, 1)), 0);
  near(imbalance(Float64Array.of(0.5), Uint8Array.of(0)), 0);
});

test('the weights multiply the parts, which add up to the reward', () => {
  const weights = { latencyWeight: 1, resourceWeight: 10, balanceWeight: 100 };
  const parts = rewardParts({ latency: 2, resources: 0.3, imbalance: 0.4 }, weights);
  assert.deepEqual(parts, { rewardLatency: -2, rewardResources: -3, rewardBalance: -40 });
  near(sumOfParts(parts), -45);
});

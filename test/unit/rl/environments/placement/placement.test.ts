import assert from 'node:assert/strict';
import test from 'node:test';
import { ClusterOperation } from '../../../../../src/rl/environments/placement/cluster-operation.ts';
import { Demand } from '../../../../../src/rl/environments/placement/demand.ts';
import type { OperatedPlacement } from '../../../../../src/rl/environments/placement/operated-placement.ts';
import type { PlacementOfArrivals } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import { placementV1 } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import { placementV2 } from '../../../../../src/rl/environments/placement/placement-v2.ts';
import { placementV3 } from '../../../../../src/rl/environments/placement/placement-v3.ts';
import type { BaselineDecision } from '../../../../../src/rl/environments/registry.ts';
import { Generator } from '../../../../../src/rl/random.ts';
import { bestFit, firstFit, spread } from '../../../../../src/rl/environments/placement/arrival-controllers.ts';
import { repairByLoad, scaleByLoad } from '../../../../../src/rl/environments/placement/operation-controllers.ts';
import { greedily, playEpisodes, randomly, rebalance } from './controllers.ts';
import { smallScenario } from './small-scenario.ts';

type Parameters = Readonly<Record<string, number>>;
const arrivals = (given: Parameters = {}) => placementV1.create(given) as PlacementOfArrivals;
const scaled = (given: Parameters = {}) => placementV2.create(given) as OperatedPlacement;
const moved = (given: Parameters = {}) => placementV3.create(given) as OperatedPlacement;
const still = ({ description }: OperatedPlacement): Int32Array =>
  new Int32Array(description.actionSpace.kind === 'multi-discrete' ? description.actionSpace.choices.length : 1);

const holding = (environment: OperatedPlacement) => () => still(environment);
const played = (environment: OperatedPlacement, controller: (environment: OperatedPlacement) => BaselineDecision) =>
  playEpisodes(environment, controller(environment));

for (const environment of [arrivals(), scaled(), moved()]) {
  test(`${environment.description.name}: the rows of the table describe every element once, with its bounds`, () => {
    const { observationSpace, observationTable } = environment.description;
    const size = observationSpace.shape[0];
    const rows = new Array<string>(size);
    for (const row of observationTable) {
      const [, first, last = first, every = '1'] = /^(\d+)(?:–(\d+)(?:, every (\d+)\w\w)?)?$/.exec(row.index)!;
      for (let index = Number(first); index <= Number(last); index += Number(every)) {
        assert.equal(rows[index], undefined, `element ${index}`);
        rows[index] = row.name;
        const bounds = [(observationSpace.low as number[])[index], (observationSpace.high as number[])[index]];
        assert.deepEqual(bounds, [row.low, row.high], `bounds of element ${index}`);
      }
    }
    assert.equal(rows.filter(Boolean).length, size);
  });
}

test('placement-v1: the mask allows the nodes with room, and turning away only when there is none', () => {
  const environment = arrivals({ fillShare: 1.5 });
  const { nodes } = environment.view.scenario;
  let seen = environment.reset(1);
  const random = randomly(environment);
  let full = 0;
  for (let step = 0; step < 200; step++) {
    const { pods, arriving } = environment.view;
    const room = Array.from({ length: nodes }, (_, node) => pods.fits(arriving, node));
    assert.deepEqual([...seen.actionMask!], [...room, !room.includes(true)].map(Number));
    const transition = environment.step(Int32Array.from(random(seen)));
    assert.equal(transition.measures.rejected, room.includes(true) ? 0 : 1);
    full += transition.measures.rejected;
    seen = transition;
  }
  assert.ok(full > 0, 'the cluster was to be full at times');
});

test('placement-v1: a pod that is put where it does not fit is turned away, at its price', () => {
  const price = (rejectionWeight: number): number => {
    const environment = arrivals({ rejectionWeight });
    environment.reset(1);
    return environment.step(Int32Array.of(8)).reward;
  };
  assert.equal(price(0), -0);
  assert.equal(price(3), -3);
});

test('placement-v1: which pods arrive does not depend on where they are put, and pods leave again', () => {
  const play = (choose: (mask: Uint8Array) => number): { arriving: number[]; pods: number[] } => {
    const environment = arrivals({ episodeSteps: 400 });
    let seen = environment.reset(9);
    const [arriving, pods]: [number[], number[]] = [[], []];
    for (let step = 0; step < 400; step++) {
      arriving.push(environment.view.arriving);
      seen = environment.step(Int32Array.of(choose(seen.actionMask!)));
      pods.push(environment.view.pods.total.reduce((a, b) => a + b, 0));
    }
    return { arriving, pods };
  };
  const first = play((mask) => mask.indexOf(1));
  assert.deepEqual(first.arriving, play((mask) => mask.lastIndexOf(1)).arriving);
  assert.ok(first.pods[399] < 250 && Math.abs(first.pods[399] - first.pods[299]) < 60, first.pods.join());
});

test('demand follows the day, zones take turns, and shares sum to 1', () => {
  const demand = new Demand(3);
  const levels: number[] = [];
  const leading = new Set<number>();
  demand.reset(new Generator(3));
  for (let step = 0; step < 1440; step++) {
    demand.advance();
    levels[demand.step] = demand.level;
    assert.ok(Math.abs(demand.userShare.reduce((a, b) => a + b, 0) - 1) < 1e-12);
    leading.add(demand.userShare.indexOf(Math.max(...demand.userShare)));
  }
  const mean = (from: number): number => levels.slice(from, from + 120).reduce((a, b) => a + b, 0) / 120;
  assert.ok(mean(660) > 2 * mean(0), `${mean(660)} at noon, ${mean(0)} at midnight`);
  assert.equal(leading.size, 3);
});

function operation(settings: { meanUpSteps?: number; maxReplicas?: number } = {}): ClusterOperation {
  const defaults = { maxReplicas: 4, fillShare: 0.5, contention: 0, meanUpSteps: 0, meanDownSteps: 3 };
  const created = new ClusterOperation(smallScenario, { ...defaults, ...settings });
  created.reset(new Generator(1));
  return created;
}

test('load is work over the CPU of the pods that are ready; above 95 % the rest of the requests is lost', () => {
  const cluster = operation();
  const { pods, load, nodeUse, outcome, demand } = cluster;
  pods.clear();
  pods.addReady(0, 0);
  pods.addReady(1, 0);
  pods.addReady(1, 2);
  pods.addStarting(0, 1);
  cluster.advance();
  // web: level · 60 requests/s · 10 ms over 500 m; store: two calls of 1 ms over 2 · 250 m.
  const requests = 60 * demand.level;
  assert.ok(Math.abs(load[0] - Math.min(2, (requests * 10) / 500)) < 1e-12);
  assert.ok(Math.abs(load[1] - (requests * 2) / 500) < 1e-12);
  assert.ok(Math.abs(nodeUse[0] - (Math.min(1, load[0]) * 500 + load[1] * 250) / 1000) < 1e-12);
  const lost = Math.max(0, 1 - 0.95 / load[0]);
  assert.ok(Math.abs(outcome.lostShare - lost) < 1e-12);
  cluster.advance();
  assert.ok(Math.abs(load[0] - (60 * demand.level * 10) / 1000) < 1e-12, 'the pod that started serves now');
});

test('a service without pods loses every request', () => {
  const cluster = operation();
  cluster.pods.clear();
  cluster.pods.addReady(0, 0);
  cluster.advance();
  assert.equal(cluster.outcome.lostShare, 1);
});

test('nodes fail and are repaired at their rates, and never all of them', () => {
  const cluster = operation({ meanUpSteps: 4 });
  const counts = { up: 0, failures: 0, repairs: 0 };
  let before = [...cluster.pods.up];
  for (let step = 0; step < 3000; step++) {
    cluster.advance();
    const now = [...cluster.pods.up];
    counts.up += now.reduce((a, b) => a + b, 0);
    now.forEach((up, node) => {
      if (up < before[node]) counts.failures++;
      if (up > before[node]) counts.repairs++;
    });
    assert.ok(now.includes(1));
    before = now;
  }
  // Alone each node would be up 4 of 7 steps; the last one standing raises it a little.
  const share = counts.up / 12_000;
  assert.ok(share > 0.55 && share < 0.65, `${share}`);
  assert.ok(Math.abs(counts.failures - counts.repairs) <= 4);
});

test('placement-v2: what is added serves from the next step on; the last pod of a service stays', () => {
  const environment = scaled();
  environment.reset(1);
  const { pods, scenario } = environment.operation;
  const node = [...Array(scenario.nodes).keys()].find((each) => pods.fits(0, each))!;
  const ready = pods.totalReady[0];
  const add = still(environment);
  add[0] = 1 + node;
  assert.equal(environment.step(add).measures.added, 1);
  assert.deepEqual([pods.total[0], pods.totalReady[0]], [ready + 1, ready + 1]);
  for (let step = 0; step < 30; step++) {
    const remove = still(environment);
    const from = [...Array(scenario.nodes).keys()].find((each) => pods.count(0, each) > 0)!;
    remove[0] = 1 + scenario.nodes + from;
    const { measures, actionMask } = environment.step(remove);
    assert.equal(measures.removed + measures.refused, 1);
    if (pods.total[0] === 1)
      assert.ok(actionMask!.subarray(1 + scenario.nodes, 1 + 2 * scenario.nodes).every((bit) => bit === 0));
  }
  assert.equal(pods.total[0], 1);
});

test('placement-v2: the reward is the weighted cost of the step and the price of lost requests', () => {
  const environment = scaled({ latencyWeight: 2, resourceWeight: 3, balanceWeight: 4, lossWeight: 5 });
  environment.reset(2);
  const { reward } = environment.step(still(environment));
  const { latency, resources, imbalance, lostShare } = environment.operation.outcome;
  assert.ok(Math.abs(reward + 2 * latency + 3 * resources + 4 * imbalance + 5 * lostShare) < 1e-12);
});

test('placement-v3: from and to together move a pod, which is away for a step and has its price', () => {
  const environment = moved({
    meanUpSteps: 0,
    moveWeight: 7,
    latencyWeight: 0,
    resourceWeight: 0,
    balanceWeight: 0,
    lossWeight: 0,
  });
  environment.reset(1);
  const { pods, scenario } = environment.operation;
  const nodes = [...Array(scenario.nodes).keys()];
  const from = nodes.find((node) => pods.count(0, node) > 0)!;
  const to = nodes.find((node) => node !== from && pods.fits(0, node))!;
  const before = [pods.count(0, from), pods.count(0, to), pods.total[0]];
  const action = still(environment);
  action[0] = 1 + from;
  action[1] = 1 + to;
  const { reward, measures } = environment.step(action);
  assert.deepEqual([reward, measures.moved, measures.added, measures.removed], [-7, 1, 0, 0]);
  assert.deepEqual([pods.count(0, from), pods.count(0, to), pods.total[0]], [before[0] - 1, before[1] + 1, before[2]]);
});

test('placement-v3: under random actions conflicts, zones, room and failed nodes are respected', () => {
  let [adversaries, closed] = [0, 0];
  for (const scenarioSeed of [1, 2, 3]) {
    const environment = moved({ scenarioSeed, meanUpSteps: 30, meanDownSteps: 10 });
    const { pods, scenario } = environment.operation;
    const { nodes, services, zones, conflicts, allowedZones, nodeZone } = scenario;
    adversaries += conflicts.reduce((sum, bit) => sum + bit, 0);
    closed += allowedZones.filter((bit) => bit === 0).length;
    const random = randomly(environment, scenarioSeed);
    let seen = environment.reset(scenarioSeed);
    for (let step = 0; step < 240; step++) {
      seen = environment.step(Int32Array.from(random(seen)));
      for (let node = 0; node < nodes; node++) {
        assert.ok(
          pods.requestedCpu[node] <= scenario.nodeCpu[node] && pods.requestedMemory[node] <= scenario.nodeMemory[node],
        );
        const there = [...Array(services).keys()].filter((service) => pods.count(service, node) > 0);
        assert.ok(pods.up[node] === 1 || there.length === 0);
        for (const service of there) {
          assert.equal(allowedZones[service * zones + nodeZone[node]], 1);
          assert.ok(there.every((other) => conflicts[service * services + other] === 0));
        }
      }
    }
  }
  assert.ok(adversaries > 0 && closed > 0, 'the scenarios were to have affinity rules');
});

test('placement-v1: packing takes the fewest resources, spreading balances best, looking at all of it earns most', () => {
  const environment = arrivals();
  const [random, first, best, even, greedy] = [randomly, firstFit, bestFit, spread, greedily].map((controller) =>
    playEpisodes(environment, controller(environment), [1, 2]),
  );
  const resources = (played: typeof random): number => played.measures.resourceShare;
  const balance = (played: typeof random): number => played.measures.imbalance;
  assert.ok(Math.max(resources(first), resources(best)) < Math.min(resources(random), resources(even)) - 0.05);
  assert.ok(balance(even) < balance(random) - 0.05 && balance(random) < balance(best) - 0.05);
  for (const other of [random, first, best, even]) assert.ok(greedy.episodeReturn > other.episodeReturn + 20);
});

test('placement-v2: scaling by load earns more than holding still, and that more than random changes', () => {
  const [random, hold, scale] = [randomly, holding, scaleByLoad].map((controller) => played(scaled(), controller));
  assert.ok(scale.episodeReturn > hold.episodeReturn && hold.episodeReturn > random.episodeReturn + 100);
});

test('placement-v3: repairing earns far more than holding still; moves pay where balance is dear', () => {
  const [random, hold, repair] = [randomly, holding, repairByLoad].map((controller) => played(moved(), controller));
  assert.ok(repair.episodeReturn > hold.episodeReturn + 100 && hold.episodeReturn > random.episodeReturn + 100);
  const dear = moved({ balanceWeight: 5 });
  assert.ok(played(dear, rebalance).episodeReturn > played(dear, repairByLoad).episodeReturn + 10);
});

test('parameters that cannot be are refused by name', () => {
  const refused = (create: () => unknown, message: RegExp): void =>
    assert.throws(create, { code: 'ENVIRONMENT_INVALID', message });
  refused(() => arrivals({ nodes: 1 }), /placement-v1: nodes must be a whole number from 2 to 32, not 1/);
  refused(() => arrivals({ lossWeight: 1 }), /unknown parameter "lossWeight"; there are: nodes/);
  refused(() => scaled({ fillShare: 3 }), /placement-v2: fillShare must be a number from 0.05 to 1, not 3/);
  refused(() => moved({ meanDownSteps: 0 }), /placement-v3: meanDownSteps must be a number from 1 to 1000000, not 0/);
});

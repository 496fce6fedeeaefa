import assert from 'node:assert/strict';
import test from 'node:test';
import type { Observation, Transition } from '../../../../../src/rl/environment.ts';
import { randomAction } from '../../../../../src/rl/environment-check/random-actions.ts';
import { demandProportional, equalSplit } from '../../../../../src/rl/environments/radio-resources/controllers.ts';
import { radioResources } from '../../../../../src/rl/environments/radio-resources/kind.ts';
import { CHOICES, HEADS } from '../../../../../src/rl/environments/radio-resources/radio-actions.ts';
import { RadioResources } from '../../../../../src/rl/environments/radio-resources/radio-resources.ts';
import type { BaselineDecision } from '../../../../../src/rl/environments/registry.ts';
import { Generator } from '../../../../../src/rl/random.ts';

/** Means over steps and seeds of reward and measures under a controller. */
function play(
  controller: (environment: RadioResources) => BaselineDecision,
  parameters: Readonly<Record<string, unknown>> = {},
  seeds = [1, 2, 3, 4, 5, 6],
): Record<string, number> {
  const environment = new RadioResources({ episodeSteps: 200, ...parameters });
  const sums: Record<string, number> = { reward: 0 };
  for (const seed of seeds) {
    const decide = controller(environment);
    let seen: Observation = environment.reset(seed);
    let transition: Transition;
    do {
      transition = environment.step(Int32Array.from(decide(seen)));
      for (const [name, value] of Object.entries(transition.measures)) sums[name] = (sums[name] ?? 0) + value;
      sums.reward += transition.reward;
      seen = transition;
    } while (!transition.truncated);
  }
  const steps = seeds.length * environment.description.maxEpisodeSteps!;
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / steps]));
}

const constant = (change: Partial<Record<number, number>>) => () => () =>
  CHOICES.map((_, head) => change[head] ?? (head < 2 ? 3 : 0));

const atRandom = (environment: RadioResources): BaselineDecision => {
  const generator = new Generator(9);
  return ({ actionMask }) => randomAction(environment.description, actionMask, generator);
};

const packetBytes = 256;

test('controllers rank as sense expects: random < equal split < demand-proportional', () => {
  const random = play(atRandom);
  const equal = play(equalSplit);
  const demand = play((environment) => demandProportional(environment, packetBytes));
  assert.ok(equal.reward > random.reward + 0.05, `${equal.reward} > ${random.reward}`);
  assert.ok(demand.reward > equal.reward + 0.05, `${demand.reward} > ${equal.reward}`);
  assert.ok(demand.throughputMbps > equal.throughputMbps && demand.slaSatisfaction > equal.slaSatisfaction);
});

/** Demand-proportional, but with the best URLLC channels first, and fewer blocks held back for mMTC, which can wait. */
function refined(environment: RadioResources): BaselineDecision {
  const decide = demandProportional(environment, packetBytes);
  return (seen) => {
    const action = [...Array.from(decide(seen))];
    const bestChannel = 1;
    if (action[HEADS.scheduler + 1] > 0) action[HEADS.scheduler + 1] = bestChannel;
    if (action[HEADS.mmtcBlocks] > 1) action[HEADS.mmtcBlocks] -= 1;
    return action;
  };
}

test('the baselines can be beaten: knowing that mMTC can wait and good channels are quick earns more', () => {
  const seeds = Array.from({ length: 16 }, (_, seed) => seed);
  const demand = play((environment) => demandProportional(environment, packetBytes), {}, seeds);
  const better = play(refined, {}, seeds);
  assert.ok(better.reward > demand.reward + 0.005, `${better.reward} > ${demand.reward}`);
  assert.ok(better.urllcLateShare < demand.urllcLateShare && better.throughputMbps > demand.throughputMbps);
});

test('starving a slice shows where it hurts: no blocks for URLLC or mMTC make their data late', () => {
  const fair = play(constant({}));
  const noUrllc = play(constant({ [HEADS.urllcBlocks]: 0 }));
  const noMmtc = play(constant({ [HEADS.mmtcBlocks]: 0 }));
  assert.ok(noUrllc.urllcLateShare > 0.5 && fair.urllcLateShare < 0.2);
  assert.ok(noMmtc.mmtcLateShare > 2 * fair.mmtcLateShare);
  assert.ok(noUrllc.rewardLatency < fair.rewardLatency && noMmtc.rewardLatency < fair.rewardLatency);
  assert.ok(noUrllc.throughputMbps > fair.throughputMbps, 'eMBB has what they leave');
});

test('less power saves energy and carries less', () => {
  const [full, low] = [0, 3].map((power) => play(constant({ 5: power, 6: power, 7: power })));
  assert.ok(low.energyJoules < 0.9 * full.energyJoules);
  assert.ok(low.throughputMbps < full.throughputMbps);
});

test('proportional fair serves eMBB users more evenly than the best channel first, which carries more', () => {
  const [fair, greedy] = [1, 2].map((scheduler) =>
    play(constant({ [HEADS.scheduler]: scheduler }), { fullBufferShare: 1 }),
  );
  assert.ok(greedy.throughputMbps > 1.1 * fair.throughputMbps);
  assert.ok(fair.rewardThroughput > greedy.rewardThroughput);
});

test('longest wait spends blocks on bad channels: it loses more URLLC bits than the best channel first', () => {
  const [best, oldest] = [1, 2].map((scheduler) =>
    play(constant({ [HEADS.scheduler + 1]: scheduler }), { urllcPacketBytes: 600 }),
  );
  assert.ok(best.urllcLateShare < oldest.urllcLateShare);
});

test('the weights scale their summands of the reward and nothing else', () => {
  const plain = play(equalSplit, {}, [1]);
  const weighted = play(equalSplit, { throughputWeight: 2, latencyWeight: 6, energyWeight: 3 }, [1]);
  for (const [name, factor] of [
    ['rewardThroughput', 2],
    ['rewardLatency', 3],
    ['rewardEnergy', 10],
    ['throughputMbps', 1],
    ['energyJoules', 1],
  ] as const) {
    assert.ok(Math.abs(weighted[name] - factor * plain[name]) < 1e-9, name);
  }
});

test('a slice without users is masked to choice 0 and sends nothing', () => {
  const environment = new RadioResources({ embbUsers: 1, urllcUsers: 1, mmtcUsers: 1 });
  let masked = 0;
  let free = 0;
  for (let seed = 0; seed < 30; seed++) {
    const { actionMask, observation } = environment.reset(seed);
    const present = [0, 1, 2].map((slice) => observation[2 + 4 * slice] > 0);
    const bits = { urllc: actionMask!.subarray(0, 11), mmtc: actionMask!.subarray(11, 22) };
    assert.deepEqual([...bits.urllc], [1, ...new Array(10).fill(present[1] ? 1 : 0)]);
    assert.deepEqual([...bits.mmtc], [1, ...new Array(10).fill(present[2] ? 1 : 0)]);
    assert.deepEqual([...actionMask!.subarray(22, 25)], [1, ...new Array(2).fill(present[0] ? 1 : 0)]);
    if (present.includes(false)) masked++;
    if (present.includes(true)) free++;
  }
  assert.ok(masked > 0 && free > 0);
});

test('nothing to do for a frame costs what sleeping costs', () => {
  const environment = new RadioResources({ embbUsers: 1, urllcUsers: 1, mmtcUsers: 1 });
  const empty = Array.from({ length: 200 }, (_, seed) => seed).find((seed) =>
    environment
      .reset(seed)
      .observation.subarray(2)
      .every((value) => value === 0),
  );
  assert.notEqual(empty, undefined);
  const { measures } = environment.step(new Int32Array(8));
  assert.ok(Math.abs(measures.energyJoules - 1.5) < 1e-12);
  assert.deepEqual([measures.throughputMbps, measures.slaSatisfaction], [0, 1]);
});

test('parameters are checked, with the name and what is allowed', () => {
  for (const [parameters, message] of [
    [{ embbUsers: 0 }, /embbUsers must be a whole number from 1 to 64, not 0/],
    [{ neighbourLoad: 2 }, /neighbourLoad must be a number from 0 to 1, not 2/],
    [{ users: 3 }, /unknown parameter "users"; there are: episodeSteps/],
  ] as const) {
    assert.throws(() => radioResources.create(parameters), { code: 'ENVIRONMENT_INVALID', message });
  }
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { createOnlineBoutique } from '../../../../../src/rl/environments/online-boutique/online-boutique.ts';
import type { OnlineBoutique } from '../../../../../src/rl/environments/online-boutique/online-boutique.ts';
import { choiceOf } from '../../../../../src/rl/environments/online-boutique/replica-actions.ts';
import type { OnlineBoutiqueParameters } from '../../../../../src/rl/environments/online-boutique/options.ts';
import { createHpa } from '../../../../../src/rl/baselines/hpa.ts';
import { Generator } from '../../../../../src/rl/random.ts';

/** Ten minutes of 150 requests/s that rise to 300. */
const trace = Float64Array.from({ length: 400 }, (_, bin) => 15 * (150 + 150 * Math.sin(bin / 60) ** 2));
const nothing = new Int32Array(11);

const boutique = (parameters: OnlineBoutiqueParameters = {}): OnlineBoutique =>
  createOnlineBoutique({ trace, episodeSteps: 60, ...parameters });

/** A random allowed choice of every head. */
function allowedAction(mask: Uint8Array, generator: Generator): Int32Array {
  return Int32Array.from({ length: 11 }, (_, head) => {
    for (;;) {
      const choice = generator.integer(15);
      if (mask[head * 15 + choice] === 1) return choice;
    }
  });
}

test('the tables describe every element of observation, action and mask', () => {
  const { description } = boutique();
  assert.equal(description.observationTable.length, description.observationSpace.shape[0]);
  assert.deepEqual(
    description.observationTable.map(({ index }) => Number(index)),
    [...description.observationTable.keys()],
  );
  assert.deepEqual(description.actionSpace, { kind: 'multi-discrete', choices: Array.from({ length: 11 }, () => 15) });
  assert.equal(description.actionTable.length, 11);
  assert.equal(description.actionMaskSize, 165);
});

for (const actionBase of ['current', 'hpa'] as const) {
  test(`observations stay within their documented bounds under random actions (base ${actionBase})`, () => {
    const environment = boutique({ actionBase });
    const generator = new Generator(1);
    const { observationTable } = environment.description;
    for (let episode = 0; episode < 3; episode++) {
      let at = environment.reset(episode);
      for (let over = false; !over;) {
        const transition = environment.step(allowedAction(at.actionMask!, generator));
        for (const [i, { name, low, high }] of observationTable.entries()) {
          const value = transition.observation[i];
          assert.ok(value >= low - 1e-6 && value <= high + 1e-6, `${name} = ${value} is outside of ${low} … ${high}`);
        }
        at = transition;
        over = transition.truncated;
      }
    }
  });

  test(`a state saved as JSON goes on bit for bit in another instance (base ${actionBase})`, () => {
    const environment = boutique({ actionBase });
    const generator = new Generator(2);
    let at = environment.reset(9);
    for (let step = 0; step < 20; step++) at = environment.step(allowedAction(at.actionMask!, generator));
    const copy = boutique({ actionBase });
    const loaded = copy.loadState(JSON.parse(JSON.stringify(environment.saveState())));
    assert.deepEqual(loaded.observation, at.observation);
    assert.deepEqual(loaded.actionMask, at.actionMask);
    for (let step = 20; step < 60; step++) {
      const action = allowedAction(at.actionMask!, generator);
      const expected = environment.step(action);
      assert.deepEqual(copy.step(action), expected);
      at = expected;
    }
    assert.throws(() => copy.step(nothing), /call reset/);
  });
}

test('the same seed and actions give the same episode, another seed another one', () => {
  const returns = [1, 1, 2].map((seed) => {
    const environment = boutique();
    environment.reset(seed);
    let sum = 0;
    for (let step = 0; step < 60; step++) sum += environment.step(nothing).reward;
    return sum;
  });
  assert.equal(returns[0], returns[1]);
  assert.notEqual(returns[0], returns[2]);
});

test('the mask allows what stays within the limits and the largest change', () => {
  const environment = boutique({ maxChange: 3 });
  const { actionMask } = environment.reset(1);
  const { desiredReplicas, minReplicas, maxReplicas } = environment.view;
  for (let s = 0; s < 11; s++) {
    for (let change = -7; change <= 7; change++) {
      const replicas = desiredReplicas[s] + change;
      const allowed = Math.abs(change) <= 3 && replicas >= minReplicas[s] && replicas <= maxReplicas[s];
      assert.equal(actionMask![s * 15 + choiceOf(change)], Number(allowed || change === 0), `service ${s}, ${change}`);
    }
  }
});

test('the mask keeps the CPU usage within the given multiples of the HPA target', () => {
  const environment = boutique({ hpaTargetPercent: 50, maxTargetRatio: 1.2, minTargetRatio: 0.6 });
  let seen = environment.reset(1);
  for (let step = 0; step < 30; step++) seen = environment.step(nothing);
  const { view } = environment;
  let forbidden = 0;
  for (let s = 0; s < 11; s++) {
    // Nothing was scaled, so what was measured is what runs.
    const target = view.cpuUsageMillicores[s] / (0.5 * view.cpuRequestMillicores[s]);
    for (let change = -7; change <= 7; change++) {
      const replicas = view.desiredReplicas[s] + change;
      const fits = change < 0 ? replicas >= Math.ceil(target / 1.2) : replicas <= Math.ceil(target / 0.6);
      const inLimits = replicas >= view.minReplicas[s] && replicas <= view.maxReplicas[s];
      const allowed = change === 0 || (fits && inLimits);
      assert.equal(seen.actionMask![s * 15 + choiceOf(change)], Number(allowed), `service ${s}, change ${change}`);
      if (inLimits && !fits) forbidden++;
    }
  }
  assert.ok(forbidden > 10);
});

test('an action that the mask forbids is cut to what it allows', () => {
  const environment = boutique({ maxChange: 2 });
  environment.reset(1);
  const before = environment.view.desiredReplicas[0];
  environment.step(nothing.with(0, 7));
  assert.equal(environment.view.desiredReplicas[0], before + 2);
});

test('a choice changes the desired replicas by what the table says', () => {
  const environment = boutique();
  environment.reset(1);
  const before = [...environment.view.desiredReplicas];
  const action = new Int32Array(11);
  action[0] = 3;
  action[7] = 9;
  environment.step(action);
  assert.equal(environment.view.desiredReplicas[0], before[0] + 3);
  assert.equal(environment.view.desiredReplicas[7], before[7] - 2);
  assert.equal(environment.view.desiredReplicas[1], before[1]);
});

test('a choice that is none throws', () => {
  const environment = boutique();
  environment.reset(1);
  for (const choice of [-1, 15])
    assert.throws(() => environment.step(nothing.with(2, choice)), /action 2 must be 0 … 14/);
});

test('doing nothing with the HPA as base is the HPA, step for step', () => {
  const based = boutique({ actionBase: 'hpa', hpaTargetPercent: 40 });
  const plain = boutique();
  const hpa = createHpa({ targetPercent: 40 });
  const replicas = new Int32Array(11);
  based.resetAt(100, 7);
  plain.resetAt(100, 7);
  let changes = 0;
  for (let step = 0; step < 60; step++) {
    hpa.decide(plain.view, replicas);
    const expected = plain.stepReplicas(replicas);
    const got = based.step(nothing);
    assert.equal(got.reward, expected.reward);
    assert.deepEqual(based.view.desiredReplicas, plain.view.desiredReplicas);
    changes += expected.measures.actionsPerMinute;
  }
  assert.ok(changes > 10, 'the HPA was to scale something');
});

test('CPU metrics reach controllers one step late by default, and at once with a delay of 0', () => {
  const quiet = Float64Array.from({ length: 40 }, (_, bin) => (bin < 20 ? 1500 : 6000));
  const firstRise = (metricsDelaySteps: number): number => {
    const environment = createOnlineBoutique({ trace: quiet, episodeSteps: 20, metricsDelaySteps });
    environment.resetAt(19, 1); // the load rises fourfold in the second step
    const usage = (): number => environment.view.cpuUsageMillicores[0] / environment.view.readyPods[0];
    const before = usage();
    for (let step = 1; step <= 10; step++) {
      environment.step(nothing);
      if (usage() > 1.3 * before) return step;
    }
    return NaN;
  };
  assert.equal(firstRise(0), 2);
  assert.equal(firstRise(1), 3);
  assert.equal(firstRise(3), 5);
});

test('an instance forgets its earlier episodes, also with the longest delay of metrics', () => {
  const [fresh, used] = [0, 1].map(() => boutique({ metricsDelaySteps: 20 }));
  used.reset(8);
  for (let step = 0; step < 60; step++) used.step(nothing.with(0, 1));
  assert.deepEqual(used.reset(3), fresh.reset(3));
  assert.ok(fresh.reset(3).observation.every(Number.isFinite));
});

test('pods that became ready after the measured step are not yet covered by metrics', () => {
  const environment = boutique();
  environment.reset(3);
  const { desiredReplicas, readyPods, unreadyPods } = environment.view;
  const before = readyPods[4];
  environment.step(nothing.with(4, 2)); // currencyservice: 15 s to start
  assert.deepEqual([desiredReplicas[4], readyPods[4], unreadyPods[4]], [before + 2, before, 2]);
  environment.step(nothing); // they serve during this step; metrics of it come one step later
  environment.step(nothing);
  assert.deepEqual([readyPods[4], unreadyPods[4]], [before + 2, 0]);
});

test('the reward is the price of pods, violations and actions', () => {
  const price = (
    parameters: OnlineBoutiqueParameters,
  ): { reward: number; measures: Readonly<Record<string, number>> } => {
    const environment = boutique(parameters);
    environment.reset(5);
    return environment.step(nothing.with(0, 8).with(4, 8));
  };
  const { reward, measures } = price({ violationPrice: 0 });
  assert.ok(Math.abs(reward + 0.02 * (measures.podSeconds / 15)) < 1e-12);
  const withActions = price({ violationPrice: 0, actionPrice: 3 });
  assert.ok(Math.abs(withActions.reward - (reward - 0.02 * 2 * 3)) < 1e-12);
  const withViolations = price({ violationPrice: 50, violationSaturation: 0.2 });
  const mean = trace.reduce((a, b) => a + b) / trace.length;
  const charged = 0.2 * (1 - Math.exp(-measures.sloViolationRate / 0.2));
  const points = (100 * charged * measures.requestsPerSecond * 15) / mean;
  assert.ok(points > 0);
  assert.ok(Math.abs(withViolations.reward - (reward - 0.02 * 50 * points)) < 1e-12);
});

test('options and traces that cannot be played are refused with what is wrong', () => {
  const refused = (parameters: object, message: RegExp): void =>
    assert.throws(() => boutique(parameters), { code: 'ENVIRONMENT_INVALID', message });
  refused({ episodeSteps: 0 }, /episodeSteps must be a whole number from 1 to 100000, not 0/);
  refused({ sloSeconds: '1' }, /sloSeconds must be a number .* not "1"/);
  refused({ actionBase: 'best' }, /actionBase must be "current" or "hpa", not "best"/);
  refused({ episodeStep: 5 }, /unknown parameter "episodeStep"; there are: episodeSteps/);
  refused({ episodeSteps: 401 }, /400 bins, fewer than the 401 steps/);
  assert.throws(() => createOnlineBoutique({ trace: Float64Array.of(1, NaN), episodeSteps: 1 }), /bin 1 .* is NaN/);
  assert.throws(() => boutique().resetAt(341, 1), /0 … 340, not at 341/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlState, FallbackSpec } from '../../../../src/contracts/control.ts';
import { afterStep, firstState, violationShareOf } from '../../../../src/domain/control/fallback-rules.ts';
import type { StepFacts } from '../../../../src/domain/control/fallback-rules.ts';
import { Generator } from '../../../../src/rl/random.ts';

const at = new Date('2026-11-02T12:00:00Z');
const spec: FallbackSpec = {
  controller: 'own',
  hpaTargetPercent: null,
  errorBudget: { violationShare: 0.1, windowSteps: 3 },
};
const native: FallbackSpec = { ...spec, controller: 'native' };
const good: StepFacts = { at, observed: true, answered: true, traffic: { requests: 100, violations: 0 } };
const blind: StepFacts = { at, observed: false, answered: null, traffic: null };
const traffic = (requests: number, violations: number): StepFacts => ({ ...good, traffic: { requests, violations } });

const run = (facts: readonly StepFacts[], from = firstState('shop', 'live', 0), rules = spec): ControlState =>
  facts.reduce((state, fact) => afterStep(state, fact, rules), from);

test('steps without trouble leave the policy at work', () => {
  const state = run([good, good, good, good, good]);
  assert.equal(state.fallback, null);
  assert.equal(state.step, 5);
  assert.deepEqual(state.budget, [good.traffic, good.traffic, good.traffic]);
});

test('the step in which the policy gives no answer switches to the fallback', () => {
  const { fallback, stepsWithoutPolicy } = run([good, good, { ...good, answered: false }]);
  assert.deepEqual(fallback, {
    reason: 'policy-unavailable',
    detail: 'The policy gave no answer.',
    sinceStep: 2,
    at: at.toISOString(),
  });
  assert.equal(stepsWithoutPolicy, 1);
});

test('the second step in a row without a complete observation switches to the fallback, the first does not', () => {
  assert.equal(run([good, blind]).fallback, null);
  assert.equal(run([blind, good, blind, good, blind]).fallback, null);
  const { fallback, stepsWithoutObservation } = run([good, blind, blind]);
  assert.equal(fallback?.reason, 'observations-missing');
  assert.equal(fallback.detail, '2 steps in a row had no complete observation.');
  assert.equal(fallback.sinceStep, 2);
  assert.equal(stepsWithoutObservation, 2);
});

test('in shadow mode only a policy without an answer is dismissed', () => {
  let state = firstState('shop', 'shadow', 0);
  for (let k = 0; k < 30; k++) state = afterStep(state, { ...blind, traffic: { requests: 10, violations: 10 } }, spec);
  assert.equal(state.fallback, null);
  assert.equal(state.stepsWithoutObservation, 30);
  state = afterStep(state, { ...good, answered: false }, spec);
  assert.equal(state.fallback?.reason, 'policy-unavailable');
});

test('the step in which the error budget is exceeded switches to the fallback', () => {
  assert.equal(run([traffic(100, 10), traffic(100, 10), traffic(100, 10)]).fallback, null);
  const { fallback } = run([traffic(100, 10), traffic(100, 10), traffic(100, 11)]);
  assert.equal(fallback?.reason, 'error-budget');
  assert.equal(fallback.detail, '10.33 % of the requests of the last 3 steps violated the SLO; 10.00 % are allowed.');
});

test('the error budget counts requests, not steps, over full windows of the last steps only', () => {
  assert.equal(run([traffic(1, 1), traffic(1, 1)]).fallback, null, 'the window is not full');
  assert.equal(run([traffic(1, 1), traffic(1, 1), traffic(1000, 0)]).fallback, null, 'two bad requests of 1 002');
  assert.equal(run([traffic(9, 9), traffic(100, 5), traffic(100, 5), traffic(100, 5)]).fallback, null, 'it is over');
  assert.equal(run([traffic(0, 0), traffic(0, 0), traffic(0, 0)]).fallback, null, 'nobody came');
});

test('a step whose traffic is not known leaves the error budget as it is', () => {
  const before = run([traffic(10, 1), traffic(10, 0)]);
  assert.deepEqual(afterStep(before, { ...good, traffic: null }, spec).budget, before.budget);
});

test('a step in which the policy was not asked is none without an answer', () => {
  assert.equal(run([good, { ...good, answered: null }]).stepsWithoutPolicy, 0);
  assert.equal(run([good, { ...good, answered: null }]).fallback, null);
});

test('autoscalers are there while a native fallback acts live, and only then', () => {
  const silent: StepFacts = { ...good, answered: false };
  assert.equal(run([good], firstState('shop', 'live', 0), native).nativeAutoscalers, false);
  assert.equal(run([silent], firstState('shop', 'live', 0), native).nativeAutoscalers, true);
  assert.equal(run([silent], firstState('shop', 'shadow', 0), native).nativeAutoscalers, false);
  assert.equal(run([silent], firstState('shop', 'live', 0), spec).nativeAutoscalers, false);
  const resumed = { ...run([silent], firstState('shop', 'live', 0), native), fallback: null };
  assert.equal(run([good], resumed, native).nativeAutoscalers, false);
});

test('the share of violations without requests is 0', () => {
  assert.equal(violationShareOf([]), 0);
  assert.equal(violationShareOf([{ requests: 0, violations: 0 }]), 0);
  assert.equal(
    violationShareOf([
      { requests: 3, violations: 1 },
      { requests: 1, violations: 0 },
    ]),
    0.25,
  );
});

/** Anything that a step can find out. */
function randomFacts(generator: Generator): StepFacts {
  const observed = generator.uniform() < 0.7;
  const requests = generator.integer(100);
  return {
    at: new Date(at.getTime() + generator.integer(1e6)),
    observed,
    answered: observed && generator.uniform() < 0.9 ? generator.uniform() < 0.9 : null,
    traffic: generator.uniform() < 0.8 ? { requests, violations: generator.integer(1 + requests / 4) } : null,
  };
}

test('over any steps: a switch stays as it is, it comes within two steps of its reason, and counters tell the truth', () => {
  const generator = new Generator(5);
  const reasons = new Set<string>();
  for (let round = 0; round < 500; round++) {
    const rules = {
      ...spec,
      errorBudget: { violationShare: 0.02 * generator.integer(11), windowSteps: 1 + generator.integer(6) },
    };
    const { violationShare, windowSteps } = rules.errorBudget;
    let state = firstState('shop', 'live', generator.integer(100));
    const known: NonNullable<StepFacts['traffic']>[] = [];
    let blindInARow = 0;
    for (let k = 0; k < 40; k++) {
      const facts = randomFacts(generator);
      const before = structuredClone(state);
      const next = afterStep(state, facts, rules);
      assert.deepEqual(state, before, 'the state that was given stays as it was');
      if (facts.traffic !== null) known.push(facts.traffic);
      blindInARow = facts.observed ? 0 : blindInARow + 1;
      const window = known.slice(-windowSteps);
      assert.equal(next.step, state.step + 1);
      assert.deepEqual(next.budget, window);
      assert.equal(next.stepsWithoutObservation, blindInARow);
      assert.deepEqual([next.mode, next.paused, next.deployment], [state.mode, state.paused, state.deployment]);
      if (state.fallback !== null) assert.deepEqual(next.fallback, state.fallback);
      else {
        const sum = (key: 'requests' | 'violations'): number => window.reduce((total, entry) => total + entry[key], 0);
        const expected =
          facts.answered === false
            ? 'policy-unavailable'
            : blindInARow >= 2
              ? 'observations-missing'
              : window.length === windowSteps &&
                  sum('requests') > 0 &&
                  sum('violations') / sum('requests') > violationShare
                ? 'error-budget'
                : null;
        assert.equal(next.fallback?.reason ?? null, expected);
        if (expected !== null) {
          reasons.add(expected);
          assert.equal(next.fallback?.sinceStep, state.step);
        }
      }
      state = next;
    }
  }
  assert.equal(reasons.size, 3);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { flawsOfRules, isFrozen } from '../../../../src/domain/guard/guard-rules.ts';
import type { GuardRules, WorkloadLimits } from '../../../../src/domain/guard/guard-rules.ts';
import { guardProposals } from '../../../../src/domain/guard/guard.ts';
import type { GuardContext, GuardedScale, WorkloadState } from '../../../../src/domain/guard/guard.ts';
import { Generator } from '../../../../src/rl/random.ts';

const limits: WorkloadLimits = {
  workload: 'shop/cart',
  minReplicas: 2,
  maxReplicas: 10,
  maxStepUp: 3,
  maxStepDown: 2,
  coolDownUpSeconds: 30,
  coolDownDownSeconds: 300,
};
const rules: GuardRules = { workloads: [limits], podHours: null, frozen: [], maxObservationAgeSteps: 2 };
// A Wednesday.
const at = new Date('2026-11-18T12:00:00Z');
const cart: WorkloadState = {
  workload: 'shop/cart',
  replicas: 5,
  changedAt: null,
  disruptionsAllowed: null,
  owner: null,
};
const context: GuardContext = {
  at,
  stepSeconds: 15,
  observationAgeSteps: 0,
  workloads: [cart],
  podsLeft: {},
  podHoursUsed: 0,
};
const ago = (seconds: number): Date => new Date(at.getTime() - 1000 * seconds);

function ruling(
  replicas: number,
  state: Partial<WorkloadState> = {},
  others: Partial<GuardContext> = {},
  rule = rules,
) {
  const all = { ...context, workloads: [{ ...cart, ...state }], ...others };
  return guardProposals([{ workload: 'shop/cart', replicas }], rule, all)[0];
}
const outcome = ({ permitted, reasons }: GuardedScale): unknown[] => [permitted, reasons.map(({ reason }) => reason)];

test('a proposal within every limit passes as it is', () => {
  assert.deepEqual(outcome(ruling(7)), [7, []]);
  assert.deepEqual(outcome(ruling(3)), [3, []]);
  assert.deepEqual(outcome(ruling(5)), [5, []]);
});

test('bounds and step size shorten a change', () => {
  assert.deepEqual(outcome(ruling(20)), [8, ['bounds', 'step-size']]);
  assert.deepEqual(outcome(ruling(12, { replicas: 9 })), [10, ['bounds']]);
  assert.deepEqual(outcome(ruling(0)), [3, ['bounds', 'step-size']]);
  assert.deepEqual(outcome(ruling(0, { replicas: 3 })), [2, ['bounds']]);
});

test('a workload outside of its bounds may come back, never go further, and is not moved by the guard itself', () => {
  assert.deepEqual(outcome(ruling(13, { replicas: 12 })), [12, ['bounds']]);
  assert.deepEqual(outcome(ruling(11, { replicas: 12 })), [11, []]);
  assert.deepEqual(outcome(ruling(12, { replicas: 12 })), [12, []]);
  assert.deepEqual(outcome(ruling(0, { replicas: 1 })), [1, ['bounds']]);
});

test('cool-downs differ upwards and downwards', () => {
  assert.deepEqual(outcome(ruling(6, { changedAt: ago(29) })), [5, ['cool-down']]);
  assert.deepEqual(outcome(ruling(6, { changedAt: ago(30) })), [6, []]);
  assert.deepEqual(outcome(ruling(4, { changedAt: ago(299) })), [5, ['cool-down']]);
  assert.deepEqual(outcome(ruling(4, { changedAt: ago(300) })), [4, []]);
});

test('a clock that runs backwards does not end a cool-down', () => {
  assert.deepEqual(outcome(ruling(6, { changedAt: ago(-3600) })), [5, ['cool-down']]);
});

test('disruption budgets limit what goes, not what comes', () => {
  assert.deepEqual(outcome(ruling(3, { disruptionsAllowed: 1 })), [4, ['disruption-budget']]);
  assert.deepEqual(outcome(ruling(3, { disruptionsAllowed: 0 })), [5, ['disruption-budget']]);
  assert.deepEqual(outcome(ruling(7, { disruptionsAllowed: 0 })), [7, []]);
});

test('nothing changes on stale observations, in frozen hours, or where somebody else sets the replicas', () => {
  assert.deepEqual(outcome(ruling(7, {}, { observationAgeSteps: 3 })), [5, ['stale-observation']]);
  assert.deepEqual(outcome(ruling(7, {}, { observationAgeSteps: NaN })), [5, ['stale-observation']]);
  assert.deepEqual(outcome(ruling(7, {}, { observationAgeSteps: 2 })), [7, []]);
  const frozen = [{ days: [3], fromMinute: 11 * 60, toMinute: 13 * 60 }];
  assert.deepEqual(outcome(ruling(7, {}, {}, { ...rules, frozen })), [5, ['frozen']]);
  const owned = ruling(7, { owner: 'HorizontalPodAutoscaler shop/cart' });
  assert.deepEqual(outcome(owned), [5, ['owned']]);
  assert.equal(owned.reasons[0].detail, 'HorizontalPodAutoscaler shop/cart sets its replicas');
});

test('what is not on the allow-list, not there, or no number of replicas is never touched', () => {
  const [other] = guardProposals([{ workload: 'kube-system/dns', replicas: 0 }], rules, context);
  assert.deepEqual(outcome(other), [null, ['not-allowed']]);
  const [gone] = guardProposals([{ workload: 'shop/cart', replicas: 3 }], rules, { ...context, workloads: [] });
  assert.deepEqual(outcome(gone), [null, ['unknown-workload']]);
  for (const replicas of [NaN, Infinity, 4.5, -1]) {
    assert.deepEqual(outcome(ruling(replicas)), [5, ['not-a-number']], String(replicas));
  }
});

test('a quota is shared in the order of the proposals', () => {
  const two = { ...rules, workloads: [limits, { ...limits, workload: 'shop/ads' }, { ...limits, workload: 'it/cms' }] };
  const workloads = ['shop/cart', 'shop/ads', 'it/cms'].map((workload) => ({ ...cart, workload }));
  const proposals = workloads.map(({ workload }) => ({ workload, replicas: 8 }));
  const decided = guardProposals(proposals, two, { ...context, workloads, podsLeft: { shop: 4 } });
  assert.deepEqual(decided.map(outcome), [
    [8, []],
    [6, ['quota']],
    [8, []],
  ]);
});

test('pod-hours that are used up let nothing grow, and let everything shrink', () => {
  const budget: GuardRules = { ...rules, podHours: { budget: 10, windowHours: 24 } };
  assert.deepEqual(outcome(ruling(7, {}, { podHoursUsed: 10 }, budget)), [5, ['pod-hours']]);
  assert.deepEqual(outcome(ruling(3, {}, { podHoursUsed: 11 }, budget)), [3, []]);
  // 6 pods for 15 s are 0.025 pod-hours.
  assert.deepEqual(outcome(ruling(8, {}, { podHoursUsed: 9.975 }, budget)), [6, ['pod-hours']]);
});

test('frozen hours go over midnight and over the end of the week', () => {
  const saturdayNight = [{ days: [6], fromMinute: 22 * 60, toMinute: 6 * 60 }];
  const frozenAt = (text: string): boolean => isFrozen(saturdayNight, new Date(text));
  assert.deepEqual(
    ['2026-11-21T21:59Z', '2026-11-21T22:00Z', '2026-11-22T05:59Z', '2026-11-22T06:00Z', '2026-11-22T23:00Z'].map(
      frozenAt,
    ),
    [false, true, true, false, false],
  );
});

test('rules that make no sense are told with path, value and what is allowed', () => {
  assert.deepEqual(flawsOfRules(rules), []);
  const flaws = flawsOfRules({
    workloads: [{ ...limits, minReplicas: 3, maxReplicas: 2 }, limits],
    podHours: { budget: 0, windowHours: 24 },
    frozen: [{ days: [7], fromMinute: 0, toMinute: 60 }],
    maxObservationAgeSteps: -1,
  });
  assert.equal(flaws.length, 5);
  assert.ok(flaws.includes('workloads[shop/cart].maxReplicas: found 2; allowed: a whole number from minReplicas'));
});

test('whatever is proposed, in whatever state, no permitted change breaks a limit', () => {
  const generator = new Generator(1);
  const names = ['a/x', 'a/y', 'b/z'];
  for (let trial = 0; trial < 20_000; trial++) {
    const whole = (n: number): number => generator.integer(n);
    const random: GuardRules = {
      workloads: names.slice(0, 1 + whole(3)).map((workload) => {
        const minReplicas = whole(4);
        const steps = { maxStepUp: whole(5), maxStepDown: whole(5) };
        const coolDowns = { coolDownUpSeconds: whole(100), coolDownDownSeconds: whole(100) };
        return { workload, minReplicas, maxReplicas: minReplicas + whole(8), ...steps, ...coolDowns };
      }),
      podHours: whole(2) ? { budget: 1, windowHours: 24 } : null,
      frozen: whole(8) ? [] : [{ days: [3], fromMinute: 0, toMinute: 1440 }],
      maxObservationAgeSteps: whole(3),
    };
    const now: GuardContext = {
      at,
      stepSeconds: 15,
      observationAgeSteps: whole(4),
      workloads: names.map((workload) => ({
        workload,
        replicas: whole(14),
        changedAt: whole(2) ? ago(whole(120)) : null,
        disruptionsAllowed: whole(2) ? whole(4) : null,
        owner: whole(6) ? null : 'an HPA',
      })),
      podsLeft: whole(2) ? { a: whole(5) } : {},
      podHoursUsed: 0.9 + 0.1 * generator.uniform(),
    };
    const proposals = names.map((workload) => ({ workload, replicas: whole(20) }));
    const decided = guardProposals(proposals, random, now);
    const grown: Record<string, number> = {};
    for (const { workload, before, proposed, permitted, reasons } of decided) {
      const change = permitted! - before!;
      assert.ok(permitted === proposed || reasons.length > 0, 'a cut has a reason');
      if (change === 0 || permitted === null) continue;
      const limit = random.workloads.find((candidate) => candidate.workload === workload)!;
      const state = now.workloads.find((candidate) => candidate.workload === workload)!;
      assert.equal(Math.sign(change), Math.sign(proposed - before!));
      assert.ok(Math.abs(change) <= Math.abs(proposed - before!));
      assert.ok(change > 0 ? permitted <= limit.maxReplicas : permitted >= limit.minReplicas);
      assert.ok(change > 0 ? change <= limit.maxStepUp : -change <= limit.maxStepDown);
      const coolDown = change > 0 ? limit.coolDownUpSeconds : limit.coolDownDownSeconds;
      assert.ok(state.changedAt === null || at.getTime() - state.changedAt.getTime() >= 1000 * coolDown);
      assert.ok(change > 0 || state.disruptionsAllowed === null || -change <= state.disruptionsAllowed);
      assert.ok(state.owner === null && random.frozen.length === 0);
      assert.ok(now.observationAgeSteps <= random.maxObservationAgeSteps);
      if (change > 0) grown[workload[0]] = (grown[workload[0]] ?? 0) + change;
    }
    if ('a' in now.podsLeft) assert.ok((grown.a ?? 0) <= now.podsLeft.a);
    const pods = now.workloads.reduce((sum, { replicas }) => sum + replicas, 0);
    const growth = Object.values(grown).reduce((sum, count) => sum + count, 0);
    if (random.podHours && growth > 0) assert.ok(now.podHoursUsed + ((pods + growth) * 15) / 3600 <= 1 + 1e-9);
  }
});

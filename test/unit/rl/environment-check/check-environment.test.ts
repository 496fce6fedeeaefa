import assert from 'node:assert/strict';
import test from 'node:test';
import { checkEnvironment } from '../../../../src/rl/environment-check/check-environment.ts';
import type { EnvironmentFinding, FindingKind } from '../../../../src/rl/environment-check/report.ts';
import { thermostat } from './thermostat.ts';
import type { Defects } from './thermostat.ts';

const found = (defects: Defects): readonly EnvironmentFinding[] => {
  const { violations, findings } = checkEnvironment(thermostat(defects));
  assert.deepEqual(violations, []);
  return findings;
};

test('a clean environment keeps the contract and the lint finds nothing, whatever the seed', () => {
  for (const seed of [1, 2, 3, 4294967295]) {
    const { violations, findings, rules, steps, microsecondsPerStep } = checkEnvironment(thermostat(), { seed });
    assert.deepEqual([violations, findings], [[], []]);
    assert.ok(rules.every(({ notLookedAt }) => notLookedAt === null));
    assert.equal(steps, 2000);
    assert.ok(microsecondsPerStep! > 0);
  }
});

test('the same seed finds the same', () => {
  const report = () => ({ ...checkEnvironment(thermostat({ imitation: true }), { seed: 7 }), microsecondsPerStep: 0 });
  assert.deepEqual(report(), report());
});

const planted: readonly [defect: keyof Defects, kind: FindingKind, where: RegExp, what: RegExp][] = [
  ['deadObservation', 'dead-observation', /^observation pressure \(2\)$/, /always 0\.5, in \d+ observations/],
  ['constantReward', 'constant-reward', /^reward$/, /is 1 in all of 2000 steps/],
  ['deadHead', 'dead-action', /^action 1 \(fan\)$/, /changes nothing: from \d+ states/],
  ['duplicateChoice', 'duplicate-choice', /^action 0 \(heating\)$/, /1 and 2 \(\d+ times\)/],
  ['imitation', 'imitation-reward', /^reward$/, /"proportional" alone explains (9\d|100) %.*measures explains \d+ %/],
  [
    'rarePenalty',
    'drowning-penalty',
    /^reward$/,
    /worst 2\.0 % of the steps \(-100\d … .*carry \d+(\.\d)? % of its spread/,
  ],
  ['dearEnergy', 'drowning-penalty', /^summand rewardEnergy of the reward$/, /carries \d+(\.\d)? % of the variance/],
  ['hiddenPart', 'reward-parts', /^measures rewardComfort, rewardEnergy$/, /add up to .* where the reward is/],
  ['ignoredSeed', 'ignored-seed', /^reset$/, /5 different seeds gave the same 20 steps/],
];

for (const [defect, kind, where, what] of planted) {
  test(`a planted defect (${defect}) is found as ${kind}, says where and what, why and what to do`, () => {
    const findings = found({ [defect]: true }).filter((entry) => entry.kind === kind);
    assert.equal(findings.length, 1);
    const [finding] = findings;
    assert.match(finding.where, where);
    assert.match(finding.what, what);
    assert.ok(finding.why.length > 40 && finding.advice.length > 30);
    assert.equal(finding.accepted, null);
  });
}

test('a defect brings no finding of another kind, but for those that follow from it', () => {
  // A dead fan changes no momentum; two kinds of heating that are one save a choice but no comfort.
  const followUps: Partial<Record<keyof Defects, readonly FindingKind[]>> = { deadHead: ['dead-observation'] };
  for (const [defect, kind] of planted) {
    const others = found({ [defect]: true }).filter((entry) => entry.kind !== kind);
    const expected = followUps[defect] ?? [];
    assert.deepEqual(
      others.map((entry) => entry.kind).filter((other) => !expected.includes(other)),
      [],
      defect,
    );
  }
});

test('a finding that somebody has accepted carries the reason; others at another place do not', () => {
  const accept = (where: RegExp) =>
    checkEnvironment({
      ...thermostat({ deadObservation: true }),
      acceptedFindings: [{ kind: 'dead-observation', where, reason: 'A sensor to come.' }],
    }).findings.map(({ accepted }) => accepted);
  assert.deepEqual(accept(/pressure/), ['A sensor to come.']);
  assert.deepEqual(accept(/momentum/), [null]);
});

const broken: readonly [defect: keyof Defects, rule: RegExp, message: RegExp][] = [
  ['emptyTable', /the description/, /the observation table is empty/],
  ['unrepeatable', /same seed and the same actions/, /seed 1, two instances, step 0: element 0 of the observation/],
  ['nanReward', /respect the description/, /seed 1, step 1: the reward is NaN/],
  ['unbounded', /respect the description/, /element 0 of the observation is .*, not in -5 … 5/],
  ['shortMask', /respect the description/, /the mask has 4 bits, not 5/],
  ['nothingAllowed', /respect the description/, /step 6: the mask allows nothing in head 1/],
  ['changingMeasures', /respect the description/, /step 4: the measures are not those of step 1/],
  ['neverTruncated', /respect the description/, /step 60: the episode does not end at its longest/],
  ['forgetfulState', /saved state/, /saved at step 1, as loaded: element 1 of the observation/],
  ['playsBeforeReset', /before the first reset/, /was played/],
  ['playsAfterEnd', /after the end/, /a step after the end of an episode must throw a CoxswainError, but was played/],
  ['takesAnything', /outside of the action space/, /an action whose element 0 is -1 must throw/],
];

for (const [defect, rule, message] of broken) {
  test(`a broken contract (${defect}) is a violation that names the rule and the place, and nothing is linted`, () => {
    const { violations, findings, steps } = checkEnvironment(thermostat({ [defect]: true }));
    const violation = violations.find((entry) => rule.test(entry.rule));
    assert.ok(violation, `found instead: ${JSON.stringify(violations)}`);
    assert.match(violation.message, message);
    assert.deepEqual([findings, steps], [[], 0]);
  });
}

test('an environment that cannot be made is an error, not a report', () => {
  const kind = {
    ...thermostat(),
    create: () => {
      throw new RangeError('no room');
    },
  };
  assert.throws(() => checkEnvironment(kind), /no room/);
});

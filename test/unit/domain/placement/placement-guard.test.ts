import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  GuardedPlacement,
  ObservedPlacement,
  PlacementObservation,
  PlacementReason,
} from '../../../../src/contracts/placement.ts';
import { guardPlacement } from '../../../../src/domain/placement/placement-guard.ts';
import type { PlacementMoment, PlacementRules } from '../../../../src/domain/placement/placement-guard.ts';
import { noPlacementYet, placementAfter } from '../../../../src/domain/placement/placement-progress.ts';
import { proposePlacement } from '../../../../src/domain/placement/propose-placement.ts';
import { Generator } from '../../../../src/rl/random.ts';

// A Wednesday.
const at = new Date('2026-11-18T12:00:00Z');
const ago = (seconds: number): Date => new Date(at.getTime() - 1000 * seconds);
const pod = (name: string) => ({ pod: name, uid: `uid-of-${name}`, node: 'node-1' });

const web: ObservedPlacement = {
  workload: 'shop/web',
  kind: 'Deployment',
  replicas: 3,
  readyPods: 3,
  rollingOut: false,
  disruptionsAllowed: null,
  wantedNodes: null,
  affinityAsWanted: true,
  openNodes: 2,
  misplaced: [pod('web-a'), pod('web-b')],
};
const unplaced = { wantedNodes: ['node-2', 'node-3'], affinityAsWanted: false };
const rules: PlacementRules = {
  workloads: ['shop/web', 'shop/db', 'shop/api'],
  frozen: [],
  maxObservationAgeSteps: 2,
  movesPerStep: 1,
  coolDownSeconds: 60,
};
const moment: PlacementMoment = { at, stepSeconds: 15, paused: false, scaling: [], changedAt: new Map() };
const seen = (...workloads: (ObservedPlacement | null)[]): PlacementObservation => ({
  at: at.toISOString(),
  closedNodes: [{ node: 'node-1', why: 'cordoned' }],
  workloads,
});

describe('proposals', () => {
  test('are the affinity of a workload first, and once that stands the move of one of its pods', () => {
    const placed = { ...web, ...unplaced };
    assert.deepEqual(proposePlacement(seen(placed)), [
      { kind: 'place', workload: 'shop/web', nodes: ['node-2', 'node-3'] },
    ]);
    const move = { kind: 'move', workload: 'shop/web', ...pod('web-a') };
    assert.deepEqual(proposePlacement(seen({ ...placed, affinityAsWanted: true })), [move]);
    assert.deepEqual(proposePlacement(seen(web)), [move]);
  });

  test('are none for a workload that is as it should be, or is not there', () => {
    assert.deepEqual(proposePlacement(seen(null, { ...web, misplaced: [] })), []);
    assert.deepEqual(proposePlacement(seen({ ...web, ...unplaced, affinityAsWanted: true, misplaced: [] })), []);
  });
});

describe('the guard', () => {
  const decided = (
    observed: Partial<ObservedPlacement>,
    changedRules: Partial<PlacementRules> = {},
    changedMoment: Partial<PlacementMoment> = {},
    observation = seen({ ...web, ...observed }),
  ): GuardedPlacement => {
    const proposals = proposePlacement(observation);
    return guardPlacement(proposals, observation, { ...rules, ...changedRules }, { ...moment, ...changedMoment })[0];
  };

  const cases: readonly (readonly [PlacementReason | null, 'move' | 'place', () => GuardedPlacement])[] = [
    [null, 'move', () => decided({})],
    [null, 'place', () => decided(unplaced)],
    ['not-allowed', 'move', () => decided({}, { workloads: ['shop/db'] })],
    ['not-allowed', 'place', () => decided(unplaced, { workloads: [] })],
    ['paused', 'move', () => decided({}, {}, { paused: true })],
    ['frozen', 'move', () => decided({}, { frozen: [{ days: [3], fromMinute: 0, toMinute: 1440 }] })],
    ['frozen', 'place', () => decided(unplaced, { frozen: [{ days: [3], fromMinute: 720, toMinute: 721 }] })],
    [null, 'move', () => decided({}, { frozen: [{ days: [3], fromMinute: 721, toMinute: 722 }] })],
    ['rolling-out', 'place', () => decided({ ...unplaced, rollingOut: true })],
    ['rolling-out', 'move', () => decided({ rollingOut: true })],
    ['cool-down', 'move', () => decided({}, {}, { changedAt: new Map([['shop/web', ago(59)]]) })],
    ['cool-down', 'place', () => decided(unplaced, {}, { changedAt: new Map([['shop/web', ago(0)]]) })],
    ['cool-down', 'move', () => decided({}, {}, { changedAt: new Map([['shop/web', new Date(NaN)]]) })],
    [null, 'move', () => decided({}, {}, { changedAt: new Map([['shop/web', ago(60)]]) })],
    [null, 'move', () => decided({}, {}, { changedAt: new Map([['shop/db', ago(1)]]) })],
    ['scaling', 'move', () => decided({}, {}, { scaling: ['shop/web'] })],
    [null, 'move', () => decided({}, {}, { scaling: ['shop/db'] })],
    ['not-ready', 'move', () => decided({ readyPods: 2 })],
    [null, 'place', () => decided({ ...unplaced, readyPods: 2 })],
    ['disruption-budget', 'move', () => decided({ disruptionsAllowed: 0 })],
    ['disruption-budget', 'place', () => decided({ ...unplaced, disruptionsAllowed: 0 })],
    ['disruption-budget', 'move', () => decided({ disruptionsAllowed: NaN })],
    [null, 'move', () => decided({ disruptionsAllowed: 1 })],
    ['no-node', 'move', () => decided({ openNodes: 0 })],
    ['no-node', 'place', () => decided({ ...unplaced, openNodes: 0 })],
    ['stale-observation', 'move', () => decided({}, {}, {}, { ...seen(web), at: ago(45).toISOString() })],
    ['stale-observation', 'move', () => decided({}, {}, {}, { ...seen(web), at: 'no time' })],
    [null, 'move', () => decided({}, {}, {}, { ...seen(web), at: ago(44).toISOString() })],
  ];

  for (const [i, [reason, kind, decide]] of cases.entries()) {
    test(`case ${i + 1}: ${kind}: ${reason ?? 'permitted'}`, () => {
      const { permitted, reason: found, proposal, detail } = decide();
      assert.deepEqual([permitted, found, proposal.kind], [reason === null, reason, kind]);
      assert.equal(detail === '', reason === null);
    });
  }

  test('moves as many pods as a step may, in the order of the workloads, and places beside them', () => {
    const names = ['shop/web', 'shop/db', 'shop/api'];
    const observation = seen(...names.map((workload) => ({ ...web, workload })));
    const reasons = (movesPerStep: number) =>
      guardPlacement(proposePlacement(observation), observation, { ...rules, movesPerStep }, moment).map(
        ({ reason }) => reason,
      );
    assert.deepEqual(reasons(1), [null, 'moves-per-step', 'moves-per-step']);
    assert.deepEqual(reasons(2), [null, null, 'moves-per-step']);
    const mixed = seen(web, { ...web, ...unplaced, workload: 'shop/db' });
    const both = guardPlacement(proposePlacement(mixed), mixed, rules, moment);
    assert.deepEqual(
      both.map(({ permitted }) => permitted),
      [true, true],
    );
  });

  test('a move that may not be made leaves its place in the step to another one', () => {
    const observation = seen({ ...web, readyPods: 1 }, { ...web, workload: 'shop/db' });
    const decisions = guardPlacement(proposePlacement(observation), observation, rules, moment);
    assert.deepEqual(
      decisions.map(({ permitted }) => permitted),
      [false, true],
    );
  });

  test('whatever the state, nothing is permitted that a rule forbids', () => {
    const generator = new Generator(7);
    const whole = (n: number): number => generator.integer(n);
    const frozenAllDay = [{ days: [3], fromMinute: 0, toMinute: 1440 }];
    let permittedMoves = 0;
    let permittedPlacements = 0;
    for (let trial = 0; trial < 20_000; trial++) {
      const names = ['a/x', 'a/y', 'b/z', 'b/u'];
      const observation: PlacementObservation = {
        ...seen(
          ...names.map((workload): ObservedPlacement | null =>
            whole(10) === 0
              ? null
              : {
                  workload,
                  kind: 'Deployment',
                  replicas: whole(5),
                  readyPods: whole(6),
                  rollingOut: whole(4) === 0,
                  disruptionsAllowed: whole(2) ? whole(3) : null,
                  wantedNodes: whole(2) ? ['node-2'] : null,
                  affinityAsWanted: whole(3) > 0,
                  openNodes: whole(3),
                  misplaced: Array.from({ length: whole(4) }, (_, p) => pod(`${workload}-${p}`)),
                },
          ),
        ),
        at: ago(whole(80)).toISOString(),
      };
      const random: PlacementRules = {
        workloads: names.slice(0, 1 + whole(4)),
        frozen: whole(6) ? [] : frozenAllDay,
        maxObservationAgeSteps: whole(4),
        movesPerStep: 1 + whole(3),
        coolDownSeconds: whole(100),
      };
      const now: PlacementMoment = {
        at,
        stepSeconds: 15,
        paused: whole(8) === 0,
        scaling: names.filter(() => whole(6) === 0),
        changedAt: new Map(names.filter(() => whole(2)).map((name) => [name, ago(whole(150))])),
      };
      const permitted = guardPlacement(proposePlacement(observation), observation, random, now).filter(
        (one) => one.permitted,
      );
      const moves = permitted.filter(({ proposal }) => proposal.kind === 'move');
      permittedMoves += moves.length;
      permittedPlacements += permitted.length - moves.length;
      assert.ok(moves.length <= random.movesPerStep);
      const workloads = permitted.map(({ proposal }) => proposal.workload);
      assert.equal(new Set(workloads).size, workloads.length, 'one change of a workload at a time');
      if (permitted.length === 0) continue;
      assert.deepEqual(random.frozen, []);
      assert.ok(!now.paused);
      assert.ok(Date.parse(observation.at) > at.getTime() - 15_000 * (random.maxObservationAgeSteps + 1));
      for (const { proposal } of permitted) {
        const observed = observation.workloads.find((one) => one?.workload === proposal.workload)!;
        const since = (at.getTime() - (now.changedAt.get(proposal.workload)?.getTime() ?? -Infinity)) / 1000;
        assert.ok(random.workloads.includes(proposal.workload) && !now.scaling.includes(proposal.workload));
        assert.ok(!observed.rollingOut && since >= random.coolDownSeconds && observed.openNodes > 0);
        assert.ok(observed.disruptionsAllowed === null || observed.disruptionsAllowed >= 1);
        if (proposal.kind === 'move') assert.ok(observed.readyPods >= observed.replicas);
      }
    }
    assert.ok(permittedMoves > 500 && permittedPlacements > 500, `${permittedMoves}, ${permittedPlacements}`);
  });
});

describe('the memory of a placement', () => {
  const guarded = (reason: PlacementReason | null, kind: 'move' | 'place' = 'move'): GuardedPlacement => ({
    proposal:
      kind === 'move'
        ? { kind, workload: 'shop/web', ...pod('web-a') }
        : { kind, workload: 'shop/web', nodes: ['node-2'] },
    permitted: reason === null,
    reason,
    detail: '',
  });
  const live = { at, acts: true };

  test('begins a cool-down with what is done, and not in shadow mode', () => {
    assert.equal(placementAfter(noPlacementYet, web, guarded(null), live).changedAt, at.toISOString());
    assert.equal(placementAfter(noPlacementYet, web, guarded(null), { at, acts: false }).changedAt, null);
    assert.equal(placementAfter(noPlacementYet, web, guarded('frozen'), live).changedAt, null);
  });

  test('keeps for good that an affinity may be ours, once that is tried', () => {
    const placed = placementAfter(noPlacementYet, web, guarded(null, 'place'), live);
    assert.equal(placed.placed, true);
    assert.equal(placementAfter(placed, web, null, { at, acts: false }).placed, true);
    assert.equal(placementAfter(noPlacementYet, web, guarded('frozen', 'place'), live).placed, false);
    assert.equal(placementAfter(noPlacementYet, web, guarded(null, 'move'), live).placed, false);
    assert.equal(placementAfter(noPlacementYet, web, guarded(null, 'place'), { at, acts: false }).placed, false);
  });

  test('counts it as done once nothing is to be done and all pods are ready again', () => {
    const due = placementAfter(noPlacementYet, web, guarded(null), live);
    assert.equal(due.due, true);
    assert.equal(placementAfter(due, { ...web, readyPods: 2 }, null, live).due, true);
    assert.equal(placementAfter(due, { ...web, rollingOut: true }, null, live).due, true);
    assert.equal(placementAfter(due, web, null, live).due, false);
    assert.equal(placementAfter(noPlacementYet, { ...web, readyPods: 2 }, null, live).due, false);
  });

  test('counts steps in which somebody must do something, and no others', () => {
    let memory = noPlacementYet;
    const after = (reason: PlacementReason | null): number =>
      (memory = placementAfter(memory, web, guarded(reason), live)).stuckSteps;
    assert.deepEqual(
      ['disruption-budget', 'cool-down', 'no-node', 'frozen', 'not-ready'].map((reason) =>
        after(reason as PlacementReason),
      ),
      [1, 1, 2, 2, 3],
    );
    assert.equal(after(null), 0);
    after('not-ready');
    assert.equal(placementAfter(memory, web, null, live).stuckSteps, 0);
  });
});

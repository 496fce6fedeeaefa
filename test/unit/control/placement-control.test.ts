import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ControlDecision, DeploymentSpec } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { PlacementDecision, PlacementSpec } from '../../../src/contracts/placement.ts';
import { liveDeployment } from '../../../src/control/live-deployment.ts';
import { closeDeployment } from '../../../src/control/open-deployment.ts';
import { replayDecisions } from '../../../src/control/replay.ts';
import type { ReplayedPolicy } from '../../../src/control/replay.ts';
import { Generator } from '../../../src/rl/random.ts';
import { renderDecisions } from '../../../src/cli/decision-view.ts';
import { application, ControlBench, deploymentRecord } from './control-bench.ts';

const { signal } = new AbortController();
const away = new CoxswainError('STORE_UNAVAILABLE', 'away');

/** Two services of two pods, on node-0; node-1 is free. */
function placingBench(placement: Partial<PlacementSpec> = {}, spec: Partial<DeploymentSpec> = {}): ControlBench {
  const whole = { nodes: {}, leaveCordoned: true, movesPerStep: 1, coolDownSeconds: 60, ...placement };
  const bench = new ControlBench({ ...spec, placement: whole });
  bench.cluster.nodes.set('node-1', { ready: true, unschedulable: false });
  return bench;
}

function cordon(bench: ControlBench, node = 'node-0', unschedulable = true): void {
  bench.cluster.nodes.set(node, { ready: true, unschedulable });
}

const decisionOf = async (bench: ControlBench, step: number): Promise<ControlDecision> =>
  (await bench.store.getDecision('shop', step))!;
const placementOf = async (bench: ControlBench, step: number): Promise<PlacementDecision> =>
  (await decisionOf(bench, step)).placement!;
const reasonsOf = async (bench: ControlBench, step: number) =>
  (await placementOf(bench, step)).guarded.map(({ reason }) => reason);
const eventsOf = async (bench: ControlBench) =>
  (await bench.store.listEvents('shop')).map(({ kind, alert, message }) => [kind, alert, message]).reverse();
const evictedOf = (bench: ControlBench): string[] => bench.cluster.evicted.map(({ pod }) => pod);
const close = (bench: ControlBench) =>
  closeDeployment({ store: bench.store, actor: bench.cluster, now: bench.now }, 'shop', bench.state, null, signal);

describe('a loop that places', () => {
  test('leaves nothing of it in the records of one that does not', async () => {
    const bench = new ControlBench();
    cordon(bench);
    const summary = await bench.step();
    const decision = await decisionOf(bench, 0);
    assert.ok(!('placement' in decision) && !('placementResult' in decision) && !('placement' in decision.memory));
    assert.ok(!('placed' in summary));
    assert.deepEqual([bench.cluster.evicted, bench.cluster.placements], [[], []]);
  });

  test('works as before with a record from before there was placement', async () => {
    const { placement: _none, ...before } = deploymentRecord().spec;
    const record = { ...deploymentRecord(), spec: before as DeploymentSpec };
    const bench = new ControlBench({}, liveDeployment(record, application));
    assert.deepEqual((await bench.step()).notes, []);
  });

  test('moves the pods off a cordoned node, one workload after the other, and says when that is done', async () => {
    const bench = placingBench();
    cordon(bench);
    const summaries = await bench.steps(10);
    assert.deepEqual(
      summaries.map(({ placed }) => placed),
      [1, 1, 0, 0, 1, 1, 0, 0, 0, 0],
      'a step moves one pod, and a workload waits 60 s',
    );
    assert.deepEqual(evictedOf(bench), ['web-0', 'db-0', 'web-1', 'db-1']);
    assert.deepEqual(
      [await reasonsOf(bench, 0), await reasonsOf(bench, 1), await reasonsOf(bench, 2)],
      [
        [null, 'moves-per-step'],
        ['cool-down', null],
        ['cool-down', 'cool-down'],
      ],
    );
    assert.deepEqual((await decisionOf(bench, 0)).placementResult, [
      { workload: 'shop/web', kind: 'move', pod: 'web-0', outcome: 'evicted', detail: '' },
    ]);
    assert.deepEqual(await eventsOf(bench), [
      ['placement-finished', false, 'All pods of shop/web are where they should be.'],
      ['placement-finished', false, 'All pods of shop/db are where they should be.'],
    ]);
    assert.deepEqual(await reasonsOf(bench, 9), []);
  });

  test('does not look at cordoned nodes where it is not to', async () => {
    const bench = placingBench({ leaveCordoned: false });
    cordon(bench);
    await bench.steps(3);
    assert.deepEqual([evictedOf(bench), await reasonsOf(bench, 2)], [[], []]);
  });

  test('keeps the pods of a service on its nodes: once, and then no more until they are elsewhere', async () => {
    const bench = placingBench({ nodes: { web: ['node-1'] }, coolDownSeconds: 0 });
    const web = bench.cluster.workloads.get('shop/web')!;
    await bench.step();
    assert.deepEqual(bench.cluster.placements, ['shop/web on node-1']);
    web.rollingOut = true;
    await bench.steps(2);
    web.rollingOut = false;
    web.nodes = ['node-1', 'node-1'];
    await bench.steps(2);
    assert.deepEqual([bench.cluster.placements.length, evictedOf(bench)], [1, []]);
    assert.deepEqual(await eventsOf(bench), [
      ['placed', false, 'shop/web is kept on node-1; its pods are being replaced.'],
      ['placement-finished', false, 'All pods of shop/web are where they should be.'],
    ]);
    // A pod that no rollout replaces, as of a StatefulSet that waits for its pods to be deleted.
    web.nodes = ['node-1', 'node-0'];
    cordon(bench, 'node-0');
    await bench.step();
    assert.deepEqual(evictedOf(bench), ['web-1']);
    // Somebody takes the affinity away.
    web.placedOn = null;
    await bench.step();
    assert.deepEqual(bench.cluster.placements, ['shop/web on node-1', 'shop/web on node-1']);
  });

  test('records in shadow mode what it would do, and does nothing', async () => {
    const bench = placingBench({ nodes: { db: ['node-1'] } }, { mode: 'shadow' });
    cordon(bench);
    const [, second] = await bench.steps(2);
    const { guarded, finished } = await placementOf(bench, 1);
    assert.deepEqual(
      guarded.map(({ proposal, permitted }) => [proposal.kind, permitted]),
      [
        ['move', true],
        ['place', true],
      ],
    );
    assert.deepEqual([second.placed, (await decisionOf(bench, 1)).placementResult, finished], [0, [], []]);
    assert.deepEqual([bench.cluster.evicted, bench.cluster.placements], [[], []]);
    cordon(bench, 'node-0', false);
    bench.cluster.workloads.get('shop/db')!.nodes = ['node-1', 'node-1'];
    bench.cluster.workloads.get('shop/db')!.placedOn = ['node-1'];
    await bench.step();
    assert.deepEqual(await placementOf(bench, 2).then((one) => [one.guarded, one.finished]), [[], []], 'others did it');
    await bench.store.openDeployment(bench.live.record);
    await close(bench);
    assert.deepEqual(bench.cluster.placements, [], 'nor at its end');
  });

  test('says that a budget keeps pods where they are, as an alert once, and goes on when it lets go', async () => {
    const bench = placingBench();
    cordon(bench);
    const web = bench.cluster.workloads.get('shop/web')!;
    web.disruptionsAllowed = 0;
    const notes = (await bench.steps(6)).map((summary) => summary.notes);
    const note = (steps: number) =>
      `shop/web: its pods could not be moved away from node-0 for ${steps} steps: its disruption budget lets no pod go now`;
    assert.deepEqual(notes, [[], [], [], [note(4)], [note(5)], [note(6)]]);
    const stuck = 'The pods of shop/web could not be placed for 4 steps: its disruption budget lets no pod go now.';
    assert.deepEqual((await eventsOf(bench))[0], ['placement-stuck', true, stuck]);
    assert.deepEqual(bench.cluster.warnings, [`CoxswainPlacementStuck: ${stuck}`]);
    assert.ok(evictedOf(bench).every((pod) => pod.startsWith('db')));
    web.disruptionsAllowed = 1;
    await bench.steps(2);
    assert.ok(evictedOf(bench).includes('web-0'));
  });

  test('counts as stuck only steps in which something in the cluster is in the way', async () => {
    const bench = placingBench();
    cordon(bench);
    const web = bench.cluster.workloads.get('shop/web')!;
    web.disruptionsAllowed = 0;
    await bench.steps(4);
    bench.state = { ...bench.state, paused: true };
    await bench.step();
    assert.deepEqual([(await placementOf(bench, 3)).stuck.length, (await placementOf(bench, 4)).stuck], [1, []]);
    bench.state = { ...bench.state, paused: false };
    await bench.step();
    assert.equal((await placementOf(bench, 5)).stuck[0].steps, 5);
    assert.equal((await eventsOf(bench)).filter(([kind]) => kind === 'placement-stuck').length, 1);
  });

  test('takes no pod from a workload that it scales, or that lacks one', async () => {
    const bench = placingBench();
    cordon(bench);
    bench.policies.action = () => [1, 0];
    bench.cluster.workloads.get('shop/db')!.unready = 1;
    await bench.step();
    assert.deepEqual(await reasonsOf(bench, 0), ['scaling', 'not-ready']);
    assert.deepEqual([bench.replicas(), evictedOf(bench)], [[3, 2], []]);
  });

  test('goes on while the fallback acts, and rests in frozen hours', async () => {
    const bench = placingBench();
    cordon(bench);
    bench.policies.dead = true;
    const summary = await bench.step();
    assert.deepEqual([summary.actor, evictedOf(bench)], ['fallback', ['web-0']]);

    const { guard } = placingBench().live.record.spec;
    const frozen = placingBench({}, { guard: { ...guard, frozen: [{ days: [1], fromMinute: 0, toMinute: 1440 }] } });
    cordon(frozen);
    await frozen.step();
    assert.deepEqual([await reasonsOf(frozen, 0), evictedOf(frozen)], [['frozen', 'frozen'], []]);
  });

  test('says what a refusal of the cluster kept from being done, and does the rest', async () => {
    const bench = placingBench({ nodes: { web: ['node-1'] }, movesPerStep: 2 });
    bench.cluster.placeOn = () => Promise.reject(new CoxswainError('CLUSTER_REFUSED', 'the right is missing'));
    cordon(bench);
    const first = await bench.step();
    assert.deepEqual(first.notes, ['shop/web: failed: CLUSTER_REFUSED: the right is missing']);
    assert.deepEqual([first.placed, evictedOf(bench)], [1, ['db-0']]);
    bench.timeMs += 60_000;
    bench.cluster.evictionAnswers.push('budget');
    const second = await bench.step();
    assert.ok(second.notes.includes('db-1: budget: a disruption budget does not let it go now'), second.notes.join());
  });

  test('does nothing on a cluster that could not be read, and says which nodes it does not see', async () => {
    const bench = placingBench();
    cordon(bench);
    bench.cluster.away = true;
    await bench.step();
    assert.deepEqual(await placementOf(bench, 0), { observation: null, guarded: [], finished: [], stuck: [] });
    bench.cluster.away = false;
    bench.cluster.gaps = [{ what: 'nodes', code: 'CLUSTER_REFUSED', reason: 'the right to list nodes is missing' }];
    const { notes } = await bench.step();
    assert.deepEqual(notes, ['placement: the nodes could not be read: the right to list nodes is missing']);
    assert.equal((await placementOf(bench, 1)).observation, null);
    assert.deepEqual(evictedOf(bench), []);
  });

  test('killed between decision and result, evicts the pod of the stored decision once', async () => {
    const bench = placingBench({ coolDownSeconds: 0 });
    cordon(bench);
    bench.store.completeDecision = () => Promise.reject(away);
    await assert.rejects(bench.attempt(), /away/);
    delete (bench.store as Partial<typeof bench.store>).completeDecision;
    bench.timeMs += 2_000;
    const summary = await bench.step();
    assert.deepEqual(evictedOf(bench), ['web-0']);
    assert.deepEqual((await decisionOf(bench, 0)).placementResult, [
      { workload: 'shop/web', kind: 'move', pod: 'web-0', outcome: 'gone', detail: 'it is not there any more' },
    ]);
    assert.equal(summary.placed, 0);
  });

  test('killed between decision and result, evicts by uid: a pod that has come again may have the same name', async () => {
    const bench = placingBench();
    cordon(bench);
    bench.store.completeDecision = () => Promise.reject(away);
    await assert.rejects(bench.attempt(), /away/);
    delete (bench.store as Partial<typeof bench.store>).completeDecision;
    const { evict } = bench.cluster;
    const asked: (string | undefined)[] = [];
    bench.cluster.evict = (pod) => (asked.push(pod.uid), evict.call(bench.cluster, pod));
    await bench.step();
    assert.deepEqual([asked, evictedOf(bench)], [['uid-of-web-0'], ['web-0']]);
  });

  test('does not act on a decision that is older than a step', async () => {
    const bench = placingBench();
    cordon(bench);
    const { evict } = bench.cluster;
    bench.store.completeDecision = () => Promise.reject(away);
    bench.cluster.evict = () => Promise.reject(new CoxswainError('CLUSTER_UNAVAILABLE', 'killed'));
    await assert.rejects(bench.attempt(), /away/);
    delete (bench.store as Partial<typeof bench.store>).completeDecision;
    bench.cluster.evict = evict;
    bench.timeMs += 16_000;
    const { notes } = await bench.step();
    assert.match(notes.join(), /web-0: failed: the decision was 16 s old/);
    assert.deepEqual(evictedOf(bench), []);
  });

  test('takes its affinities back at the end, also when it was killed while it placed, and no others', async () => {
    const bench = placingBench({ nodes: { web: ['node-1'] } });
    await bench.store.openDeployment(bench.live.record);
    bench.store.completeDecision = () => Promise.reject(away);
    await assert.rejects(bench.attempt(), /away/);
    bench.cluster.away = true;
    await assert.rejects(close(bench), { code: 'CLUSTER_UNAVAILABLE', message: /^placement of shop\/web: / });
    assert.equal((await bench.store.getDeployment('shop'))?.status, 'running', 'so that it can be closed again');
    bench.cluster.away = false;
    await close(bench);
    assert.deepEqual(bench.cluster.placements, ['shop/web on node-1', 'shop/web on any']);
    assert.equal(bench.cluster.workloads.get('shop/web')!.placedOn, null);
    assert.ok(
      (await eventsOf(bench)).some(([, , message]) => message === 'Pods of shop/web may run on any node again.'),
    );
    await close(bench);
    assert.equal(bench.cluster.placements.length, 2);
  });

  test('takes nothing back that an earlier opening of its name has placed', async () => {
    const bench = placingBench({ nodes: { web: ['node-1'] } });
    await bench.step();
    await bench.store.openDeployment({ ...bench.live.record, openedAt: bench.now() });
    await close(bench);
    assert.deepEqual(bench.cluster.placements, ['shop/web on node-1']);
  });

  test('closes although a workload that it placed is gone', async () => {
    const bench = placingBench({ nodes: { web: ['node-1'] } });
    await bench.store.openDeployment(bench.live.record);
    await bench.step();
    bench.cluster.workloads.delete('shop/web');
    await close(bench);
    assert.equal((await bench.store.getDeployment('shop'))?.status, 'stopped');
  });

  test('is shown with its decisions', async () => {
    const bench = placingBench({ nodes: { db: ['node-1'] } });
    cordon(bench);
    bench.cluster.evictionAnswers.push('budget');
    await bench.steps(2);
    const decisions = await bench.store.readDecisions({ deployment: 'shop' });
    const text = renderDecisions(decisions, 120, (_, painted) => painted);
    assert.match(text, /web-0 away from node-0 budget: a disruption budget does not let it go now\n +db on node-1\n/);
    assert.match(text, /web-0 away from node-0 \(cool-down, changed 15 s ago, and 60 s must pass\)/);
  });

  test('whatever happens, evicts no more than it may, and only from workloads that can spare a pod', async () => {
    let evictions = 0;
    for (let seed = 0; seed < 20; seed++) {
      const random = new Generator(seed);
      const chance = (probability: number): boolean => random.uniform() < probability;
      const movesPerStep = 1 + random.integer(2);
      const frozenHours = [{ days: [1], fromMinute: 725, toMinute: 730 }];
      const { guard } = placingBench().live.record.spec;
      const bench = placingBench(
        { movesPerStep, nodes: chance(0.5) ? { web: ['node-1', 'node-2'] } : {}, coolDownSeconds: 30 },
        { guard: { ...guard, frozen: frozenHours } },
      );
      bench.policies.action = () => [0, 1].map(() => (chance(0.2) ? 1 + random.integer(3) : 0));
      const lastChange = new Map<string, number>();
      let moved = 0;
      bench.cluster.beforePlacement = (workload) => {
        const found = bench.cluster.workloads.get(workload)!;
        assert.equal(bench.state.mode, 'live');
        assert.ok((found.disruptionsAllowed ?? 1) > 0 && found.rollingOut !== true);
        assert.ok(bench.timeMs - (lastChange.get(workload) ?? -Infinity) >= 30_000);
        const minute = new Date(bench.timeMs).getUTCHours() * 60 + new Date(bench.timeMs).getUTCMinutes();
        assert.ok(minute < 725 || minute >= 730, `minute ${minute}`);
        lastChange.set(workload, bench.timeMs);
      };
      const { evict } = bench.cluster;
      bench.cluster.evict = (pod) => {
        moved++;
        const workload = pod.name.startsWith('web') ? 'shop/web' : 'shop/db';
        assert.equal(bench.cluster.workloads.get(workload)!.unready ?? 0, 0);
        return evict.call(bench.cluster, pod);
      };
      for (let i = 0; i < 60; i++) {
        bench.cluster.away = chance(0.1);
        bench.cluster.gaps = chance(0.05) ? [{ what: 'nodes', code: 'CLUSTER_REFUSED', reason: 'planted' }] : [];
        bench.metrics.away = chance(0.1);
        bench.policies.dead = chance(0.05);
        for (const node of ['node-0', 'node-1', 'node-2']) {
          if (chance(0.15)) bench.cluster.nodes.set(node, { ready: chance(0.8), unschedulable: chance(0.4) });
        }
        for (const workload of bench.cluster.workloads.values()) {
          if (chance(0.2)) workload.disruptionsAllowed = chance(0.5) ? null : random.integer(2);
          if (chance(0.2)) workload.unready = chance(0.2) ? 1 : 0;
          if (chance(0.2)) workload.rollingOut = chance(0.15);
          if (chance(0.1)) workload.nodes = Array.from({ length: 9 }, () => `node-${random.integer(3)}`);
          if (chance(0.05)) workload.placedOn = null;
        }
        if (chance(0.1)) bench.cluster.evictionAnswers.push(chance(0.5) ? 'budget' : new Error('planted'));
        if (chance(0.1)) bench.state = { ...bench.state, mode: chance(0.8) ? 'live' : 'shadow' };
        if (chance(0.1)) bench.state = { ...bench.state, fallback: null };
        moved = 0;
        await bench.step();
        assert.ok(moved <= movesPerStep);
      }
      evictions += bench.cluster.evicted.length;
      const decisions = await bench.store.readDecisions({ deployment: 'shop' });
      assert.equal((await replayDecisions(bench.live, stored(decisions), policyOf(decisions))).steps, 60);
    }
    assert.ok(evictions > 50, `${evictions}`);
  });
});

/** As a store gives them back. */
function stored(decisions: readonly ControlDecision[]): ControlDecision[] {
  return decisions.map((decision) => ({
    ...(JSON.parse(JSON.stringify(decision)) as ControlDecision),
    at: decision.at,
  }));
}

/** Gives the recorded answers. */
function policyOf(decisions: readonly ControlDecision[]): ReplayedPolicy {
  const answers = decisions.flatMap(({ policy }) => policy?.action ?? []);
  return {
    memorySize: 1,
    async act(_observation, _mask, memory) {
      memory![0]++;
      return answers.splice(0, 2);
    },
  };
}

describe('a replay', () => {
  test('computes placements again, and finds each bit that was changed', async () => {
    const bench = placingBench({ nodes: { db: ['node-1'] } });
    cordon(bench);
    bench.cluster.workloads.get('shop/web')!.disruptionsAllowed = 0;
    await bench.steps(6);
    const decisions = stored(await bench.store.readDecisions({ deployment: 'shop' }));
    assert.equal((await replayDecisions(bench.live, decisions, policyOf(decisions))).steps, 6);
    const spoil = (step: number, change: (placement: PlacementDecision) => unknown) =>
      decisions.map((decision) =>
        decision.step === step
          ? { ...decision, placement: change(decision.placement!) as PlacementDecision }
          : decision,
      );
    const observed = (placement: PlacementDecision, workload: object) => ({
      ...placement,
      observation: {
        ...placement.observation!,
        workloads: [{ ...placement.observation!.workloads[0]!, ...workload }, placement.observation!.workloads[1]],
      },
    });
    const cases: [RegExp, ControlDecision[]][] = [
      [
        /^Step 0 differs in (placement|memory)/,
        spoil(0, (p) => ({ ...p, guarded: [{ ...p.guarded[0], permitted: true }] })),
      ],
      [/^Step 3 differs in (placement|memory)/, spoil(3, (p) => ({ ...p, stuck: [] }))],
      [/^Step 2 differs in (placement|memory)/, spoil(2, (p) => observed(p, { disruptionsAllowed: 1 }))],
      [/^Step 1 differs in (placement|memory)/, spoil(1, (p) => observed(p, { misplaced: [] }))],
      [/^Step 4 differs in (placement|memory)/, spoil(4, () => undefined)],
      [/^Step 5 differs in placement/, spoil(5, (p) => ({ ...p, guarded: [{ ...p.guarded[0], detail: 'x' }] }))],
    ];
    for (const [sentence, changed] of cases) {
      await assert.rejects(replayDecisions(bench.live, changed, policyOf(changed)), {
        code: 'REPLAY_DIFFERS',
        message: sentence,
      });
    }
  });
});

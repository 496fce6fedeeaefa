import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlDecision } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { replayDecisions } from '../../../src/control/replay.ts';
import type { ReplayedPolicy } from '../../../src/control/replay.ts';
import { ControlBench } from './control-bench.ts';

/** Some eventful steps: a growing load, a step without metrics, a death of the policy, and the HPA after it. */
async function recorded(): Promise<{ bench: ControlBench; decisions: ControlDecision[] }> {
  const bench = new ControlBench();
  bench.policies.action = ({ observation, mask }) => {
    // Depends on what it is asked, as a policy does.
    const wanted = Math.round(Math.abs(observation[13]) * 7) % 3;
    return [0, 1].map((s) => (mask?.[15 * s + wanted] === 1 ? wanted : 0));
  };
  for (let i = 0; i < 12; i++) {
    bench.metrics.cpuMillicores = 150 + 100 * i;
    bench.metrics.requestsPerSecond = 40 + 7.3 * i;
    bench.metrics.away = i === 4;
    bench.policies.dead = i === 9;
    await bench.step();
  }
  return { bench, decisions: [...(await bench.store.readDecisions({ deployment: 'shop' }))] };
}

/** The policy of `recorded`, as a file would be. */
function policyOf(bench: ControlBench): ReplayedPolicy {
  return {
    memorySize: 1,
    async act(observation, mask, memory) {
      const question = { ...bench.live.record, deployment: 'shop', observation, mask, memory: memory! };
      memory![0]++;
      return bench.policies.action(question);
    },
  };
}

test('a record computed again gives the same, bit for bit', async () => {
  const { bench, decisions } = await recorded();
  assert.deepEqual(await replayDecisions(bench.live, decisions, policyOf(bench)), { steps: 12, policyAnswers: 8 });
});

test('a record from before services could come and go is computed again', async () => {
  const { bench, decisions } = await recorded();
  const old = decisions.map((decision): ControlDecision => {
    const workloads = decision.observation!.workloads.map((one) => {
      const { kind: _kind, stoppingPods: _stopping, memoryLimitBytes: _limit, ...rest } = one!;
      return rest;
    });
    return { ...decision, observation: { ...decision.observation!, workloads } };
  });
  assert.equal((await replayDecisions(bench.live, old, policyOf(bench))).steps, 12);
});

test('a record from the middle is computed again from its second step on', async () => {
  const { bench, decisions } = await recorded();
  assert.equal((await replayDecisions(bench.live, decisions.slice(3), policyOf(bench))).steps, 8);
});

test('steps that are missing from the record, or were written late, keep none from being computed again', async () => {
  const { bench, decisions } = await recorded();
  bench.state = { ...decisions.at(-1)!.next, step: 13 };
  await bench.step();
  const next = (await bench.store.getDecision('shop', 13))!;
  assert.deepEqual([next.step, next.after], [13, 11]);
  assert.equal((await replayDecisions(bench.live, [...decisions, next], policyOf(bench))).steps, 13);
  // A worker that was given up wrote step 12 all the same: as one that went on from step 7, like step 8.
  const late = { ...decisions[8], step: 12 };
  assert.equal((await replayDecisions(bench.live, [...decisions, late, next], policyOf(bench))).steps, 14);
  const unknown = { ...next, after: 900 };
  assert.equal((await replayDecisions(bench.live, [...decisions, unknown], policyOf(bench))).steps, 12);
});

test('a record from before it was kept what a decision goes on from is computed again', async () => {
  const { bench, decisions } = await recorded();
  const old = decisions.map(({ after: _after, ...rest }): ControlDecision => rest);
  assert.equal((await replayDecisions(bench.live, old, policyOf(bench))).steps, 12);
});

test('the first decision that differs is named, with what differs', async () => {
  const { bench, decisions } = await recorded();
  const spoiled: [number, (decision: ControlDecision) => ControlDecision, RegExp][] = [
    [2, (d) => ({ ...d, policy: { ...d.policy!, action: [3, 3] } }), /Step 2 differs in (policy|proposals)/],
    [3, (d) => ({ ...d, guarded: [{ ...d.guarded[0], permitted: 11 }, d.guarded[1]] }), /Step 3 differs in guarded/],
    [10, (d) => ({ ...d, hpaReplicas: [1, 1] }), /Step 10 differs in hpaReplicas/],
    [
      5,
      (d) => ({
        ...d,
        observation: { ...d.observation!, metrics: { ...d.observation!.metrics!, p95Seconds: 0.2 + 1e-6 } },
      }),
      /Step 5 differs in policy\.observation/,
    ],
  ];
  for (const [step, spoil, sentence] of spoiled) {
    const changed = decisions.map((decision) => (decision.step === step ? spoil(decision) : decision));
    await assert.rejects(replayDecisions(bench.live, changed, policyOf(bench)), (error: unknown) => {
      assert.ok(error instanceof CoxswainError && error.code === 'REPLAY_DIFFERS');
      assert.match(error.message, sentence);
      return true;
    });
  }
});

test('another policy is noticed', async () => {
  const { bench, decisions } = await recorded();
  const other: ReplayedPolicy = { memorySize: 1, act: async () => [0, 0] };
  await assert.rejects(replayDecisions(bench.live, decisions, other), /differs/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlDecision, DeploymentSpec } from '../../../src/contracts/control.ts';
import { liveDeployment } from '../../../src/control/live-deployment.ts';
import { replayDecisions } from '../../../src/control/replay.ts';
import { CHOICES } from '../../../src/rl/environments/online-boutique/replica-actions.ts';
import { ControlBench, deploymentRecord, graphApplication, graphRecord } from './control-bench.ts';

const slots = 11;
const reviews = 'shop/reviews';
/** One replica more of who is in a slot. */
const moreIn = (slot: number): number[] => Array.from({ length: slots }, (_, i) => (i === slot ? 1 : 0));
const nothing = moreIn(-1);

function graphBench(spec: Partial<DeploymentSpec> = {}): ControlBench {
  const bench = new ControlBench(spec, liveDeployment(graphRecord(spec), graphApplication));
  bench.policies.action = () => nothing;
  return bench;
}

/** The workload as it stands, to be put back. */
function remove(bench: ControlBench): () => void {
  const workload = bench.cluster.workloads.get(reviews)!;
  bench.cluster.workloads.delete(reviews);
  return () => void bench.cluster.workloads.set(reviews, { ...workload, replicas: 2 });
}

const last = async (bench: ControlBench): Promise<ControlDecision> => (await bench.store.latestDecision('shop'))!;
const eventsOf = async (bench: ControlBench) =>
  (await bench.store.listEvents('shop')).map(({ step, kind, alert, message }) => [step, kind, alert, message]);

test('a service that comes and goes leaves, and the policy goes on; it comes back, and is steered again', async () => {
  const bench = graphBench();
  await bench.step();
  const putBack = remove(bench);
  const without = await bench.steps(3);
  assert.deepEqual(
    without.map(({ actor, notes, state }) => [actor, notes, state.stepsWithoutObservation]),
    without.map(() => ['policy', [], 0]),
  );
  const gone = await last(bench);
  assert.deepEqual(
    gone.guarded.map(({ workload }) => workload),
    ['shop/web', 'shop/db'],
  );
  assert.deepEqual(
    [gone.policy?.replicas, gone.hpaReplicas],
    [
      [2, 2, null],
      [2, 2, null],
    ],
  );
  assert.deepEqual([gone.memory.seen[2], gone.memory.slots?.occupants[2]], [null, null]);
  putBack();
  bench.policies.action = () => moreIn(2);
  await bench.step();
  assert.equal(bench.cluster.workloads.get(reviews)!.replicas, 3);
  const { occupants } = (await last(bench)).memory.slots!;
  assert.deepEqual(
    occupants.slice(0, 3).map((one) => one && [one.service, one.identity]),
    [
      [0, 1],
      [1, 2],
      [2, 4],
    ],
  );
  assert.deepEqual(await eventsOf(bench), [
    [4, 'workload-came', false, 'There (again): shop/reviews.'],
    [1, 'workload-left', false, 'Gone for now: shop/reviews.'],
  ]);
  assert.deepEqual(bench.cluster.warnings, []);
});

test('what was never there is neither asked about nor said to have left', async () => {
  const bench = graphBench();
  bench.cluster.workloads.delete(reviews);
  const [first, second] = await bench.steps(2);
  assert.deepEqual([first.actor, second.actor, first.notes], ['policy', 'policy', []]);
  assert.deepEqual(await eventsOf(bench), []);
});

test('pods of a service that is gone cost no pod-hours, and a cluster that cannot be read makes nobody leave', async () => {
  const bench = graphBench();
  const putBack = remove(bench);
  await bench.step();
  putBack();
  await bench.step();
  const used = async (): Promise<number> => (await last(bench)).memory.podHours.at(-1)!.used;
  assert.ok(Math.abs((await used()) - (10 * 15) / 3600) < 1e-12, 'four pods, then six');
  bench.cluster.away = true;
  await bench.step();
  const { memory, presence } = await last(bench);
  assert.deepEqual([presence, memory.slots?.occupants[2]?.service], [undefined, 2]);
  assert.ok(Math.abs((await used()) - (16 * 15) / 3600) < 1e-12, 'the six are still taken to be there');
});

test('a newcomer is left as it is until its metrics are there', async () => {
  const bench = graphBench();
  const putBack = remove(bench);
  await bench.step();
  putBack();
  bench.metrics.unmeasured.add(reviews);
  bench.policies.action = ({ mask }) => (mask![2 * CHOICES + 1] === 1 ? moreIn(2) : nothing);
  const coming = await bench.step();
  assert.match(coming.notes.join(), /reviews: its metrics are not complete yet/);
  assert.deepEqual([coming.actor, coming.changed], ['policy', 0]);
  bench.metrics.unmeasured.clear();
  const measured = await bench.step();
  assert.deepEqual([measured.notes, measured.changed], [[], 1]);
});

test('a service that must be there stops policy and HPA as ever', async () => {
  const bench = graphBench();
  await bench.step();
  bench.cluster.workloads.delete('shop/db');
  const [first, second] = await bench.steps(2);
  assert.deepEqual([first.actor, second.state.fallback?.reason], ['nobody', 'observations-missing']);
  assert.deepEqual((await eventsOf(bench)).map(([, kind]) => kind).sort(), ['fallback', 'workload-missing']);
});

test('the fallback steers what is there', async () => {
  const bench = graphBench();
  const putBack = remove(bench);
  await bench.step();
  bench.policies.dead = true;
  bench.metrics.cpuMillicores = 800;
  const switched = await bench.step();
  assert.deepEqual([switched.actor, switched.changed], ['fallback', 2]);
  putBack();
  await bench.step();
  assert.ok(bench.cluster.workloads.get(reviews)!.replicas > 2);
});

test('a native fallback has an autoscaler for who is away as well, so that it finds one when it is back', async () => {
  const { fallback } = deploymentRecord().spec;
  const bench = graphBench({ fallback: { ...fallback, controller: 'native' } });
  remove(bench);
  bench.policies.dead = true;
  await bench.step();
  assert.deepEqual([...bench.cluster.autoscalers].sort(), ['shop/db', 'shop/reviews', 'shop/web']);
});

test('the policy’s quota holds live as in its simulation', async () => {
  const bench = graphBench();
  const replicas = [8, 8, 2];
  for (const [i, workload] of [...bench.cluster.workloads.values()].entries()) workload.replicas = replicas[i];
  bench.policies.action = () => [3, 10, 3, ...nothing.slice(3)];
  await bench.step();
  // 18 of 20 pods: 3 fewer of the second first, then 3 more of the first, and what is left for the third.
  assert.deepEqual((await last(bench)).policy!.replicas, [11, 5, 4]);
  const mask = Buffer.from((await last(bench)).policy!.mask!, 'base64');
  assert.deepEqual([...mask.subarray(0, 4)], [1, 1, 1, 0], 'alone, one may take two more');
});

test('a record with services that come and go computes to the same bits', async () => {
  const bench = graphBench();
  // Depends on what it is asked, as a policy does, and remembers.
  bench.policies.action = ({ observation, mask, memory }) =>
    Array.from({ length: slots }, (_, slot) => {
      const wanted = (Math.round(Math.abs(observation[6 * slot + 1] + observation[3]) * 9) + (memory[0] ?? 0)) % 3;
      return mask![CHOICES * slot + wanted] === 1 ? wanted : 0;
    });
  let putBack: () => void = () => {};
  for (let i = 0; i < 14; i++) {
    bench.metrics.cpuMillicores = 150 + 100 * (i % 5);
    bench.metrics.away = i === 4;
    bench.policies.dead = i === 11;
    if (i === 3) putBack = remove(bench);
    if (i === 7) putBack();
    await bench.step();
  }
  // As the store gives it back.
  const decisions = (await bench.store.readDecisions({ deployment: 'shop' })).map((decision): ControlDecision => ({
    ...(JSON.parse(JSON.stringify(decision)) as ControlDecision),
    at: decision.at,
  }));
  const policy = {
    memorySize: 1,
    act: async (observation: Float32Array, mask: Uint8Array | null, memory?: Float32Array) => {
      const { record } = bench.live;
      const action = bench.policies.action({ ...record, deployment: 'shop', observation, mask, memory: memory! });
      memory![0]++;
      return action;
    },
  };
  assert.deepEqual(await replayDecisions(bench.live, decisions, policy), { steps: 14, policyAnswers: 10 });
  const [left, came] = [decisions[3], decisions[7]].map(({ presence }) => presence);
  assert.deepEqual(
    [left, came],
    [
      { came: [], left: [reviews] },
      { came: [reviews], left: [] },
    ],
  );
  const spoiled = decisions.map((decision) => (decision.step === 3 ? { ...decision, presence: undefined } : decision));
  await assert.rejects(replayDecisions(bench.live, spoiled, policy), /Step 3 differs in presence/);
});

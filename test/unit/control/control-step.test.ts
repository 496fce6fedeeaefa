import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { runControlStep } from '../../../src/control/control-step.ts';
import { liveDeployment } from '../../../src/control/live-deployment.ts';
import { Generator } from '../../../src/rl/random.ts';
import { application, ControlBench, limits } from './control-bench.ts';

/** Choices of an action: +n is n, −n is 7 + n. */
const more = (replicas: number): number => replicas;
const fewer = (replicas: number): number => 7 + replicas;

test('what the policy wants and the guard permits is done, and recorded with everything that it was made from', async () => {
  const bench = new ControlBench();
  bench.policies.action = () => [more(2), more(0)];
  const summary = await bench.step();
  assert.deepEqual([summary.actor, summary.changed, summary.guarded, summary.notes], ['policy', 1, 0, []]);
  assert.deepEqual(bench.replicas(), [4, 2]);
  const decision = await bench.store.getDecision('shop', 0);
  assert.deepEqual(decision?.result, [{ workload: 'shop/web', outcome: 'scaled', replicas: 4, detail: '' }]);
  assert.deepEqual(decision?.policy?.replicas, [4, 2]);
  assert.deepEqual(decision?.memory.policy, [1]);
  assert.equal(decision?.policy?.sha256, bench.live.record.policy.sha256);
});

test('in shadow mode nothing is changed, and what would have been done is recorded', async () => {
  const bench = new ControlBench({ mode: 'shadow' });
  bench.policies.action = () => [more(2), more(1)];
  await bench.steps(2);
  assert.deepEqual(bench.replicas(), [2, 2]);
  const decision = await bench.store.getDecision('shop', 1);
  assert.deepEqual(
    decision?.guarded.map(({ before, permitted }) => [before, permitted]),
    [
      [2, 4],
      [2, 3],
    ],
  );
  assert.deepEqual(decision?.result, []);
});

test('the guard takes away what is too much, and says why', async () => {
  const bench = new ControlBench();
  for (const workload of bench.cluster.workloads.values()) workload.replicas = 5;
  bench.policies.action = () => [fewer(1), more(0)];
  const [first] = await bench.steps(2);
  assert.equal(first.guarded, 0);
  const decision = await bench.store.getDecision('shop', 1);
  assert.deepEqual(
    decision?.guarded[0].reasons.map(({ reason }) => reason),
    ['cool-down'],
    'the first change began the cool-down of the second',
  );
  assert.deepEqual(bench.replicas(), [4, 5]);
});

test('what could not be read and binds the guard is said; what it does not need is not', async () => {
  const bench = new ControlBench();
  const gap = (what: string) =>
    ({ what, code: 'CLUSTER_REFUSED', reason: `the right to list ${what} is missing` }) as const;
  const budgets = gap('poddisruptionbudgets in shop');
  bench.cluster.gaps = [gap('nodes'), budgets, gap('pods.metrics.k8s.io in shop')];
  const { notes } = await bench.step();
  assert.deepEqual(notes, [`cluster, in part: CLUSTER_REFUSED: ${budgets.reason}`]);
});

test('a step that was killed between its decision and its result acts once, on the stored decision', async () => {
  const bench = new ControlBench();
  bench.policies.action = () => [more(1), more(0)];
  bench.store.completeDecision = () => Promise.reject(new CoxswainError('STORE_UNAVAILABLE', 'away'));
  await assert.rejects(bench.attempt(), /away/);
  delete (bench.store as Partial<typeof bench.store>).completeDecision;
  bench.timeMs += 2_000;
  bench.policies.action = () => [more(3), more(3)];
  const summary = await bench.step();
  assert.equal(bench.policies.asked, 1);
  assert.deepEqual(bench.replicas(), [3, 2]);
  assert.deepEqual(bench.cluster.scaled.length, 1);
  assert.equal(summary.state.step, 1);
  assert.deepEqual(
    await bench.attempt.call({ ...bench, ports: bench.ports, state: { ...bench.state, step: 0 } }),
    summary,
  );
});

test('a stored decision that is older than a step is not acted on any more', async () => {
  const bench = new ControlBench();
  bench.policies.action = () => [more(1), more(0)];
  const { scale } = bench.cluster;
  bench.cluster.scale = () => Promise.reject(new Error('killed'));
  await assert.rejects(bench.attempt(), /killed/);
  bench.cluster.scale = scale;
  bench.timeMs += 16_000;
  const summary = await bench.step();
  assert.match(summary.notes.join(), /16 s old/);
  assert.deepEqual(bench.replicas(), [2, 2]);
});

test('what somebody else moved in between stays, and is an alert', async () => {
  const bench = new ControlBench();
  bench.policies.action = () => [more(1), more(1)];
  bench.cluster.beforeScale = ({ workload }) => {
    if (workload === 'shop/web') bench.cluster.workloads.get('shop/web')!.replicas = 7;
  };
  await bench.step();
  assert.deepEqual(bench.replicas(), [7, 3]);
  const [event] = await bench.store.listEvents('shop');
  assert.deepEqual([event.kind, event.alert], ['moved-by-other', true]);
});

test('a policy that does not answer is replaced by the HPA in the same step, until somebody resumes it', async () => {
  const bench = new ControlBench();
  await bench.steps(2);
  bench.policies.dead = true;
  bench.metrics.cpuMillicores = 1_200; // 300 % of the request of two pods: the HPA wants four more in 15 s, the guard permits three
  const summary = await bench.step();
  assert.deepEqual([summary.actor, summary.state.fallback?.reason], ['fallback', 'policy-unavailable']);
  assert.match(summary.notes.join(), /ended with signal SIGKILL/);
  assert.deepEqual(bench.replicas(), [5, 5]);
  bench.policies.dead = false;
  assert.equal((await bench.step()).actor, 'fallback');
  const events = await bench.store.listEvents('shop');
  assert.deepEqual(
    events.map(({ kind, alert }) => [kind, alert]),
    [['fallback', true]],
  );
  assert.match(bench.cluster.warnings.join(), /CoxswainFallback: .*policy-unavailable/);
  bench.state = { ...bench.state, fallback: null };
  assert.equal((await bench.step()).actor, 'policy');
});

test('a history hears of a few things that are wrong, in short', async () => {
  const bench = new ControlBench();
  bench.metrics.missing = Array.from({ length: 20 }, (_, i) => `${i} `.padEnd(2_000, 'x'));
  const { notes } = await bench.step();
  assert.deepEqual([notes.length, Math.max(...notes.map(({ length }) => length))], [5, 301]);
  assert.equal((await bench.store.getDecision('shop', 0))?.problems[0].length, 2_000);
});

test('without metrics nothing happens in one step, and the HPA takes over in the next on what the metrics API says', async () => {
  const bench = new ControlBench();
  bench.policies.action = () => [more(1), more(1)];
  bench.metrics.away = true;
  for (const workload of bench.cluster.workloads.values()) workload.podMillicores = 300;
  const [first, second] = await bench.steps(2);
  assert.deepEqual([first.actor, first.state.fallback], ['nobody', null]);
  assert.deepEqual([second.actor, second.state.fallback?.reason], ['fallback', 'observations-missing']);
  assert.deepEqual(bench.replicas(), [5, 5], 'three times the target is six; the guard permits three more');
});

test('without metrics and without the metrics API the switch is made, and nobody acts', async () => {
  const bench = new ControlBench();
  bench.metrics.away = true;
  const [, second, third] = await bench.steps(3);
  assert.deepEqual(
    [second.actor, third.actor, third.state.fallback?.reason],
    ['nobody', 'nobody', 'observations-missing'],
  );
  assert.deepEqual(bench.cluster.scaled, []);
});

test('metrics with a hole, too old ones and those of a clock that is ahead are no observation', async () => {
  for (const [spoil, sentence] of [
    [(b: ControlBench) => void (b.metrics.missing = ['the CPU of shop/web']), /CPU of shop\/web/],
    [(b: ControlBench) => void (b.metrics.lagSeconds = 90), /steps old/],
    [(b: ControlBench) => void (b.metrics.lagSeconds = -60), /in the future; check the clocks/],
  ] as const) {
    const bench = new ControlBench();
    bench.policies.action = () => [more(1), more(1)];
    spoil(bench);
    const summary = await bench.step();
    assert.equal(summary.actor, 'nobody');
    assert.match(summary.notes.join(), sentence);
    assert.deepEqual(bench.replicas(), [2, 2]);
  }
});

test('an API server that is away costs its steps; then the fallback acts', async () => {
  const bench = new ControlBench();
  bench.policies.action = () => [more(1), more(0)];
  await bench.step();
  bench.cluster.away = true;
  const away = await bench.steps(4);
  assert.deepEqual(
    away.map(({ actor }) => actor),
    ['nobody', 'nobody', 'nobody', 'nobody'],
  );
  bench.cluster.away = false;
  bench.metrics.cpuMillicores = 500;
  assert.equal((await bench.step()).actor, 'fallback');
  assert.equal(bench.replicas()[0] > 3, true);
});

test('the error budget dismisses the policy once its window is full', async () => {
  const bench = new ControlBench();
  bench.metrics.violationShare = 0.2;
  const summaries = await bench.steps(6);
  assert.deepEqual(
    summaries.map(({ state }) => state.fallback?.reason ?? null),
    [null, null, null, null, 'error-budget', 'error-budget'],
  );
});

test('a native fallback keeps autoscalers in the cluster, and takes them away when the policy is resumed', async () => {
  const bench = new ControlBench({
    fallback: { controller: 'native', hpaTargetPercent: null, errorBudget: { violationShare: 1, windowSteps: 5 } },
  });
  bench.policies.dead = true;
  const switched = await bench.step();
  assert.deepEqual([...bench.cluster.autoscalers], ['shop/web', 'shop/db']);
  assert.deepEqual([switched.actor, switched.changed], ['fallback', 0]);
  bench.policies.dead = false;
  bench.state = { ...bench.state, fallback: null };
  await bench.step();
  assert.deepEqual([...bench.cluster.autoscalers], []);
  assert.equal(bench.state.nativeAutoscalers, false);
});

test('a native fallback gives a workload back to the owner that was paused, and pauses it again for the policy', async () => {
  const bench = new ControlBench({
    owners: 'pause',
    fallback: { controller: 'native', hpaTargetPercent: null, errorBudget: { violationShare: 1, windowSteps: 5 } },
  });
  await bench.store.openDeployment(bench.live.record);
  const web = bench.cluster.workloads.get('shop/web')!;
  web.owner = { kind: 'HorizontalPodAutoscaler', name: 'web', pausable: true };
  await bench.step();
  assert.deepEqual(bench.cluster.paused, ['shop/web']);
  bench.policies.dead = true;
  await bench.steps(2);
  assert.deepEqual([web.owner.name, [...bench.cluster.autoscalers]], ['web', ['shop/db']]);
  bench.policies.dead = false;
  bench.state = { ...bench.state, fallback: null };
  await bench.steps(2);
  assert.deepEqual([web.owner, [...bench.cluster.autoscalers]], [null, []]);
});

test('opened again, with another policy perhaps, a loop remembers only the pod-hours that it has used', async () => {
  const bench = new ControlBench();
  await bench.steps(3);
  const reopened = { ...bench.live.record, openedAt: bench.now() };
  const { memory: old } = (await bench.store.getDecision('shop', 2))!;
  const asked: number[] = [];
  bench.policies.action = ({ memory }) => (asked.push(memory.length), [0, 0]);
  await runControlStep(bench.ports, liveDeployment(reopened, application), bench.state, new AbortController().signal);
  const { memory } = (await bench.store.getDecision('shop', 3))!;
  assert.deepEqual(asked, [0], 'nothing of what the policy before remembered');
  assert.ok(memory.podHours[0].used > old.podHours[0].used);
  assert.deepEqual(memory.policy, [1]);
});

test('a workload deleted in the middle stops the policy, is said, and the others are not touched by guesses', async () => {
  const bench = new ControlBench();
  await bench.step();
  bench.cluster.workloads.delete('shop/db');
  const summary = await bench.step();
  assert.equal(summary.actor, 'nobody');
  assert.match(summary.notes.join(), /db: its workload is not there/);
  assert.deepEqual(
    (await bench.store.listEvents('shop')).map(({ kind }) => kind),
    ['workload-missing'],
  );
});

test('an owner that appears is respected, or paused where the deployment says so', async () => {
  const owner = { kind: 'HorizontalPodAutoscaler', name: 'web', pausable: true } as const;
  const refusing = new ControlBench();
  refusing.policies.action = () => [more(1), more(1)];
  refusing.cluster.workloads.get('shop/web')!.owner = owner;
  await refusing.step();
  assert.deepEqual(refusing.replicas(), [2, 3]);

  const pausing = new ControlBench({ owners: 'pause' });
  await pausing.store.openDeployment(pausing.live.record);
  pausing.policies.action = () => [more(1), more(0)];
  pausing.cluster.workloads.get('shop/web')!.owner = owner;
  await pausing.steps(2);
  assert.deepEqual(pausing.cluster.paused, ['shop/web']);
  assert.equal(pausing.replicas()[0] > 2, true);
  const { pausedOwners } = (await pausing.store.getDeployment('shop'))!;
  assert.deepEqual(pausedOwners, [{ workload: 'shop/web', kind: owner.kind, name: owner.name }]);
});

test('whatever fails, no action leaves the limits of the guard', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new Generator(seed);
    const chance = (probability: number): boolean => random.uniform() < probability;
    const bench = new ControlBench();
    bench.policies.action = () => [0, 1].map(() => Math.floor(15 * random.uniform()));
    const lastChange = new Map<string, number>();
    bench.cluster.beforeScale = ({ workload, from, to }) => {
      const since = bench.timeMs - (lastChange.get(workload) ?? -Infinity);
      assert.ok(
        to >= Math.min(from, limits.minReplicas) && to <= Math.max(from, limits.maxReplicas),
        `${from} → ${to}`,
      );
      assert.ok(to - from <= limits.maxStepUp && from - to <= limits.maxStepDown, `${from} → ${to}`);
      if (to < from) assert.ok(since >= 1000 * limits.coolDownDownSeconds, `${from} → ${to} after ${since} ms`);
      lastChange.set(workload, bench.timeMs);
    };
    await bench.step(); // what happened before anybody looked cannot be known
    for (let i = 0; i < 60; i++) {
      bench.cluster.away = chance(0.1);
      bench.metrics.away = chance(0.1);
      bench.policies.dead = chance(0.05);
      bench.metrics.lagSeconds = chance(0.1) ? -100 + 200 * random.uniform() : 0;
      bench.metrics.cpuMillicores = 2_000 * random.uniform();
      bench.metrics.violationShare = chance(0.1) ? 0.5 : 0;
      const web = bench.cluster.workloads.get('shop/web')!;
      const moved = Math.floor(12 * random.uniform());
      // A change and its opposite while nobody can look would leave no trace.
      if (chance(0.1) && !bench.cluster.away && moved !== web.replicas) {
        web.replicas = moved;
        lastChange.set('shop/web', bench.timeMs);
      }
      if (chance(0.1)) bench.state = { ...bench.state, fallback: null };
      if (chance(0.1)) bench.state = { ...bench.state, mode: chance(0.5) ? 'live' : 'shadow' };
      await bench.step();
    }
    assert.ok(bench.cluster.scaled.length > 0);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScaleResult } from '../../../src/contracts/cluster.ts';
import type { ControlDecision } from '../../../src/contracts/control.ts';
import { recordStepEvents } from '../../../src/control/step-events.ts';
import { fallbackOf } from '../../../src/domain/control/fallback-rules.ts';
import { someDecision } from '../../contracts/control-fixtures.ts';
import { FakeCluster } from '../../fakes/fake-cluster.ts';
import { MemoryControlStore } from '../../fakes/memory-control-store.ts';
import { deploymentRecord } from './control-bench.ts';

const at = new Date('2026-11-02T12:00:00Z');
const fallback = fallbackOf(['error-budget', '9.00 % of the requests'], 4, at);
const workload = {
  replicas: 2,
  readyPods: 2,
  unreadyPods: 0,
  startingPods: 0,
  cpuRequestMillicores: 200,
  cpuMillicores: null,
};
const result = (name: string, outcome: ScaleResult['outcome']): ScaleResult => ({
  workload: name,
  outcome,
  replicas: null,
  detail: 'planted',
});

/** A step of two services in which nothing happened, but for the changes. */
function decision(changes: Partial<ControlDecision> = {}): ControlDecision {
  const base = someDecision('shop', 4);
  return { ...base, at, observation: { metrics: null, workloads: [workload, workload] }, ...changes };
}

async function newsOf(step: ControlDecision, results: readonly ScaleResult[] = [], times = 1) {
  const store = new MemoryControlStore();
  const cluster = new FakeCluster(['shop/web', 'shop/db'], () => at);
  for (let i = 0; i < times; i++) {
    await recordStepEvents({ store, actor: cluster }, deploymentRecord(), step, results);
  }
  return { events: await store.listEvents('shop'), warnings: cluster.warnings };
}

test('a step without news leaves no event', async () => {
  const results = [result('shop/web', 'scaled'), result('shop/db', 'already')];
  assert.deepEqual(await newsOf(decision(), results), { events: [], warnings: [] });
});

test('the switch to the fallback is an alert, here and in the cluster', async () => {
  const { next } = decision();
  const { events, warnings } = await newsOf(decision({ next: { ...next, fallback } }));
  const message = 'The fallback takes over from the policy (error-budget): 9.00 % of the requests';
  assert.deepEqual(events, [{ deployment: 'shop', step: 4, at, kind: 'fallback', alert: true, message }]);
  assert.deepEqual(warnings, [`CoxswainFallback: ${message}`]);
});

test('a fallback that goes on is no news', async () => {
  const { state, next } = decision();
  const step = decision({ state: { ...state, fallback }, next: { ...next, fallback } });
  assert.deepEqual((await newsOf(step)).events, []);
});

test('workloads that somebody else scaled are named together', async () => {
  const results = [result('shop/web', 'moved'), result('shop/db', 'moved')];
  const { events, warnings } = await newsOf(decision(), results);
  assert.deepEqual(
    events.map(({ kind, alert, message }) => [kind, alert, message]),
    [['moved-by-other', true, 'Somebody else changed the replicas of shop/web, shop/db.']],
  );
  assert.deepEqual(warnings, ['CoxswainMovedByOther: Somebody else changed the replicas of shop/web, shop/db.']);
});

test('a workload that went missing is said once, not at every step', async () => {
  const { state } = decision();
  const observation = { metrics: null, workloads: [workload, null] };
  const first = await newsOf(decision({ observation }));
  assert.deepEqual(
    first.events.map(({ kind, message }) => [kind, message]),
    [['workload-missing', 'Not in the cluster (any more): shop/db.']],
  );
  const later = decision({ observation, state: { ...state, stepsWithoutObservation: 1 } });
  assert.deepEqual((await newsOf(later)).events, []);
});

test('a cluster that could not be read is no cluster without workloads', async () => {
  assert.deepEqual((await newsOf(decision({ observation: null }))).events, []);
});

test('a step that is repeated records its news once', async () => {
  const { next } = decision();
  const { events } = await newsOf(decision({ next: { ...next, fallback } }), [result('shop/db', 'moved')], 2);
  assert.equal(events.length, 2);
});

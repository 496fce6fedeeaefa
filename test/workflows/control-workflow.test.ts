import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { ControlActivities, ControlMode, ControlState, ControlStatus } from '../../src/contracts/control.ts';
import {
  fallBackUpdate,
  pauseControlUpdate,
  resumeControlUpdate,
  setControlModeUpdate,
  stopControlUpdate,
} from '../../src/contracts/messages.ts';
import { memoKeys, workflowTypes } from '../../src/contracts/pipeline.ts';
import { searchAttributes } from '../../src/contracts/search-attributes.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { createControlFixture, fakeControlActivities } from './control-fixture.ts';
import type { ControlFixture, LoopUnderTest } from './control-fixture.ts';

let fixture: ControlFixture;
before(async () => {
  fixture = await createControlFixture();
});
after(() => fixture.stop());

const base = fakeControlActivities([]);
const isStep = (call: string): boolean => call.startsWith('controlStep');

/** Stops a loop and waits for its end: what it still has to do must not reach the workers of the next test. */
async function stop(loop: LoopUnderTest): Promise<ControlStatus> {
  await loop.handle.executeUpdate(stopControlUpdate);
  return loop.result();
}

test('a loop opens, steps, answers how it stands, and closes once when it is stopped', async () => {
  const calls: string[] = [];
  const loop = await fixture.start(fakeControlActivities(calls));
  const { status, mode, last, deployment } = await loop.until(({ step }) => step >= 3);
  assert.equal(status, 'running');
  assert.equal(mode, 'live');
  assert.equal(deployment, loop.deployment);
  assert.ok(last !== null && last.step >= 2 && last.actor === 'policy');
  const end = await stop(loop);
  assert.equal(end.status, 'stopped');
  const steps = calls.filter(isStep);
  assert.deepEqual(calls, ['openControl', ...steps, 'closeControl stopped']);
  assert.deepEqual(
    steps,
    steps.map((_, i) => `controlStep ${i}`),
  );
  assert.equal(end.step, steps.length);
  assert.equal((await loop.status()).status, 'stopped');
});

test('steps come at multiples of the interval, and those missed in an outage are not made up for', async () => {
  const intervalMs = 400;
  const { slots, activities } = timed(intervalMs, async ({ state }) => {
    if (state.step === 1) await sleep(3 * intervalMs);
  });
  const loop = await fixture.start(activities);
  await loop.until(({ step }) => step >= 6);
  await stop(loop);
  // Step 1 lasts until slot 4: step 2 is late and comes then, and each further one a slot later. A slow machine adds to that.
  const earliest = [0, 1, 4, 5, 6, 7];
  earliest.forEach((slot, k) => assert.ok(slots[k] > slot - 0.05, `step ${k} of ${slots.join(', ')}`));
});

test('a paused loop takes no step until it is resumed', async () => {
  const calls: string[] = [];
  const loop = await fixture.start(fakeControlActivities(calls));
  await loop.until(({ step }) => step >= 2);
  assert.equal((await loop.handle.executeUpdate(pauseControlUpdate)).status, 'paused');
  await waitFor(() => calls.includes('record paused'));
  const before = calls.filter(isStep).length;
  await sleep(300);
  assert.equal(calls.filter(isStep).length, before);
  const { step, status } = await loop.status();
  assert.equal(status, 'paused');
  assert.equal(step, before);
  assert.equal((await loop.handle.executeUpdate(resumeControlUpdate)).status, 'running');
  await loop.until((now) => now.step >= step + 2);
  assert.ok(calls.includes('record resumed'));
  await stop(loop);
});

test('what people change is recorded and shown at once, not with the next step', async () => {
  const calls: string[] = [];
  const loop = await fixture.start(fakeControlActivities(calls, {}, 3_600_000));
  await loop.until(({ step }) => step === 1);
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  await waitFor(() => calls.includes('record mode'));
  await loop.handle.executeUpdate(pauseControlUpdate);
  await waitFor(() => calls.includes('record paused'));
  await loop.handle.executeUpdate(fallBackUpdate, { args: ['load test'] });
  await waitFor(() => calls.includes('record fallback'));
  assert.equal(await stageOf(loop), 'paused');
  await stop(loop);
  assert.deepEqual(calls.filter(isStep), ['controlStep 0']);
});

test('a change of the mode begins the error budget anew', async () => {
  const spent = [{ requests: 10, violations: 9 }];
  const loop = await fixture.start(
    fakeControlActivities([], {
      controlStep: async ({ state }) => ({
        step: state.step,
        at: new Date().toISOString(),
        actor: 'policy',
        changed: 0,
        guarded: 0,
        state: { ...state, step: state.step + 1, budget: [...state.budget, ...spent].slice(-3) },
        notes: [],
      }),
    }),
  );
  await loop.until(({ budget }) => budget.length === 3);
  const { budget } = await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  assert.deepEqual(budget, []);
  await loop.handle.executeUpdate(stopControlUpdate);
  await loop.result();
});

test('the mode that somebody sets is that of the next step, and the change is recorded', async () => {
  const calls: string[] = [];
  const modes: ControlMode[] = [];
  const controlStep: ControlActivities['controlStep'] = async (input) => {
    modes.push(input.state.mode);
    return base.controlStep(input);
  };
  const loop = await fixture.start(fakeControlActivities(calls, { controlStep }));
  await loop.until(({ step }) => step >= 1);
  const { step } = await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  await loop.until((now) => now.step >= step + 3);
  await stop(loop);
  assert.equal(modes[0], 'live');
  // A step that ran when the update came has the old mode.
  assert.deepEqual(new Set(modes.slice(step + 1)), new Set(['shadow']));
  assert.equal(calls.filter((call) => call === 'record mode').length, 1);
});

test('an unknown mode is refused with a sentence and leaves nothing in the history', async () => {
  const loop = await fixture.start(fakeControlActivities([], {}, 3_600_000));
  await loop.until(({ step }) => step === 1);
  const before = await eventTypes(loop);
  await assert.rejects(
    loop.handle.executeUpdate(setControlModeUpdate, { args: ['canary' as ControlMode] }),
    refusal('There is no mode canary: shadow, live.'),
  );
  const added = (await eventTypes(loop)).slice(before.length);
  assert.deepEqual(
    added.filter((type) => !type.startsWith('EVENT_TYPE_WORKFLOW_TASK')),
    [],
  );
  assert.equal((await loop.status()).mode, 'live');
  await stop(loop);
});

test('a fallback that somebody asks for is an alert, goes into the next step, and ends with a resume', async () => {
  const events: Parameters<ControlActivities['recordControlEvent']>[0][] = [];
  const states: ControlState[] = [];
  const controlStep: ControlActivities['controlStep'] = async (input) => {
    states.push(input.state);
    return base.controlStep(input);
  };
  const recordControlEvent: ControlActivities['recordControlEvent'] = async (event) => void events.push(event);
  const loop = await fixture.start(fakeControlActivities([], { controlStep, recordControlEvent }));
  await loop.until(({ step }) => step >= 1);
  const { step, fallback } = await loop.handle.executeUpdate(fallBackUpdate, { args: ['the shop sells too slowly'] });
  assert.equal(fallback?.reason, 'requested');
  assert.equal(fallback.detail, 'the shop sells too slowly');
  assert.equal(fallback.sinceStep, step);
  const { last } = await loop.until((now) => now.step >= step + 3);
  assert.equal(last?.actor, 'fallback');
  assert.equal(await stageOf(loop), 'live, fallback');
  const resumed = await loop.handle.executeUpdate(resumeControlUpdate);
  assert.equal(resumed.fallback, null);
  const after = await loop.until((now) => now.step >= resumed.step + 3);
  assert.equal(after.last?.actor, 'policy');
  await stop(loop);
  assert.deepEqual(
    events.map(({ kind, alert }) => [kind, alert]),
    [
      ['fallback', true],
      ['policy-resumed', false],
    ],
  );
  assert.match(events[0].message, /requested.*the shop sells too slowly/);
  const asked = states.map((state) => state.fallback !== null);
  const first = asked.indexOf(true);
  assert.ok(first === step || first === step + 1, `the fallback was asked for at step ${step} and came at ${first}`);
});

test('a switch to the fallback that a step made is carried on until the resume, which rests the counters', async () => {
  const states: ControlState[] = [];
  const controlStep: ControlActivities['controlStep'] = async (input) => {
    states.push(input.state);
    const summary = await base.controlStep(input);
    if (input.state.step !== 1) return summary;
    const at = new Date().toISOString();
    const fallback = { reason: 'observations-missing', detail: 'x', sinceStep: 1, at } as const;
    return { ...summary, state: { ...summary.state, fallback, stepsWithoutObservation: 2, stepsWithoutPolicy: 1 } };
  };
  const loop = await fixture.start(fakeControlActivities([], { controlStep }));
  await loop.until(({ step }) => step >= 4);
  assert.equal((await loop.status()).fallback?.reason, 'observations-missing');
  const { step } = await loop.handle.executeUpdate(resumeControlUpdate);
  const { fallback, stepsWithoutObservation, stepsWithoutPolicy } = await loop.until((now) => now.step >= step + 2);
  assert.deepEqual([fallback, stepsWithoutObservation, stepsWithoutPolicy], [null, 0, 0]);
  await stop(loop);
  assert.ok(states.slice(2, step).every((state) => state.fallback !== null));
});

test('what somebody changes while a step runs is not overwritten by what the step carries on', async () => {
  const calls: string[] = [];
  const held = gate();
  const reason = { reason: 'observations-missing', detail: 'x', sinceStep: 0, at: new Date().toISOString() } as const;
  const controlStep: ControlActivities['controlStep'] = async (input) => {
    if (input.state.step === 1) await held.opened;
    const summary = await base.controlStep(input);
    const blind = input.state.step + 5;
    const state = { ...summary.state, fallback: input.state.fallback ?? reason, stepsWithoutObservation: blind };
    return input.state.step <= 1 ? { ...summary, state } : summary;
  };
  const loop = await fixture.start(fakeControlActivities(calls, { controlStep }));
  await waitFor(() => calls.includes('controlStep 1'));
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  await loop.handle.executeUpdate(resumeControlUpdate);
  await loop.handle.executeUpdate(pauseControlUpdate);
  held.open();
  const { mode, paused, fallback, stepsWithoutObservation } = await loop.until(({ step }) => step === 2);
  assert.deepEqual([mode, paused, fallback, stepsWithoutObservation], ['shadow', true, null, 0]);
  await stop(loop);
  assert.deepEqual(calls.filter(isStep), ['controlStep 0', 'controlStep 1']);
});

test('while it is opened and once it stops, a loop refuses to be steered with a sentence', async () => {
  const opening = gate();
  const closing = gate();
  const calls: string[] = [];
  const loop = await fixture.start(
    fakeControlActivities(calls, {
      openControl: async (input) => (await opening.opened, base.openControl(input)),
      closeControl: () => closing.opened,
    }),
  );
  await waitFor(() => calls.includes('openControl'));
  assert.equal((await loop.status()).status, 'opening');
  const updates = [
    () => loop.handle.executeUpdate(pauseControlUpdate),
    () => loop.handle.executeUpdate(resumeControlUpdate),
    () => loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] }),
    () => loop.handle.executeUpdate(fallBackUpdate, { args: ['x'] }),
  ];
  for (const update of updates) {
    await assert.rejects(update(), refusal('The deployment is being opened; try again in some seconds.'));
  }
  opening.open();
  await loop.until(({ step }) => step >= 1);
  await loop.handle.executeUpdate(stopControlUpdate);
  await waitFor(() => calls.includes('closeControl stopped'));
  assert.equal((await loop.status()).status, 'stopping');
  for (const update of updates) {
    await assert.rejects(update(), refusal('The deployment is being stopped, or over.'));
  }
  closing.open();
  assert.equal((await loop.result()).status, 'stopped');
  assert.equal(calls.filter((call) => call.startsWith('closeControl')).length, 1);
});

test('a loop that is stopped while it is opened takes no step and closes', async () => {
  const opening = gate();
  const calls: string[] = [];
  const openControl: ControlActivities['openControl'] = async (input) => (
    await opening.opened,
    base.openControl(input)
  );
  const loop = await fixture.start(fakeControlActivities(calls, { openControl }));
  await waitFor(() => calls.includes('openControl'));
  await loop.handle.executeUpdate(stopControlUpdate);
  opening.open();
  assert.equal((await loop.result()).status, 'stopped');
  assert.deepEqual(calls, ['openControl', 'closeControl stopped']);
});

test('a paused loop can be stopped', async () => {
  const calls: string[] = [];
  const loop = await fixture.start(fakeControlActivities(calls));
  await loop.until(({ step }) => step >= 1);
  await loop.handle.executeUpdate(pauseControlUpdate);
  assert.equal((await stop(loop)).status, 'stopped');
  assert.equal(calls.at(-1), 'closeControl stopped');
});

test('a loop that is cancelled from outside closes, and is cancelled', async () => {
  const calls: string[] = [];
  const closed: Parameters<ControlActivities['closeControl']>[0][] = [];
  const closeControl: ControlActivities['closeControl'] = async (input) => void closed.push(input);
  const loop = await fixture.start(fakeControlActivities(calls, { closeControl }));
  await loop.until(({ step }) => step >= 2);
  await loop.handle.cancel();
  await assertCancelled(loop);
  assert.equal(calls.at(-1), 'closeControl stopped');
  assert.equal(closed.length, 1);
  assert.equal(closed[0].state?.step, calls.filter(isStep).length);
  assert.equal((await loop.status()).status, 'stopped');
});

test('a loop that is cancelled in the middle of a step ends the step first', async () => {
  const calls: string[] = [];
  const ended: string[] = [];
  const controlStep: ControlActivities['controlStep'] = async ({ state }) => {
    const { cancellationSignal, heartbeat } = Context.current();
    while (!cancellationSignal.aborted) {
      heartbeat();
      await sleep(20);
    }
    ended.push(`step ${state.step}`);
    throw new CancelledFailure('stopped');
  };
  const loop = await fixture.start(
    fakeControlActivities(calls, { controlStep, closeControl: async () => void ended.push('closed') }),
  );
  await waitFor(() => calls.some(isStep));
  await loop.handle.cancel();
  await assertCancelled(loop);
  assert.deepEqual(ended, ['step 0', 'closed']);
});

test('a loop that cannot be opened closes and ends with the code of the refusal', async () => {
  const calls: string[] = [];
  const closed: Parameters<ControlActivities['closeControl']>[0][] = [];
  const openControl = async (): Promise<never> => {
    throw ApplicationFailure.nonRetryable('shop/cart is scaled by ScaledObject cart', 'WORKLOAD_OWNED');
  };
  const closeControl: ControlActivities['closeControl'] = async (input) => void closed.push(input);
  const loop = await fixture.start(fakeControlActivities(calls, { openControl, closeControl }));
  const failure = await failureOf(loop);
  assert.equal(failure.type, 'WORKLOAD_OWNED');
  assert.match(failure.message, /shop\/cart is scaled by ScaledObject cart/);
  assert.equal(closed.length, 1);
  assert.equal(closed[0].state, null);
  assert.match(closed[0].failure ?? '', /^WORKLOAD_OWNED: shop\/cart/);
  assert.ok(!calls.some(isStep));
  assert.equal((await loop.status()).status, 'failed');
});

const broken = (code: string) => async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable(`planted ${code}`, code);
};

test('a loop that cannot hand its workloads over ends with the code of that', async () => {
  const calls: string[] = [];
  const loop = await fixture.start(fakeControlActivities(calls, { closeControl: broken('CLUSTER_REFUSED') }));
  await loop.until(({ step }) => step >= 1);
  await loop.handle.executeUpdate(stopControlUpdate);
  const failure = await failureOf(loop);
  assert.equal(failure.type, 'CLUSTER_REFUSED');
  assert.match(failure.message, /planted CLUSTER_REFUSED/);
  assert.deepEqual(
    calls.filter((call) => call.startsWith('closeControl')),
    ['closeControl stopped'],
  );
  assert.equal((await loop.status()).status, 'failed');
  assert.equal(await stageOf(loop), 'failed');
});

test('a step that fails as a whole is skipped and counted', async () => {
  const calls: string[] = [];
  const controlStep: ControlActivities['controlStep'] = (input) =>
    input.state.step % 3 === 1 ? broken('INTERNAL')() : base.controlStep(input);
  const loop = await fixture.start(fakeControlActivities(calls, { controlStep }, 1));
  const { failedSteps, status } = await loop.until(({ step }) => step >= 9);
  assert.ok(failedSteps >= 3);
  assert.equal(status, 'running');
  const end = await stop(loop);
  assert.equal(end.failedSteps, Math.floor((end.step + 1) / 3));
  assert.deepEqual(
    calls.filter(isStep),
    Array.from({ length: end.step }, (_, step) => `controlStep ${step}`),
  );
});

for (const [where, maximumHistoryEvents] of [
  ['', undefined],
  [', also in several runs', 60],
] as const) {
  test(`a loop gives up after twenty steps in a row that failed, not before${where}`, async () => {
    const calls: string[] = [];
    const controlStep: ControlActivities['controlStep'] = (input) =>
      input.state.step === 19 ? base.controlStep(input) : broken('INTERNAL')();
    const activities = fakeControlActivities(calls, { controlStep }, 1);
    const loop = await fixture.start(activities, { spec: {}, maximumHistoryEvents });
    const failure = await failureOf(loop);
    assert.equal(failure.type, 'INTERNAL');
    assert.match(failure.message, /planted INTERNAL/);
    assert.equal(calls.filter(isStep).length, 19 + 1 + 20);
    assert.equal(calls.at(-1), 'closeControl INTERNAL: planted INTERNAL');
    assert.equal((await loop.status()).failedSteps, 39);
  });
}

test('a step for which nothing can be done ends the loop at once', async () => {
  for (const code of ['DEPLOYMENT_NOT_FOUND', 'ARTIFACT_CORRUPT']) {
    const calls: string[] = [];
    const loop = await fixture.start(fakeControlActivities(calls, { controlStep: broken(code) }));
    assert.equal((await failureOf(loop)).type, code);
    assert.deepEqual(calls, ['openControl', 'controlStep 0', `closeControl ${code}: planted ${code}`]);
  }
});

test('a loop is found by its search attributes and has its memo, also after it went on in a new run', async () => {
  const loop = await fixture.start(fakeControlActivities([], {}, 1), { spec: {}, maximumHistoryEvents: 60 });
  await loop.until(({ step }) => step >= 1);
  const { runId } = await loop.handle.describe();
  await waitForAsync(async () => (await loop.handle.describe()).runId !== runId);
  await loop.until(({ status }) => status === 'running');
  const expected = { kind: 'control', model: 'fixture', environment: 'online-boutique' };
  const { typedSearchAttributes, memo } = await loop.handle.describe();
  assert.deepEqual(memo, { [memoKeys.specSha256]: 'f'.repeat(64) });
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(typedSearchAttributes.get(searchAttributes[name as keyof typeof expected] as never), value, name);
  }
  await stop(loop);
  assert.equal(await stageOf(loop), 'stopped');
});

test('a loop goes on in new runs with its state, without losing a step or taking one twice', async () => {
  const calls: string[] = [];
  const steps: ControlState[] = [];
  const controlStep: ControlActivities['controlStep'] = async (input) => {
    steps.push(input.state);
    if (input.state.step === 1) return broken('INTERNAL')();
    const summary = await base.controlStep(input);
    return { ...summary, state: { ...summary.state, budget: [{ requests: input.state.step, violations: 0 }] } };
  };
  const loop = await fixture.start(fakeControlActivities(calls, { controlStep }, 1), {
    spec: {},
    maximumHistoryEvents: 60,
  });
  await loop.until(({ step }) => step >= 3);
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  const { step } = await loop.handle.executeUpdate(fallBackUpdate, { args: ['because'] });
  const { fallback, mode, failedSteps, budget } = await loop.until((now) => now.step >= step + 30);
  assert.deepEqual([fallback?.detail, mode, failedSteps], ['because', 'shadow', 1]);
  assert.equal(budget.length, 1);
  const end = await stop(loop);
  assert.deepEqual(
    steps.map((state) => state.step),
    Array.from({ length: end.step }, (_, i) => i),
  );
  assert.deepEqual(
    calls.filter((call) => !isStep(call)),
    ['openControl', 'record mode', 'record fallback', 'closeControl stopped'],
  );
  assert.ok((await runsOf(loop)) >= 4, `${await runsOf(loop)} runs`);
});

test('a new run keeps the rhythm of the one before', async () => {
  const { slots, activities } = timed(250);
  const loop = await fixture.start(activities, { spec: {}, maximumHistoryEvents: 50 });
  await loop.until(({ step }) => step >= 8);
  await stop(loop);
  assert.ok((await runsOf(loop)) >= 2);
  slots.forEach((slot, k) => assert.ok(slot > k - 0.05, `step ${k} of ${slots.join(', ')}`));
});

test('a paused loop goes on in new runs too, however often somebody asks', async () => {
  const calls: string[] = [];
  const loop = await fixture.start(fakeControlActivities(calls, {}, 1), { spec: {}, maximumHistoryEvents: 50 });
  await loop.until(({ step }) => step >= 1);
  const { step } = await loop.handle.executeUpdate(pauseControlUpdate);
  const { runId } = await loop.handle.describe();
  for (let i = 0; i < 20; i++) await loop.handle.executeUpdate(pauseControlUpdate);
  await waitForAsync(async () => (await loop.handle.describe()).runId !== runId);
  const { status } = await loop.until((now) => now.status !== 'opening');
  assert.equal(status, 'paused');
  const steps = calls.filter(isStep).length;
  assert.ok(steps === step || steps === step + 1);
  await loop.handle.executeUpdate(resumeControlUpdate);
  await loop.until((now) => now.step > steps);
  await stop(loop);
});

test('no update is lost around the beginning of a new run', async () => {
  const events: string[] = [];
  const recordControlEvent: ControlActivities['recordControlEvent'] = async ({ message }) => void events.push(message);
  const loop = await fixture.start(fakeControlActivities([], { recordControlEvent }, 1), {
    spec: {},
    maximumHistoryEvents: 50,
  });
  await loop.until(({ step }) => step >= 1);
  // As fast as the loop records them, and faster.
  const modes = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 'shadow' : 'live') as ControlMode);
  for (const mode of modes) {
    const answer = await loop.handle.executeUpdate(setControlModeUpdate, { args: [mode] });
    assert.equal(answer.mode, mode);
    await sleep(Math.random() * 30);
  }
  await stop(loop);
  assert.ok((await runsOf(loop)) >= 2, 'there was a new run');
  assert.deepEqual(
    events,
    modes.map((mode) => `The mode is ${mode} from now on; it was ${mode === 'live' ? 'shadow' : 'live'}.`),
  );
});

test('changes that come with a cancellation are recorded before the loop closes', async () => {
  const recording = gate();
  const calls: string[] = [];
  const recordControlEvent: ControlActivities['recordControlEvent'] = () => recording.opened;
  const loop = await fixture.start(fakeControlActivities(calls, { recordControlEvent }, 3_600_000));
  await loop.until(({ step }) => step === 1);
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  await waitFor(() => calls.includes('record mode'));
  await loop.handle.executeUpdate(fallBackUpdate, { args: ['because'] });
  await loop.handle.cancel();
  await waitForAsync(async () => (await eventTypes(loop)).includes('EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED'));
  recording.open();
  await assertCancelled(loop);
  assert.deepEqual(new Set(calls.slice(2, -1)), new Set(['record mode', 'record fallback']));
  assert.equal(calls.at(-1), 'closeControl stopped');
});

test('a stop is not lost around the beginning of a new run', async () => {
  for (let round = 0; round < 5; round++) {
    const calls: string[] = [];
    const loop = await fixture.start(fakeControlActivities(calls, {}, 1), { spec: {}, maximumHistoryEvents: 50 });
    await loop.until(({ step }) => step >= 3 + round);
    assert.equal((await stop(loop)).status, 'stopped');
    assert.equal(calls.filter((call) => call.startsWith('closeControl')).length, 1);
  }
});

test('a loop under a workflow id of somebody’s own is refused, so that no two loops steer one deployment', async () => {
  const { client } = fixture.server;
  const workflowId = uniqueName('loop');
  const options = { taskQueue: taskQueues.orchestration, workflowId, args: [{ spec: {} }] };
  const error = await client.workflow.execute(workflowTypes.control, options).catch((reason: unknown) => reason);
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure);
  assert.equal(error.cause.type, 'SPEC_INVALID');
  assert.match(
    error.cause.message,
    new RegExp(`must have the workflow id deployment/${workflowId}, not ${workflowId}`),
  );
});

test('what somebody starts by hand without a spec reaches the check of the spec', async () => {
  const asked: unknown[] = [];
  const openControl: ControlActivities['openControl'] = (input) => (asked.push(input.spec), broken('SPEC_INVALID')());
  for (const input of [null, 'spec', 7, { resumed: true }]) {
    const loop = await fixture.start(fakeControlActivities([], { openControl }), input as never);
    assert.equal((await failureOf(loop)).type, 'SPEC_INVALID');
  }
  assert.deepEqual(asked, [undefined, undefined, undefined, undefined]);
});

/** Activities that note when each step began, in intervals since the loop was opened: no step is due before its number. */
function timed(
  intervalMs: number,
  work: (input: { state: ControlState }) => Promise<void> = async () => {},
): { readonly slots: number[]; readonly activities: ControlActivities } {
  const slots: number[] = [];
  let openedAtMs = 0;
  const openControl: ControlActivities['openControl'] = async (input) => {
    openedAtMs = Date.now();
    return { ...(await base.openControl(input)), intervalMs };
  };
  const controlStep: ControlActivities['controlStep'] = async (input) => {
    slots.push((Date.now() - openedAtMs) / intervalMs);
    await work(input);
    return base.controlStep(input);
  };
  return { slots, activities: fakeControlActivities([], { openControl, controlStep }) };
}

async function failureOf(loop: LoopUnderTest): Promise<ApplicationFailure> {
  const error = await loop.result().catch((reason: unknown) => reason);
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
  return error.cause;
}

async function assertCancelled(loop: LoopUnderTest): Promise<void> {
  const error = await loop.result().catch((reason: unknown) => reason);
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure, String(error));
  assert.equal((await loop.handle.describe()).status.name, 'CANCELLED');
}

/** The update was refused by its validator, for this reason. */
function refusal(sentence: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error);
    assert.equal(error.cause instanceof Error ? error.cause.message : error.message, sentence);
    return true;
  };
}

async function eventTypes(loop: LoopUnderTest): Promise<string[]> {
  const { events } = await loop.handle.fetchHistory();
  return (events ?? []).map(({ eventType }) => String(proto.temporal.api.enums.v1.EventType[eventType!]));
}

async function stageOf(loop: LoopUnderTest): Promise<unknown> {
  return (await loop.handle.describe()).typedSearchAttributes.get(searchAttributes.stage);
}

/** Runs that the loop has had. */
async function runsOf(loop: LoopUnderTest): Promise<number> {
  let runs = 0;
  let runId: string | null | undefined = (await loop.handle.describe()).runId;
  while (runId) {
    runs++;
    const { events } = await fixture.server.client.workflow.getHandle(loop.handle.workflowId, runId).fetchHistory();
    runId = events?.[0].workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  }
  return runs;
}

/** Something that waits until it is opened. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

async function waitForAsync(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendPauses } from '../../../src/tracking/send-pauses.ts';
import { TrackerFailure } from '../../../src/tracking/tracker.ts';

const unavailable = new TrackerFailure('unavailable', 'down');

function createPauses(): { pauses: SendPauses; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  const limits = { minPauseMs: 2_000, maxPauseMs: 10_000 };
  return { clock, pauses: new SendPauses(limits, { now: () => clock.nowMs, sleep: () => Promise.resolve() }) };
}

/** How long the tracker is left alone from now on. */
function pauseMs(pauses: SendPauses, clock: { nowMs: number }): number {
  const fromMs = clock.nowMs;
  while (!pauses.mayTry()) clock.nowMs += 500;
  return clock.nowMs - fromMs;
}

test('pauses double up to the limit, and a success ends them', () => {
  const { pauses, clock } = createPauses();
  const seen: number[] = [];
  for (let failure = 0; failure < 4; failure++) {
    pauses.failed(unavailable);
    seen.push(pauseMs(pauses, clock));
  }
  assert.deepEqual(seen, [2_000, 4_000, 8_000, 10_000]);
  assert.equal(pauses.isFailing, true);
  pauses.succeeded();
  assert.equal(pauses.isFailing, false);
  pauses.failed(unavailable);
  assert.equal(pauseMs(pauses, clock), 2_000);
});

test('failures of calls that ran together count once', () => {
  const { pauses, clock } = createPauses();
  for (let call = 0; call < 4; call++) pauses.failed(unavailable);
  assert.equal(pauseMs(pauses, clock), 2_000);
});

test('the end of the run cuts a pause short', () => {
  const { pauses } = createPauses();
  pauses.failed(unavailable);
  pauses.cutShort();
  assert.equal(pauses.mayTry(), true);
  assert.equal(pauses.isFailing, true);
});

test('credentials that are not accepted end it for good', () => {
  const { pauses, clock } = createPauses();
  pauses.failed(unavailable);
  pauses.failed(new TrackerFailure('unauthorized', 'bad key'));
  pauses.succeeded();
  pauses.cutShort();
  clock.nowMs = 1e12;
  assert.equal(pauses.mayTry(), false);
  assert.equal(pauses.isHopeless, true);
});

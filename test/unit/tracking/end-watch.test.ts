import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { watchEnd } from '../../../src/tracking/end-watch.ts';
import type { EndWatch, EndWatchOptions } from '../../../src/tracking/end-watch.ts';
import type { Clock } from '../../../src/tracking/mirror-ports.ts';
import { createTrackedScenario } from '../../fakes/wandb-scenario.ts';
import type { TrackedScenario } from '../../fakes/wandb-scenario.ts';

/** A clock whose sleeps take one turn of the event loop, and are noted. */
function createQuickClock(): { clock: Clock; slept: number[] } {
  const slept: number[] = [];
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    slept.push(ms);
    return new Promise((resolve) => {
      setImmediate(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  };
  return { clock: { now: () => 0, sleep }, slept };
}

async function watchOf(
  change: Partial<EndWatchOptions> = {},
): Promise<{ scenario: TrackedScenario; watch: EndWatch; slept: number[] }> {
  const scenario = await createTrackedScenario();
  const { clock, slept } = createQuickClock();
  const run = (await scenario.store.runs.getRun(scenario.runId))!;
  const watch = watchEnd(run, {
    runs: scenario.store.runs,
    isOver: ({ finishedAt }) => finishedAt !== null,
    watchMs: 1_000,
    endMs: () => 12_000,
    clock,
    signal: new AbortController().signal,
    ...change,
  });
  return { scenario, watch, slept };
}

test('the end of the run is noticed, and the deadline comes after the time for the end', async () => {
  const { scenario, watch, slept } = await watchOf();
  assert.deepEqual([watch.isOver, watch.deadline.aborted], [false, false]);
  await scenario.finish();
  await once(watch.over, 'abort');
  assert.deepEqual([watch.isOver, watch.run.status, watch.deadline.aborted], [true, 'completed', false]);
  await once(watch.deadline, 'abort');
  assert.equal(slept.at(-1), 12_000);
  assert.equal(slept[0], 1_000);
});

test('a store that is away is asked again', async () => {
  const scenario = await createTrackedScenario();
  let isAway = true;
  const getRun = scenario.store.runs.getRun.bind(scenario.store.runs);
  scenario.store.runs.getRun = (runId) =>
    isAway ? Promise.reject(new CoxswainError('STORE_UNAVAILABLE', 'away')) : getRun(runId);
  const { watch } = await watchOf({ runs: scenario.store.runs });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(watch.isOver, false);
  isAway = false;
  await scenario.finish();
  await once(watch.over, 'abort');
  assert.equal(watch.isOver, true);
});

test("the caller's signal is a deadline at once, without an end", async () => {
  const controller = new AbortController();
  const { watch } = await watchOf({ signal: controller.signal });
  controller.abort();
  assert.deepEqual([watch.deadline.aborted, watch.isOver], [true, false]);
});

test('after closing nobody looks any more', async () => {
  const { watch, slept } = await watchOf();
  watch.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  const looks = slept.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(slept.length, looks);
});

/**
 * `node scripts/record-histories.ts NAME`: records histories of the workflows as they are now into
 * test/replay/histories, as `…-NAME.json`. Old histories stay: they are what runs that are under way have behind them.
 * A red replay test means `patched()` or a new workflow name, never a new recording of an old name.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ControlActivities, ControlInput } from '../src/contracts/control.ts';
import {
  fallBackUpdate,
  pauseControlUpdate,
  pauseSignal,
  resumeControlUpdate,
  resumeSignal,
  setControlModeUpdate,
  stopControlUpdate,
} from '../src/contracts/messages.ts';
import { createControlFixture, fakeControlActivities } from '../test/workflows/control-fixture.ts';
import type { LoopUnderTest } from '../test/workflows/control-fixture.ts';
import {
  createWorkflowFixture,
  fakeActivities,
  inTwin,
  trainedSeed,
  untilCancelled,
} from '../test/workflows/pipeline-fixture.ts';
import type { AllActivities, RunUnderTest } from '../test/workflows/pipeline-fixture.ts';

const name = process.argv[2];
if (!/^[a-z0-9.-]+$/.test(name ?? ''))
  throw new Error('Usage: node scripts/record-histories.ts NAME, for example 0.1.0');

const folder = join(import.meta.dirname, '..', 'test', 'replay', 'histories');
const fixture = await createWorkflowFixture();
const base = fakeActivities([]);

async function record(
  ending: string,
  overrides: Partial<AllActivities>,
  act: (run: RunUnderTest) => Promise<void> = async () => {},
): Promise<void> {
  const run = await fixture.start(fakeActivities([], overrides));
  await act(run);
  await run.result().catch(() => {}); // a run that fails or is cancelled is one of those to record
  await save(`pipeline-${ending}`, run.runId);
  await save(`training-${ending}`, `${run.runId}/train`).catch(() => {}); // a run that ended before has no training
}

interface Recorded {
  readonly client: Client;
  /** Default: the newest run of the workflow. */
  readonly runId?: string;
}

async function save(kind: string, workflowId: string, { client, runId }: Recorded = fixture): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const file = join(folder, `${kind}-${name}.json`);
  if (existsSync(file)) throw new Error(`${file} exists. Choose another name.`);
  // Stack traces name folders of the machine that recorded them; a replay does not look at them.
  writeFileSync(file, `${JSON.stringify(history).replace(/"stackTrace":"(?:[^"\\]|\\.)*"/g, '"stackTrace":""')}\n`);
}

const inTraining = (run: RunUnderTest): Promise<unknown> => run.until(({ training }) => training.length > 0);
const refuse = async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('the loss is NaN', 'TRAINING_DIVERGED');
};

await record('completed', {});
await record('failed', { trainSeed: (input) => (input.seed === 2 ? refuse() : untilCancelled()) });
await record('cancelled', { trainSeed: untilCancelled }, async (run) => {
  await inTraining(run);
  await run.handle.cancel();
});
await record(
  'paused-and-resumed',
  { trainSeed: async ({ seed, generation }) => (generation === 0 ? untilCancelled() : trainedSeed(seed)) },
  async (run) => {
    await inTraining(run);
    await run.handle.signal(pauseSignal);
    await run.until(({ status }) => status === 'paused');
    await run.handle.signal(resumeSignal);
  },
);
await record('tracked', {
  validateRun: async (input) => ({ ...(await base.validateRun(input)), trackingEnabled: true }),
});
await record('fitted', {
  validateRun: async (input) => ({ ...(await base.validateRun(input)), spec: inTwin }),
});
await fixture.stop();

const loops = await createControlFixture();

/** Records the first run of a loop. */
async function recordLoop(
  ending: string,
  activities: ControlActivities,
  act: (loop: LoopUnderTest) => Promise<unknown> = async () => {},
  input?: ControlInput,
): Promise<void> {
  const loop = await loops.start(activities, input);
  const { client } = loops.server;
  const { runId } = await loop.handle.describe();
  await act(loop);
  await loop.result().catch(() => {}); // a loop that fails or is cancelled is one of those to record
  await save(`control-${ending}`, loop.handle.workflowId, { client, runId });
}

const afterSteps = (loop: LoopUnderTest, count: number): Promise<unknown> =>
  loop.until((status) => status.status !== 'opening' && status.step >= count);
const stopLoop = (loop: LoopUnderTest): Promise<unknown> => loop.handle.executeUpdate(stopControlUpdate);

await recordLoop('stopped', fakeControlActivities([]), async (loop) => {
  await afterSteps(loop, 4);
  await stopLoop(loop);
});
await recordLoop('steered', fakeControlActivities([]), async (loop) => {
  await afterSteps(loop, 2);
  await loop.handle.executeUpdate(fallBackUpdate, { args: ['an exercise'] });
  await afterSteps(loop, 5);
  await loop.handle.executeUpdate(pauseControlUpdate);
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  await loop.handle.executeUpdate(resumeControlUpdate);
  await afterSteps(loop, 9);
  await stopLoop(loop);
});
const inNewRun = async (loop: LoopUnderTest): Promise<void> => {
  const { runId } = await loop.handle.describe();
  await afterSteps(loop, 2);
  await loop.handle.executeUpdate(setControlModeUpdate, { args: ['shadow'] });
  while ((await loop.handle.describe()).runId === runId) await afterSteps(loop, 2);
  await stopLoop(loop);
};
await recordLoop('continued', fakeControlActivities([]), inNewRun, { spec: {}, maximumHistoryEvents: 50 });
await recordLoop('cancelled', fakeControlActivities([]), async (loop) => {
  await afterSteps(loop, 2);
  await loop.handle.cancel();
});
const broken = async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('the record is broken', 'INTERNAL');
};
await recordLoop('failed', fakeControlActivities([], { controlStep: broken }, 1));
await recordLoop(
  'refused',
  fakeControlActivities([], {
    openControl: async () => {
      throw ApplicationFailure.nonRetryable('shop/cart is scaled by ScaledObject cart', 'WORKLOAD_OWNED');
    },
  }),
);
await loops.stop();

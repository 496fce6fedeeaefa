/**
 * `node scripts/record-histories.ts NAME`: records histories of the workflows as they are now into
 * test/replay/histories, as `…-NAME.json`. Old histories stay: they are what runs that are under way have behind them.
 * A red replay test means `patched()` or a new workflow name, never a new recording of an old name.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { pauseSignal, resumeSignal } from '../src/contracts/messages.ts';
import {
  createWorkflowFixture,
  fakeActivities,
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

async function save(kind: string, workflowId: string): Promise<void> {
  const history = await fixture.client.workflow.getHandle(workflowId).fetchHistory();
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
await fixture.stop();

import assert from 'node:assert/strict';
import type { CoxswainError } from '../../src/contracts/errors.ts';
import { fenceOf } from '../../src/contracts/stores.ts';
import { refusedWith } from './refused-with.ts';
import { reference } from './store-fixtures.ts';
import type { It } from './store-suite.ts';

/** What every CheckpointStore must do. */
export function checkpointTests(it: It): void {
  const at = (step: number, fence: number, series = 'train/seed-1') => ({
    runId: 'r1',
    series,
    step,
    artifact: reference('5'),
    fence,
  });

  it('a series without a checkpoint is taken over with nothing to go on from', async ({ checkpoints }) => {
    assert.equal(await checkpoints.takeOver('r1', 's', fenceOf(0, 1)), null);
    assert.equal(await checkpoints.latestCheckpoint('r1', 's'), null);
  });

  it('the newest checkpoint is handed to the next writer', async ({ checkpoints }) => {
    await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 1));
    await checkpoints.saveCheckpoint(at(100, fenceOf(0, 1)));
    await checkpoints.saveCheckpoint(at(200, fenceOf(0, 1)));
    assert.deepEqual(await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 2)), at(200, fenceOf(0, 1)));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(200, fenceOf(0, 1)));
    assert.equal(await checkpoints.latestCheckpoint('r1', 'train/seed-2'), null);
  });

  it('a lower fence is refused once a higher one has taken over', async ({ checkpoints }) => {
    await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 1));
    await checkpoints.saveCheckpoint(at(100, fenceOf(0, 1)));
    await checkpoints.takeOver('r1', 'train/seed-1', fenceOf(1, 1));
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(200, fenceOf(0, 1))));
    await refusedWith('STALE_ATTEMPT', checkpoints.takeOver('r1', 'train/seed-1', fenceOf(0, 9)));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(100, fenceOf(0, 1)));
  });

  it('the same fence may take over and save again', async ({ checkpoints }) => {
    await checkpoints.takeOver('r1', 'train/seed-1', 5);
    await checkpoints.saveCheckpoint(at(100, 5));
    assert.deepEqual(await checkpoints.takeOver('r1', 'train/seed-1', 5), at(100, 5));
    await checkpoints.saveCheckpoint(at(100, 5));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(100, 5));
  });

  it('a lower step is refused, whatever its fence', async ({ checkpoints }) => {
    await checkpoints.saveCheckpoint(at(100, 5));
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(99, 6)));
    assert.deepEqual(await checkpoints.latestCheckpoint('r1', 'train/seed-1'), at(100, 5));
  });

  it('saving with a higher fence takes the series over', async ({ checkpoints }) => {
    await checkpoints.saveCheckpoint(at(100, 5));
    await checkpoints.saveCheckpoint(at(200, 7));
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(300, 6)));
  });

  it('of many writers that take over at once the highest fence holds the series', async ({ checkpoints }) => {
    const fences = [3, 9, 1, 7, 5, 8, 2, 6, 4];
    const results = await Promise.allSettled(fences.map((fence) => checkpoints.takeOver('r1', 'train/seed-1', fence)));
    assert.equal(results[1]?.status, 'fulfilled');
    for (const result of results) {
      if (result.status === 'rejected') assert.equal((result.reason as CoxswainError).code, 'STALE_ATTEMPT');
    }
    await refusedWith('STALE_ATTEMPT', checkpoints.saveCheckpoint(at(1, 8)));
    await checkpoints.saveCheckpoint(at(1, 9));
  });
}

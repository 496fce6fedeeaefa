import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { historyLines } from '../../../src/tracking/history-lines.ts';
import { acknowledged, emptyLedger, openLedger } from '../../../src/tracking/ledger.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';

test('what was written is there for the next mirror', async () => {
  const { trackingLedgers } = createMemoryStore();
  const first = await openLedger(trackingLedgers, 'run-1');
  await first.write({ lines: 3, lastStep: 192 });
  await first.write({ state: 'finished' });
  const second = await openLedger(trackingLedgers, 'run-1');
  assert.deepEqual(second.ledger, { ...emptyLedger, lines: 3, lastStep: 192, state: 'finished' });
});

test('of two mirrors the one that is behind takes over what the other wrote', async () => {
  const { trackingLedgers } = createMemoryStore();
  const slow = await openLedger(trackingLedgers, 'run-1');
  const fast = await openLedger(trackingLedgers, 'run-1');
  await fast.write({ lines: 7 });
  await slow.write({ lines: 2 });
  assert.equal(slow.ledger.lines, 7);
  await slow.write({ lines: 9 });
  assert.equal((await openLedger(trackingLedgers, 'run-1')).ledger.lines, 9);
});

test('a store that is away is an error and changes nothing', async () => {
  const { trackingLedgers } = createMemoryStore();
  const book = await openLedger(trackingLedgers, 'run-1');
  trackingLedgers.writeLedger = () => Promise.reject(new CoxswainError('STORE_UNAVAILABLE', 'away'));
  await assert.rejects(book.write({ lines: 1 }), { code: 'STORE_UNAVAILABLE' });
  assert.equal(book.ledger.lines, 0);
});

test('a document of another format counts as nothing', async () => {
  const { trackingLedgers } = createMemoryStore();
  await trackingLedgers.writeLedger('wandb/run-1', null, { format: 99, lines: 5 });
  const book = await openLedger(trackingLedgers, 'run-1');
  assert.deepEqual(book.ledger, emptyLedger);
  await book.write({ lines: 1 });
  assert.equal((await openLedger(trackingLedgers, 'run-1')).ledger.lines, 1);
});

test('acknowledged lines move offset, points, step and the latest values', () => {
  const at = new Date(1000);
  const lines = historyLines(
    [
      { runId: 'r', series: 'train/s', step: 1, at, values: { a: 1, b: NaN } },
      { runId: 'r', series: 'validate/s', step: 1, at, values: { c: 2 } },
      { runId: 'r', series: 'train/s', step: 2, at, values: { a: 3 } },
    ],
    at,
  );
  const next = acknowledged({ ...emptyLedger, lines: 10, points: 20, latest: { 'train/a': 0 } }, lines);
  assert.equal(next.lines, 12);
  assert.equal(next.points, 23);
  assert.equal(next.lastStep, 2);
  assert.deepEqual(next.latest, {
    _step: 2,
    _timestamp: 1,
    _runtime: 0,
    'train/a': 3,
    'train/b': 'NaN',
    'validate/c': 2,
  });
});

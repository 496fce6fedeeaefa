import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { historyLines } from '../../../src/tracking/history-lines.ts';
import type { HistoryLine } from '../../../src/tracking/history-lines.ts';
import type { RunDescription } from '../../../src/tracking/tracker.ts';
import { offlineRunFolder, writeOfflineRun } from '../../../src/tracking/wandb-offline-file.ts';
import type { OfflineRun } from '../../../src/tracking/wandb-offline-file.ts';
import { decode, itemsAt, messageAt, readWandbFile, textAt } from '../../fakes/wandb-file.ts';
import type { Message } from '../../fakes/wandb-file.ts';

/** Field numbers of W&B's Record message. */
const record = { number: 1, history: 2, summary: 3, artifact: 8, run: 17, exit: 18, header: 21 };

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coxswain-offline-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const run: RunDescription = {
  id: 'run-1-seed-1-abc',
  project: 'proj',
  entity: 'acme',
  displayName: 'run-1 seed-1',
  group: 'boutique',
  jobType: 'train',
  tags: ['a', 'b'],
  notes: 'A note.',
  commit: 'abc1234',
  config: { seed: 1, agent: { algorithm: 'ppo' } },
  startedAt: new Date('2026-01-02T03:04:05.250Z'),
};

async function* batches(count: number): AsyncGenerator<readonly HistoryLine[]> {
  const values = { loss: 0.5, text: NaN };
  for (let step = 1; step <= count; step++)
    yield historyLines([{ runId: 'run-1', series: 'train/seed-1', step, at: run.startedAt, values }], run.startedAt);
}

function offlineRun(change: Partial<OfflineRun> = {}): OfflineRun {
  return { run, lines: batches(2), summary: () => ({ score: 1 }), model: null, exitCode: 0, ...change };
}

async function written(name: string, offline: OfflineRun): Promise<readonly Message[]> {
  await writeOfflineRun(join(folder, name), offline);
  return readWandbFile(join(folder, name, `run-${run.id}.wandb`));
}

test('a file holds header, run, lines, summary and exit, numbered from 1', async () => {
  const records = await written('order', offlineRun());
  assert.deepEqual(
    records.map((message) => [message.get(record.number)?.[0], [...message.keys()].at(-1)]),
    [
      [1n, record.header],
      [2n, record.run],
      [3n, record.history],
      [4n, record.history],
      [5n, record.summary],
      [6n, record.exit],
    ],
  );
});

test('the run record says what the run is', async () => {
  const message = messageAt((await written('run', offlineRun()))[1], record.run);
  const texts = [1, 2, 3, 6, 7, 8, 9].map((field) => textAt(message, field));
  assert.deepEqual(texts, [run.id, 'acme', 'proj', 'boutique', 'train', 'run-1 seed-1', 'A note.']);
  assert.deepEqual(message.get(10)?.map(String), ['a', 'b']);
  const config = itemsAt(messageAt(message, 4), 1);
  assert.deepEqual(config, { seed: 1, agent: { algorithm: 'ppo' }, _wandb: { t: { 12: 'coxswain' } } });
  const startedAt = messageAt(message, 17);
  assert.deepEqual([startedAt.get(1), startedAt.get(2)], [[1767323045n], [250_000_000n]]);
  assert.equal(textAt(messageAt(message, 21), 2), 'abc1234');
});

test('lines carry their values and their step, the exit its code', async () => {
  const records = await written('lines', offlineRun({ exitCode: 255 }));
  const history = messageAt(records[3], record.history);
  assert.deepEqual(itemsAt(history, 1), {
    _step: 2,
    _timestamp: 1767323045.25,
    _runtime: 0,
    'train/loss': 0.5,
    'train/text': 'NaN',
  });
  assert.deepEqual(messageAt(history, 2).get(1), [2n]);
  assert.deepEqual(itemsAt(messageAt(records[4], record.summary), 1), { score: 1 });
  assert.deepEqual(messageAt(records[5], record.exit).get(1), [255n]);
});

test('the summary is asked for after the last line', async () => {
  let seen = 0;
  async function* counted(): AsyncGenerator<readonly HistoryLine[]> {
    for await (const batch of batches(3)) {
      yield batch;
      seen += 1;
    }
  }
  const records = await written('late', offlineRun({ lines: counted(), summary: () => ({ seen }) }));
  assert.deepEqual(itemsAt(messageAt(records.at(-2)!, record.summary), 1), { seen: 3 });
});

test('a model lies beside the file, at the absolute path that its record names', async () => {
  const bytes = new TextEncoder().encode('hello'.repeat(10));
  const model = {
    name: 'policy',
    description: 'Version 1.',
    aliases: ['champion'],
    metadata: { version: 1 },
    files: [{ name: 'm.bin', bytes }],
  };
  const artifact = messageAt((await written('model', offlineRun({ model }))).at(-2)!, record.artifact);
  const texts = [1, 2, 3, 4, 5, 6, 7, 8].map((field) => textAt(artifact, field));
  const digest = '9593d1a33e249f7adb65203179358abc';
  assert.deepEqual(texts, [run.id, 'proj', 'acme', 'model', 'policy', digest, 'Version 1.', '{"version":1}']);
  assert.deepEqual(artifact.get(11)?.map(String), ['champion', 'latest']);
  const entry = messageAt(messageAt(artifact, 12), 4);
  assert.deepEqual([textAt(entry, 1), textAt(entry, 2), entry.get(4)], ['m.bin', '8CaZvS3Eexdk+pAsGf63Zw==', [50n]]);
  assert.deepEqual(await readFile(textAt(entry, 6)), Buffer.from(bytes));
});

test('thousands of lines are all there, over many blocks', async () => {
  const records = await written('long', offlineRun({ lines: batches(3_000) }));
  const steps = records
    .slice(2, -2)
    .map((message) => decode(messageAt(message, record.history).get(2)?.[0] as Buffer).get(1)?.[0]);
  assert.deepEqual(
    steps,
    Array.from({ length: 3_000 }, (_, index) => BigInt(index + 1)),
  );
});

test('a folder of an earlier attempt is replaced, and what a killed one left is cleared away', async () => {
  const own = join(folder, 'again');
  await mkdir(own, { recursive: true });
  await mkdir(join(own, '..', 'again.draft', 'files'), { recursive: true });
  await writeFile(join(own, 'old.txt'), 'old');
  await written('again', offlineRun());
  assert.deepEqual((await readdir(own)).sort(), ['files', `run-${run.id}.wandb`]);
  assert.equal((await readdir(folder)).includes('again.draft'), false);
});

test('when the lines cannot be read nothing is left', async () => {
  async function* broken(): AsyncGenerator<readonly HistoryLine[]> {
    yield* batches(1);
    throw new Error('the store is away');
  }
  await assert.rejects(written('broken', offlineRun({ lines: broken() })), /store is away/);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('broken')),
    [],
  );
});

test('the folder is named as the official client would name it', () => {
  assert.equal(offlineRunFolder(run), 'offline-run-20260102_030405-run-1-seed-1-abc');
});

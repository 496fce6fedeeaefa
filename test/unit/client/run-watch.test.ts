import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOn } from '../../../src/client/coxswain-client.ts';
import type { RunEvent } from '../../../src/client/run-watch.ts';
import { parseRunSpec, specSha256 } from '../../../src/spec/run-spec.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';
import { sampleProgress, sampleReport } from '../cli/sample-run.ts';
import { FakeControlEngine } from './fake-control-engine.ts';
import { FakeRunEngine } from './fake-run-engine.ts';

const rawSpec = { version: 1, name: 'shop' };
const quick = { intervalMs: 1 };

async function startedRun() {
  const engine = new FakeRunEngine();
  const store = createMemoryStore();
  const client = clientOn(engine, new FakeControlEngine(), store);
  const spec = parseRunSpec(rawSpec);
  await client.startRun({ spec, runId: 'one' });
  await store.runs.createRun({ runId: 'one', spec, specSha256: specSha256(spec), at: new Date() });
  engine.answer('one', sampleProgress);
  const log = (step: number, series = 'train/seed-1') =>
    store.metrics.appendPoints([{ runId: 'one', series, step, at: new Date(), values: { loss: 1 / step } }]);
  const finish = async (closes = true): Promise<void> => {
    const report = { ...sampleReport, runId: 'one' };
    await store.runs.finishRun('one', { status: 'completed', step: 'register', failure: null, report, at: new Date() });
    if (closes) engine.end('one', 'completed');
  };
  return { engine, store, client, log, finish };
}

/** Drives the run with `react` on every event, and gives all events. */
async function collect(
  events: AsyncIterable<RunEvent>,
  react: (event: RunEvent, count: number) => Promise<void> | void,
): Promise<RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of events) await react(event, seen.push(event));
  return seen;
}

test('a watched run tells each change once and ends with the run', async () => {
  const { engine, client, finish } = await startedRun();
  const events = await collect(client.watch('one', quick), async (_event, count) => {
    if (count === 1) engine.answer('one', { ...sampleProgress, fraction: 0.5 });
    if (count === 2) await finish();
  });
  assert.deepEqual(
    events.map((event) => (event.type === 'progress' ? event.progress.fraction : event.type)),
    [0.25, 0.5, 1, 'end'],
  );
  const last = events.at(-1);
  assert.equal(last?.type === 'end' && last.run.status, 'completed');
});

test('figures of the training stay after the end, when only the store answers', async () => {
  const { client, finish } = await startedRun();
  const events = await collect(client.watch('one', quick), (_event, count) => (count === 1 ? finish() : undefined));
  const final = events.findLast((event) => event.type === 'progress');
  assert.deepEqual(final?.type === 'progress' && final.progress.training, sampleProgress.training);
});

test('metric points come exactly once, in order, from every series, and the last ones before the end', async () => {
  const { client, log, finish } = await startedRun();
  await log(10);
  await log(20);
  const events = await collect(
    client.watch('one', { ...quick, progress: false, metrics: true }),
    async (_event, count) => {
      if (count === 1) {
        await log(30);
        await log(5, 'train/seed-2');
        await finish();
      }
    },
  );
  const points = events.flatMap((event) => (event.type === 'metrics' ? event.points : []));
  assert.deepEqual(
    points.map(({ series, step }) => `${series}:${step}`),
    ['train/seed-1:10', 'train/seed-1:20', 'train/seed-1:30', 'train/seed-2:5'],
  );
  assert.equal(events.at(-1)?.type, 'end');
});

test('watching goes on after a cursor', async () => {
  const { client, log, finish } = await startedRun();
  for (const step of [10, 20, 30]) await log(step);
  await finish();
  const events = await collect(
    client.watch('one', { ...quick, progress: false, metrics: { 'train/seed-1': 20 } }),
    () => undefined,
  );
  const metrics = events.find((event) => event.type === 'metrics');
  assert.deepEqual(metrics?.type === 'metrics' && metrics.points.map(({ step }) => step), [30]);
  assert.deepEqual(metrics?.type === 'metrics' && metrics.cursor, { 'train/seed-1': 30 });
});

test('an outage in the middle is one notice, and the watching goes on', async () => {
  const { engine, client, finish } = await startedRun();
  const events = await collect(client.watch('one', quick), async (event, count) => {
    if (count === 1) engine.down = true;
    if (event.type === 'notice') {
      setTimeout(() => {
        engine.down = false;
        void finish();
      }, 20);
    }
  });
  assert.deepEqual(
    events.map(({ type }) => type),
    ['progress', 'notice', 'progress', 'end'],
  );
});

test('an outage beyond the patience, or at the first look, is an error', async () => {
  const { engine, client } = await startedRun();
  await assert.rejects(
    collect(client.watch('one', { ...quick, patienceMs: 5 }), () => void (engine.down = true)),
    { code: 'TEMPORAL_UNAVAILABLE' },
  );
  await assert.rejects(client.waitForRun('one', quick), { code: 'TEMPORAL_UNAVAILABLE' });
});

test('a run that waits for a worker says so once', async () => {
  const { engine, client, finish } = await startedRun();
  engine.answer('one', null);
  engine.worker = false;
  const events = await collect(client.watch('one', quick), async (event) => {
    if (event.type === 'notice') setTimeout(() => void finish(), 20);
  });
  const notices = events.filter((event) => event.type === 'notice');
  assert.equal(notices.length, 1);
  assert.match(notices[0].type === 'notice' ? notices[0].message : '', /No worker polls/);
});

test('the end waits for the workflow to close, because the report is completed until then', async () => {
  const { engine, client, store, finish } = await startedRun();
  await finish(false);
  const waiting = client.waitForRun('one', quick);
  const tooEarly = await Promise.race([waiting.then(() => true), new Promise((done) => setTimeout(done, 30, false))]);
  assert.equal(tooEarly, false);
  engine.end('one', 'completed');
  assert.equal((await waiting).status, 'completed');
  await store.close();
});

test('an aborted watch ends without an error, an aborted wait throws the reason', async () => {
  const { client } = await startedRun();
  const stop = new AbortController();
  const events = await collect(client.watch('one', { ...quick, signal: stop.signal }), () => stop.abort());
  assert.equal(events.length, 1);
  await assert.rejects(client.waitForRun('one', { ...quick, signal: AbortSignal.timeout(5) }), {
    name: 'TimeoutError',
  });
});

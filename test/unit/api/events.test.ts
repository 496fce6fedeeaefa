import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleProgress } from '../cli/sample-run.ts';
import { startApiFixture } from './api-fixture.ts';
import type { ApiFixture } from './api-fixture.ts';

interface ServerEvent {
  readonly id: string;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

let api: ApiFixture;
let runs = 0;
before(async () => (api = await startApiFixture({}, { heartbeatMs: 20 })));
afterEach(() => api.engine.workflows.clear());
after(() => api.close());

async function newRun(): Promise<string> {
  const runId = `run-${++runs}`;
  await api.addRun(runId);
  api.engine.answer(runId, sampleProgress);
  return runId;
}

async function log(runId: string, ...steps: number[]): Promise<void> {
  const point = (step: number) => ({ runId, series: 'train/seed-1', step, at: new Date(), values: { loss: 1 / step } });
  await api.store.metrics.appendPoints(steps.map(point));
}

/** Reads events until `enough`, then leaves. */
async function follow(
  runId: string,
  options: { lastId?: string; query?: string; enough?: (event: ServerEvent) => boolean } = {},
): Promise<{ events: ServerEvent[]; comments: number; status: number }> {
  const { lastId, query = '', enough = () => false } = options;
  const leave = new AbortController();
  const headers = lastId === undefined ? undefined : { 'Last-Event-ID': lastId };
  const response = await fetch(`${api.url}/api/v1/runs/${runId}/events${query}`, { headers, signal: leave.signal });
  const events: ServerEvent[] = [];
  let comments = 0;
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const message = text.slice(0, end);
        text = text.slice(end + 2);
        if (message.startsWith(':')) comments++;
        const form = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(message);
        if (form === null) continue;
        const event = { id: form[1], name: form[2], data: JSON.parse(form[3]) as Record<string, unknown> };
        events.push(event);
        if (enough(event)) leave.abort();
      }
    }
  } catch (error) {
    if (!leave.signal.aborted) throw error;
  }
  return { events, comments, status: response.status };
}

const stepsOf = (events: readonly ServerEvent[]): number[] =>
  events
    .filter(({ name }) => name === 'metrics')
    .flatMap(({ data }) => (data.points as { step: number }[]).map(({ step }) => step));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}

async function openStreams(): Promise<number> {
  const text = await (await api.get('/metrics')).text();
  return Number(/^coxswain_event_streams (\d+)$/m.exec(text)?.[1]);
}

test('the stream tells progress, points and the end, and then closes', async () => {
  const runId = await newRun();
  await log(runId, 10, 20);
  const following = follow(runId);
  await until(async () => (await openStreams()) === 1);
  await log(runId, 30);
  await api.finishRun(runId);
  const { events } = await following;
  assert.equal(events[0].name, 'progress');
  assert.deepEqual(stepsOf(events), [10, 20, 30]);
  const end = events.at(-1);
  assert.deepEqual([end?.name, end?.id, end?.data.status], ['end', 'end', 'completed']);
  assert.equal(await openStreams(), 0);
});

test('a reader that comes back with its last id gets every point exactly once', async () => {
  const runId = await newRun();
  await log(runId, 10, 20);
  const first = await follow(runId, { enough: ({ name }) => name === 'metrics' });
  await log(runId, 30, 40);
  await api.finishRun(runId);
  const second = await follow(runId, { lastId: first.events.at(-1)?.id });
  assert.deepEqual([...stepsOf(first.events), ...stepsOf(second.events)], [10, 20, 30, 40]);
  const third = await follow(runId, { lastId: second.events.at(-1)?.id });
  assert.deepEqual([third.status, third.events], [204, []]);
});

test('an id that we never gave is refused', async () => {
  const runId = await newRun();
  for (const lastId of ['7', 'at:a=b', 'at:a=-1']) {
    const response = await api.get(`/api/v1/runs/${runId}/events`, { 'Last-Event-ID': lastId });
    assert.equal(response.status, 400, lastId);
    await response.body?.cancel();
  }
});

test('points are left out on demand', async () => {
  const runId = await newRun();
  await log(runId, 10);
  await api.finishRun(runId);
  const { events } = await follow(runId, { query: '?metrics=false' });
  assert.deepEqual(
    events.map(({ name }) => name),
    ['progress', 'end'],
  );
});

test('comments keep a quiet stream alive', async () => {
  const runId = await newRun();
  const following = follow(runId);
  await sleep(100);
  await api.finishRun(runId);
  const { comments } = await following;
  assert.ok(comments >= 2, `${comments} comments`);
});

test('a reader that leaves takes its stream and its questions with it', async () => {
  const runId = await newRun();
  await follow(runId, { enough: () => true });
  await until(async () => (await openStreams()) === 0);
  let questions = 0;
  const describe = api.engine.describe.bind(api.engine);
  api.engine.describe = async (id) => {
    questions++;
    return describe(id);
  };
  await sleep(50);
  assert.equal(questions, 0);
});

test('an outage while somebody follows is a notice, and the stream goes on', async () => {
  const runId = await newRun();
  const following = follow(runId);
  await until(async () => (await openStreams()) === 1);
  api.engine.down = true;
  await sleep(40);
  api.engine.down = false;
  await api.finishRun(runId);
  const { events } = await following;
  assert.ok(events.some(({ name }) => name === 'notice'));
  assert.equal(events.at(-1)?.name, 'end');
});

test('closing the server ends open streams and does not wait for their runs', async () => {
  const own = await startApiFixture();
  await own.addRun('long');
  own.engine.answer('long', sampleProgress);
  const response = await own.get('/api/v1/runs/long/events');
  const reading = response.text();
  await own.server.close(10_000);
  assert.match(await reading, /event: progress/);
  await assert.rejects(own.get('/healthz'));
});

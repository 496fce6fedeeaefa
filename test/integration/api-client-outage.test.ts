import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { startPrivateTemporal } from '../../scripts/local-services/test-services.ts';
import { createCoxswainClient } from '../../src/client/coxswain-client.ts';
import type { CoxswainClient } from '../../src/client/coxswain-client.ts';
import type { RunEvent } from '../../src/client/run-watch.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { ensureSearchAttributes } from '../../workers/search-attributes.ts';
import { createMemoryStore } from '../fakes/memory-store.ts';

const rawSpec = { version: 1, name: 'outage' };

let temporal: Awaited<ReturnType<typeof startPrivateTemporal>>;
let client: CoxswainClient;
before(async () => {
  temporal = await startPrivateTemporal();
  const connection = { address: temporal.temporalAddress };
  client = createCoxswainClient({ temporal: { connection }, store: createMemoryStore(), queryTimeoutMs: 500 });
});
after(async () => {
  await client.close();
  await temporal.stop();
});

async function withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: temporal.temporalAddress });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

test('before a worker has registered the search attributes a start says that', async () => {
  await assert.rejects(client.startRun({ spec: rawSpec, runId: 'too-early' }), {
    code: 'SEARCH_ATTRIBUTES_MISSING',
    message: /Start a worker/,
  });
});

test('runs that wait for a worker are listed, steered and told to be waiting', async () => {
  await withConnection((connection) => ensureSearchAttributes(connection, 'default'));
  const { created } = await client.startRun({ spec: rawSpec, runId: 'waiting' });
  assert.equal(created, true);
  await withConnection((connection) =>
    new Client({ connection }).workflow.start('pipelineWorkflow', {
      taskQueue: taskQueues.orchestration,
      workflowId: 'bare',
      args: [{ ...rawSpec, description: 'started with another tool' }],
    }),
  );
  let listed: string[] = [];
  // Temporal's list lags behind.
  while (listed.length < 2) {
    listed = (await client.listRuns()).runs.map(({ runId }) => runId).sort();
    await sleep(50);
  }
  assert.deepEqual(listed, ['bare', 'waiting']);
  assert.equal((await client.getRun('bare')).spec?.description, 'started with another tool');
  await assert.rejects(client.startRun({ spec: rawSpec, runId: 'bare' }), { code: 'RUN_CONFLICT' });
  await client.pause('waiting');
  for await (const event of client.watch('waiting', { intervalMs: 20 })) {
    if (event.type === 'notice') {
      assert.match(event.message, /No worker polls the task queue orchestration/);
      break;
    }
  }
});

test(
  'while Temporal is away every call says so in bounded time, and a watch goes on afterwards',
  { timeout: 60_000 },
  async () => {
    const leave = new AbortController();
    const events: RunEvent[] = [];
    const watching = (async () => {
      for await (const event of client.watch('waiting', { intervalMs: 50, signal: leave.signal })) {
        events.push(event);
      }
    })();
    while (events.length === 0) await sleep(20);
    await temporal.kill();
    await assert.rejects(client.startRun({ spec: rawSpec }), { code: 'TEMPORAL_UNAVAILABLE' });
    await assert.rejects(client.cancel('waiting'), { code: 'TEMPORAL_UNAVAILABLE' });
    await assert.rejects(client.pingTemporal(), { code: 'TEMPORAL_UNAVAILABLE' });
    while (!events.some((event) => event.type === 'notice' && event.message.includes('Trying again'))) await sleep(20);
    await temporal.restart();
    await withConnection((connection) => new Client({ connection }).workflow.getHandle('waiting').terminate('over'));
    await watching;
    const end = events.at(-1);
    assert.equal(end?.type === 'end' && end.run.failure?.code, 'RUN_TERMINATED');
  },
);

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

const folder = join(import.meta.dirname, 'histories');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
Runtime.install({ logger: new DefaultLogger('ERROR') });

test('there are histories of every way that a run can end', () => {
  const endings = ['completed', 'failed', 'cancelled', 'paused-and-resumed', 'tracked', 'fitted'];
  const missing = endings.filter((ending) => !files.some((file) => file.startsWith(`pipeline-${ending}-`)));
  assert.deepEqual(missing, []);
});

for (const file of files) {
  test(`the workflows of today take every decision of ${file}`, () => replay(readFileSync(join(folder, file), 'utf8')));
}

test('there are histories of every way that a control loop goes', () => {
  const ways = ['stopped', 'steered', 'continued', 'cancelled', 'failed', 'refused'];
  const missing = ways.filter((way) => !files.some((file) => file.startsWith(`control-${way}-`)));
  assert.deepEqual(missing, []);
});

for (const [start, activity] of [
  ['pipeline-completed-', 'collectRecording'],
  ['control-stopped-', 'controlStep'],
  ['control-continued-', 'recordControlEvent'],
]) {
  test(`a workflow that decides otherwise than ${start}… is noticed`, async () => {
    const file = files.find((name) => name.startsWith(start))!;
    const altered = readFileSync(join(folder, file), 'utf8').replaceAll(`"${activity}"`, '"doSomething"');
    await assert.rejects(replay(altered), /[Nn]ondeterminism/);
  });
}

async function replay(text: string): Promise<void> {
  const history = proto.temporal.api.history.v1.History.fromObject(JSON.parse(text) as Record<string, unknown>);
  const workflowId = history.events[0].workflowExecutionStartedEventAttributes?.workflowId ?? undefined;
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { uniqueName } from '../../scripts/local-services/test-services.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import type { MetricPoint } from '../../src/contracts/stores.ts';
import { childrenOf, startApiProcess, startCommand } from './interface-processes.ts';
import type { ApiProcess, CommandOutcome } from './interface-processes.ts';
import { startPipelineProcesses, until } from './pipeline-processes.ts';
import { isAlive } from './process-table.ts';
import type { PipelineProcesses } from './pipeline-processes.ts';
import { smallSpec } from './small-pipeline.ts';

/** A run of seconds, and one that outlasts every test. */
const shortSpec = { ...smallSpec, train: { ...smallSpec.train, totalSteps: 2_048, evaluateEverySteps: 1_024 } };
const longSpec = { ...smallSpec, train: { ...smallSpec.train, totalSteps: 50_000_000, evaluateEverySteps: 1_000_000 } };

const folder = mkdtempSync(join(tmpdir(), 'coxswain-interface-'));
const fileOf = (name: string, spec: unknown): string => {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(spec));
  return path;
};
const shortFile = fileOf('short', shortSpec);
const longFile = fileOf('long', longSpec);

let processes: PipelineProcesses;
let api: ApiProcess;

before(async () => {
  processes = await startPipelineProcesses();
  await Promise.all([processes.start('orchestrator'), processes.start('trainer')]);
  api = await startApiProcess(processes.environment);
});
after(async () => {
  await api.end();
  await processes.stop();
  rmSync(folder, { recursive: true });
});

const coxswain = (...args: string[]): Promise<CommandOutcome> => startCommand(processes.environment, args).outcome;

async function post(path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(api.url + path, body === undefined ? { method: 'POST' } : init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function get(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(api.url + path)).json()) as Record<string, unknown>;
}

const statusOf = async (runId: string): Promise<unknown> => (await get(`/api/v1/runs/${runId}`)).status;

test('a run started over HTTP is followed to its end, with every stored point exactly once', async () => {
  const runId = uniqueName('http');
  const started = await post('/api/v1/runs', { id: runId, spec: shortSpec });
  assert.deepEqual([started.status, started.body.created], [202, true]);
  const stream = await (await fetch(`${api.url}/api/v1/runs/${runId}/events`)).text();
  const events = [...stream.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, name, data]) => ({
    name,
    data: JSON.parse(data),
  }));
  assert.equal(events.at(-1)?.name, 'end');
  assert.equal(events.at(-1)?.data.status, 'completed');
  const keyOf = ({ series, step }: Pick<MetricPoint, 'series' | 'step'>): string => `${series} ${step}`;
  const sent = events
    .filter(({ name }) => name === 'metrics')
    .flatMap(({ data }) => data.points.map(keyOf) as string[]);
  const stored = (await processes.store.metrics.readPoints({ runId, limit: 10_000 })).map(keyOf);
  assert.deepEqual(sent.sort(), stored.sort());
  assert.ok(sent.length > 0);
  const run = await get(`/api/v1/runs/${runId}`);
  const { model } = run.report as { model: { name: string; version: number } };
  const registered = await get(`/api/v1/models/${model.name}`);
  assert.ok((registered.versions as { version: number }[]).some(({ version }) => version === model.version));
});

test('of many callers with one id exactly one starts the run, also when it was started with another tool', async () => {
  const runId = uniqueName('same');
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => post('/api/v1/runs', { id: runId, spec: longSpec })));
  assert.equal(answers.filter(({ body }) => body.created === true).length, 1);
  assert.ok(answers.every(({ status }) => status === 202));
  assert.equal((await post('/api/v1/runs', { id: runId, spec: shortSpec })).status, 409);
  await post(`/api/v1/runs/${runId}/cancel`);

  const bare = uniqueName('bare');
  const options = { taskQueue: taskQueues.orchestration, workflowId: bare, args: [longSpec] };
  await processes.client.workflow.start('pipelineWorkflow', options);
  assert.deepEqual((await post('/api/v1/runs', { id: bare, spec: longSpec })).body.created, false);
  assert.equal((await post('/api/v1/runs', { id: bare, spec: shortSpec })).status, 409);
  await post(`/api/v1/runs/${bare}/cancel`);
});

test('pause, resume and cancel over HTTP reach the run', async () => {
  const runId = uniqueName('steered');
  await post('/api/v1/runs', { id: runId, spec: longSpec });
  await until(async () => (await get(`/api/v1/runs/${runId}`)).step === 'train');
  assert.equal((await post(`/api/v1/runs/${runId}/pause`)).status, 202);
  await until(async () => (await statusOf(runId)) === 'paused');
  assert.equal((await post(`/api/v1/runs/${runId}/resume`)).status, 202);
  await until(async () => (await statusOf(runId)) === 'running');
  assert.equal((await post(`/api/v1/runs/${runId}/cancel`)).status, 202);
  await until(async () => (await statusOf(runId)) === 'cancelled');
  assert.equal((await post(`/api/v1/runs/${runId}/pause`)).status, 409);
});

test('a run that was terminated in Temporal is told as failed, with the reason', async () => {
  const runId = uniqueName('terminated');
  await post('/api/v1/runs', { id: runId, spec: longSpec });
  await until(async () => (await get(`/api/v1/runs/${runId}`)).step === 'train');
  await processes.client.workflow.getHandle(runId).terminate('cleaning up');
  const run = await get(`/api/v1/runs/${runId}`);
  const failure = run.failure as { code: string; message: string; step: string };
  assert.deepEqual([run.status, failure.code, failure.step], ['failed', 'RUN_TERMINATED', 'train']);
  assert.match(failure.message, /cleaning up/);
  const status = await coxswain('status', runId);
  assert.equal(status.code, 1);
  assert.match(status.output, /Failed in step train/);
});

test('the command runs a pipeline to its report and shows what came of it', async () => {
  const runId = uniqueName('command');
  const { code, output, errors } = await coxswain('run', shortFile, '--id', runId, '--wait', '--json');
  assert.equal(code, 0, errors);
  const report = JSON.parse(output);
  assert.deepEqual(Object.keys(report), ['runId', 'status', 'seconds', 'model', 'gate', 'results']);
  assert.deepEqual([report.runId, report.status, report.results.length], [runId, 'completed', 3]);
  assert.match(errors, /✓|step train|completed 100 %/);

  const status = await coxswain('status', runId);
  assert.equal(status.code, 0);
  assert.match(status.output, /HPA, calibrated/);
  assert.match((await coxswain('list', '--pipeline', 'small')).output, new RegExp(`${runId} +completed`));
  assert.match((await coxswain('models', 'small')).output, new RegExp(`run ${runId}`));
  const again = await coxswain('run', shortFile, '--id', runId, '--json');
  assert.equal(JSON.parse(again.output).created, false);
});

test('a run that fails ends the command with 1 and says why', async () => {
  const source = {
    kind: 'file',
    folder: 'traces',
    path: 'none.csv',
    layout: { kind: 'long', timeColumn: 'period', countColumn: 'count' },
  };
  const file = fileOf('unreadable', { ...shortSpec, collect: { source } });
  const { code, output } = await coxswain('run', file, '--wait');
  assert.equal(code, 1);
  assert.match(output, /Failed in step collect\n +TRACE_UNREADABLE: .*none\.csv/);
});

test('the command finds the services of a start that runs in the folder or above', async () => {
  const { TEMPORAL_ADDRESS: temporalAddress, MONGODB_URL: mongoUrl, ...rest } = processes.environment;
  mkdirSync(join(folder, '.coxswain'));
  mkdirSync(join(folder, 'below'));
  const services = { temporalAddress, mongoUrl, pid: process.pid };
  writeFileSync(join(folder, '.coxswain', 'services.json'), JSON.stringify(services));
  const { code, output, errors } = await startCommand(rest, ['list', '--json'], join(folder, 'below')).outcome;
  assert.equal(code, 0, errors);
  assert.ok(JSON.parse(output).runs.length > 0);
});

test('Ctrl-C leaves the run alone; cancel --wait ends it', async () => {
  const runId = uniqueName('detached');
  const command = startCommand(processes.environment, ['run', longFile, '--id', runId, '--wait']);
  await command.until(/step train running/);
  command.child.kill('SIGINT');
  const { code, output } = await command.outcome;
  assert.equal(code, 130);
  assert.match(output, new RegExp(`run ${runId} goes on`));
  assert.equal(await statusOf(runId), 'running');
  const cancelled = await coxswain('cancel', runId, '--wait');
  assert.deepEqual([cancelled.code, await statusOf(runId)], [0, 'cancelled']);
  assert.match(cancelled.output, /is cancelled in step train/);
});

test('services that are not there end the command with 3, and the API says that it is not ready', async () => {
  const noTemporal = { ...processes.environment, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const noMongo = { ...processes.environment, MONGODB_URL: 'mongodb://127.0.0.1:1' };
  const [first, second, api] = await Promise.all([
    startCommand(noTemporal, ['run', shortFile]).outcome,
    startCommand(noMongo, ['list']).outcome,
    startApiProcess(noTemporal),
  ]);
  assert.deepEqual([first.code, second.code], [3, 3]);
  assert.match(first.errors, /TEMPORAL_UNAVAILABLE/);
  assert.match(second.errors, /STORE_UNAVAILABLE/);
  const ready = await fetch(`${api.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), {
    ready: false,
    temporal: { ok: false, code: 'TEMPORAL_UNAVAILABLE' },
    store: { ok: true, code: null },
  });
  const refused = await fetch(`${api.url}/api/v1/runs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(shortSpec),
  });
  assert.equal(refused.status, 503);
  assert.equal(await api.end(), 0);
});

test('up --no-services brings the programs up, and none of them outlives it, however it ends', async () => {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const environment = { ...processes.environment, COXSWAIN_API_PORT: '0' };
    const up = startCommand(environment, ['up', '--no-services']);
    await up.until(/Coxswain is up; API: \S+\/docs/);
    const children = childrenOf(up.child.pid!);
    assert.equal(children.length, 3);
    up.child.kill(signal);
    const { code, output } = await up.outcome;
    assert.equal(code, signal === 'SIGINT' ? 0 : null, output);
    await until(async () => !children.some(isAlive));
  }
});

test('the API ends by itself when whoever started it is gone', async () => {
  const orphan = await startApiProcess(processes.environment);
  const ended = once(orphan.child, 'exit');
  orphan.child.disconnect();
  assert.equal((await ended)[0], 0);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../scripts/local-services/free-port.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { someDecision, someDeployment } from '../contracts/control-fixtures.ts';
import { startPipelineProcesses } from './pipeline-processes.ts';
import type { PipelineProcesses, Program } from './pipeline-processes.ts';
import { smallSpec } from './small-pipeline.ts';

const root = join(import.meta.dirname, '..', '..');
const startTimeoutMs = 60_000;
let processes: PipelineProcesses;
let orchestrator: HealthyProgram;
const running: ChildProcess[] = [];

before(async () => {
  processes = await startPipelineProcesses();
});

after(async () => {
  for (const child of running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await processes.stop();
});

interface HealthyProgram {
  readonly child: ChildProcess;
  /** Null while nobody listens. */
  ask(path: string): Promise<Response | null>;
  /** Value of a series with this label; null when it is absent. */
  metric(name: string, label: `${string}="${string}"`): Promise<number | null>;
}

/** Starts a program that tells how it is. */
async function start(program: Program): Promise<HealthyProgram> {
  const [port] = await freePorts([undefined]);
  const env = { ...processes.environment, COXSWAIN_HEALTH_PORT: String(port) };
  const child = spawn(process.execPath, [join(root, 'workers', `${program}.ts`)], { env, stdio: 'ignore' });
  running.push(child);
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
  return {
    child,
    ask,
    async metric(name, label) {
      const text = (await (await ask('/metrics'))?.text()) ?? '';
      const value = new RegExp(`^${name}\\{${label}\\} (\\S+)$`, 'm').exec(text)?.[1];
      return value === undefined ? null : Number(value);
    },
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `${what}: not within ${startTimeoutMs} ms`);
    await sleep(100);
  }
}

test('an orchestrator tells that it is ready, and how the recorded control loops are', async () => {
  orchestrator = await start('orchestrator');
  await until('the orchestrator is ready', async () => (await orchestrator.ask('/readyz'))?.status === 200);
  assert.equal((await orchestrator.ask('/livez'))?.status, 200);
  assert.equal(await orchestrator.metric('coxswain_worker_polling', `task_queue="${taskQueues.orchestration}"`), 1);

  const { control } = processes.store;
  const label = 'deployment="shop"';
  assert.equal(await orchestrator.metric('coxswain_control_interval_seconds', label), null);
  await control.openDeployment(someDeployment('shop'));
  const decision = await control.writeDecision(someDecision('shop', 3));
  await control.addEvent({
    deployment: 'shop',
    step: 3,
    at: decision.at,
    kind: 'paused',
    alert: false,
    message: 'Somebody paused it.',
  });
  const paused = () => orchestrator.metric('coxswain_control_paused', label);
  await until('the loop is told as paused', async () => (await paused()) === 1);
  assert.equal(await orchestrator.metric('coxswain_control_interval_seconds', label), 15);
  assert.equal(await orchestrator.metric('coxswain_control_fallback', label), 0);
  const timestamp = await orchestrator.metric('coxswain_control_step_timestamp_seconds', label);
  assert.equal(timestamp, decision.at.getTime() / 1000);
});

test('workers tell what waits for them and what runs, until they stop', async () => {
  const label = `task_queue="${taskQueues.trainCpu}"` as const;
  assert.equal(await orchestrator.metric('coxswain_task_queue_backlog', label), 0);
  const run = await processes.startRun(smallSpec);
  const backlog = () => orchestrator.metric('coxswain_task_queue_backlog', label);
  await until('the training waits', async () => ((await backlog()) ?? 0) >= 1);
  assert.ok((await orchestrator.metric('coxswain_task_queue_backlog_age_seconds', label))! > 0);

  const trainer = await start('trainer');
  const trainings = () => trainer.metric('coxswain_worker_activities', label);
  await until('the training runs', async () => ((await trainings()) ?? 0) >= 1);
  await run.handle.cancel();
  await until('the training has ended', async () => (await trainings()) === 0);

  trainer.child.kill('SIGTERM');
  assert.deepEqual(await once(trainer.child, 'exit'), [0, null]);
  assert.equal(await trainer.ask('/livez'), null);
});

test('what workers tell holds no secret', async () => {
  const { MONGODB_URL: url } = processes.environment;
  for (const path of ['/livez', '/readyz', '/metrics'])
    assert.ok(!(await (await orchestrator.ask(path))!.text()).includes(url), path);
});

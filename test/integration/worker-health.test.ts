import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../scripts/local-services/free-port.ts';
import { taskQueues } from '../../src/contracts/task-queues.ts';
import { startPipelineProcesses } from './pipeline-processes.ts';
import type { PipelineProcesses, Program } from './pipeline-processes.ts';
import { smallSpec } from './small-pipeline.ts';

const root = join(import.meta.dirname, '..', '..');
const startTimeoutMs = 60_000;
let processes: PipelineProcesses;
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

/** A program that tells how it is. */
async function start(program: Program): Promise<{ child: ChildProcess; ask(path: string): Promise<Response | null> }> {
  const [port] = await freePorts([undefined]);
  const env = { ...processes.environment, COXSWAIN_HEALTH_PORT: String(port) };
  const child = spawn(process.execPath, [join(root, 'workers', `${program}.ts`)], { env, stdio: 'ignore' });
  running.push(child);
  return { child, ask: (path) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => null) };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `${what}: not within ${startTimeoutMs} ms`);
    await sleep(100);
  }
}

test('workers tell that they are ready, what waits for them and what runs, until they stop', async () => {
  const orchestrator = await start('orchestrator');
  await until('the orchestrator is ready', async () => (await orchestrator.ask('/readyz'))?.status === 200);
  assert.equal((await orchestrator.ask('/livez'))?.status, 200);
  const metric = async ({ ask }: typeof orchestrator, name: string, queue: string): Promise<number | null> => {
    const text = (await (await ask('/metrics'))?.text()) ?? '';
    const value = new RegExp(`^${name}\\{task_queue="${queue}"\\} (\\S+)$`, 'm').exec(text)?.[1];
    return value === undefined ? null : Number(value);
  };
  assert.equal(await metric(orchestrator, 'coxswain_worker_polling', taskQueues.orchestration), 1);
  assert.equal(await metric(orchestrator, 'coxswain_task_queue_backlog', taskQueues.trainCpu), 0);

  const run = await processes.startRun(smallSpec);
  const backlog = () => metric(orchestrator, 'coxswain_task_queue_backlog', taskQueues.trainCpu);
  await until('the training waits', async () => ((await backlog()) ?? 0) >= 1);
  assert.ok((await metric(orchestrator, 'coxswain_task_queue_backlog_age_seconds', taskQueues.trainCpu))! > 0);

  const trainer = await start('trainer');
  const trainings = () => metric(trainer, 'coxswain_worker_activities', taskQueues.trainCpu);
  await until('the training runs', async () => ((await trainings()) ?? 0) >= 1);
  await run.handle.cancel();
  await until('the training has ended', async () => (await trainings()) === 0);

  trainer.child.kill('SIGTERM');
  assert.deepEqual(await once(trainer.child, 'exit'), [0, null]);
  assert.equal(await trainer.ask('/livez'), null);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { TrainHooks, TrainJob } from '../../../src/contracts/numeric.ts';
import { createNumericProcesses } from '../../../workers/numeric/child-processes.ts';
import { isAlive } from '../../integration/process-table.ts';

const program = fileURLToPath(new URL('../../fakes/numeric-child.ts', import.meta.url));
const numeric = createNumericProcesses({ environment: { ONLY: 'this' }, program, stopPatienceMs: 300 });
const quiet: TrainHooks = { onPoint: () => {}, onCheckpoint: async () => {} };
const never = new AbortController().signal;

const job = (part: string): TrainJob =>
  ({
    spec: { name: part },
    recording: Uint8Array.of(9, 8),
    parts: {},
    seed: 1,
    device: 'cpu',
    checkpoint: null,
  }) as unknown as TrainJob;
const play = (part: string, hooks = quiet, signal = never) =>
  numeric.train(job(part), hooks, signal) as Promise<Record<string, unknown>>;

test('a child gets the job with its bytes and gives back the outcome', async () => {
  const { echoed } = (await play('echo')) as { echoed: { job: TrainJob } };
  assert.deepEqual(new Uint8Array(echoed.job.recording), Uint8Array.of(9, 8));
});

test('a child sees only the environment that it is given', async () => {
  const { environment } = (await play('environment')) as { environment: Record<string, string> };
  const names = Object.keys(environment).filter(
    (name) => !name.startsWith('NODE_') && name !== '__CF_USER_TEXT_ENCODING',
  );
  assert.deepEqual(names, ['ONLY']);
});

test("a child's error arrives with its code", async () => {
  await assert.rejects(play('fail'), (error) => error instanceof CoxswainError && error.code === 'TRAINING_DIVERGED');
});

test('a child that dies is CHILD_PROCESS_FAILED with what it said last', async () => {
  await assert.rejects(play('die'), (error) => {
    assert.ok(error instanceof CoxswainError && error.code === 'CHILD_PROCESS_FAILED');
    assert.match(error.message, /SIGKILL.*out of memory/s);
    return true;
  });
});

test('a child waits until its checkpoint is stored', async () => {
  const checkpoints: unknown[] = [];
  const onCheckpoint: TrainHooks['onCheckpoint'] = async ({ step, bytes }) => {
    await sleep(100);
    checkpoints.push([step, [...bytes]]);
  };
  await play('checkpoint', { ...quiet, onCheckpoint });
  assert.deepEqual(checkpoints, [[5, [1, 2, 3]]]);
});

test('a checkpoint that cannot be stored ends the job with that error, and the child', async () => {
  const onCheckpoint: TrainHooks['onCheckpoint'] = async () => {
    throw new CoxswainError('STALE_ATTEMPT', 'overtaken');
  };
  await assert.rejects(play('checkpoint', { ...quiet, onCheckpoint }), { code: 'STALE_ATTEMPT' });
});

for (const part of ['obedient', 'deaf']) {
  test(`an aborted job is cancelled and its ${part} child is gone`, async () => {
    const stop = new AbortController();
    let pid = 0;
    const onPoint: TrainHooks['onPoint'] = ({ step }) => {
      pid = step;
      stop.abort();
    };
    assert.deepEqual(await play(part, { ...quiet, onPoint }, stop.signal), { status: 'cancelled' });
    assert.ok(pid > 0 && !isAlive(pid));
  });
}

test('a child ends by itself when its worker is killed', async () => {
  const modules = new URL('../../../workers/numeric/child-processes.ts', import.meta.url).href;
  const source = `
    import { createNumericProcesses } from ${JSON.stringify(modules)};
    const numeric = createNumericProcesses({ environment: {}, program: ${JSON.stringify(program)} });
    const onPoint = ({ step }) => console.log(step);
    await numeric.train({ spec: { name: 'works' } }, { onPoint, onCheckpoint: async () => {} }, new AbortController().signal);`;
  const worker = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = (await once(worker.stdout, 'data')) as [Buffer];
  const pid = Number.parseInt(output.toString(), 10);
  assert.ok(isAlive(pid));
  worker.kill('SIGKILL');
  for (let waited = 0; isAlive(pid) && waited < 5_000; waited += 20) await sleep(20);
  assert.ok(!isAlive(pid));
});

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cleanUpLeftovers } from '../../../../scripts/local-services/leftovers.ts';
import type { ProcessIdentity } from '../../../../scripts/process-identity.mjs';
import { startedAt, thisProcess } from '../../../../scripts/process-identity.mjs';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-leftovers-'));
const children: ChildProcess[] = [];
after(() => {
  children.forEach((child) => child.kill('SIGKILL'));
  rmSync(folder, { recursive: true, force: true });
});

const dead: ProcessIdentity = { pid: 2 ** 30, startedAt: 'long ago' };
const alive = thisProcess();

function sleeper(command = 'sleep', ...args: string[]): ProcessIdentity {
  const child = spawn(command, args.length === 0 ? ['60'] : args, { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid ?? 0;
  return { pid, startedAt: startedAt(pid) ?? '' };
}

function record(name: string, processes: Record<'program' | 'keeper' | 'owner', ProcessIdentity>): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ name, command: '/bin/sleep', ...processes }));
  return file;
}

test('a program whose owner is dead is ended and its record removed', async () => {
  const program = sleeper();
  const file = record('orphan', { program, keeper: alive, owner: dead });
  assert.deepEqual(await cleanUpLeftovers(folder), ['orphan']);
  assert.equal(startedAt(program.pid), undefined);
  assert.equal(existsSync(file), false);
});

test('a program whose keeper is dead is ended even though its owner lives', async () => {
  const program = sleeper();
  record('unkept', { program, keeper: dead, owner: alive });
  assert.deepEqual(await cleanUpLeftovers(folder), ['unkept']);
  assert.equal(startedAt(program.pid), undefined);
});

test('a program with a living owner and keeper goes on', async () => {
  const program = sleeper();
  const file = record('in-use', { program, keeper: alive, owner: alive });
  assert.deepEqual(await cleanUpLeftovers(folder), []);
  assert.equal(startedAt(program.pid), program.startedAt);
  assert.ok(existsSync(file));
  rmSync(file);
});

test("a process that got a leftover's number later is not touched", async () => {
  const bystander = sleeper();
  const file = record('reused', { program: { pid: bystander.pid, startedAt: 'long ago' }, keeper: dead, owner: dead });
  assert.deepEqual(await cleanUpLeftovers(folder), []);
  assert.equal(startedAt(bystander.pid), bystander.startedAt);
  assert.equal(existsSync(file), false);
});

test('a program that ignores SIGTERM is killed', async () => {
  const program = sleeper('sh', '-c', 'trap "" TERM; while :; do sleep 1; done');
  await new Promise((resolve) => setTimeout(resolve, 100));
  record('stubborn', { program, keeper: dead, owner: dead });
  assert.deepEqual(await cleanUpLeftovers(folder, 200), ['stubborn']);
  assert.equal(startedAt(program.pid), undefined);
});

test('half a record is removed, and a missing folder is empty', async () => {
  const file = join(folder, 'half.json');
  writeFileSync(file, '{"name": "ha');
  assert.deepEqual(await cleanUpLeftovers(folder), []);
  assert.equal(existsSync(file), false);
  assert.deepEqual(await cleanUpLeftovers(join(folder, 'none')), []);
});

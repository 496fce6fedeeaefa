import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lock, tryLock } from '../../../scripts/file-lock.mjs';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-lock-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;
const newPath = () => join(folder, 'locks', `${number++}.lock`);

const dead = { pid: 2 ** 30, startedAt: 'long ago', host: hostname() };

test('a second taker is told who holds the lock, and gets it after the release', () => {
  const path = newPath();
  const first = tryLock(path);
  assert.ok('release' in first);
  const second = tryLock(path);
  assert.ok('holder' in second);
  assert.equal(second.holder.pid, process.pid);
  first.release();
  assert.ok('release' in tryLock(path));
});

test('a lock that a dead process left is broken', () => {
  const path = newPath();
  const first = tryLock(path);
  assert.ok('release' in first);
  writeFileSync(path, JSON.stringify(dead));
  assert.ok('release' in tryLock(path));
});

test('a lock is held by exactly the process that took it, not by a later one with its number', () => {
  const path = newPath();
  tryLock(path);
  writeFileSync(path, JSON.stringify({ ...dead, pid: process.pid }));
  assert.ok('release' in tryLock(path));
});

test('the lock of another host stands until it is an hour old', () => {
  const path = newPath();
  tryLock(path);
  writeFileSync(path, JSON.stringify({ ...dead, host: 'elsewhere' }));
  assert.ok('holder' in tryLock(path));
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  utimesSync(path, twoHoursAgo, twoHoursAgo);
  assert.ok('release' in tryLock(path));
});

test('giving back a lock that somebody else has broken leaves theirs alone', () => {
  const path = newPath();
  const first = tryLock(path);
  assert.ok('release' in first);
  writeFileSync(path, JSON.stringify({ ...dead, token: 'theirs' }));
  first.release();
  assert.ok(existsSync(path));
});

test('waiting ends when the holder gives the lock back, and says once whom it waits for', async () => {
  const path = newPath();
  const first = await lock(path);
  const waitedFor: number[] = [];
  const second = lock(path, { onWait: (holder) => waitedFor.push(holder.pid) });
  first();
  (await second)();
  assert.deepEqual(waitedFor, [process.pid]);
});

test('waiting too long is an error that names the lock and its holder', async () => {
  const path = newPath();
  await lock(path);
  await assert.rejects(lock(path, { timeoutMs: -1 }), new RegExp(`${process.pid}`));
});

test('many processes that find the same dead holder take the lock one at a time', async () => {
  const path = newPath();
  tryLock(path);
  writeFileSync(path, JSON.stringify(dead));
  const child = join(folder, 'taker.mjs');
  const inside = join(folder, 'inside');
  writeFileSync(
    child,
    `import { closeSync, openSync, rmSync } from 'node:fs';
     import { lock } from '${join(import.meta.dirname, '../../../scripts/file-lock.mjs')}';
     const release = await lock('${path}');
     closeSync(openSync('${inside}', 'wx'));
     await new Promise((resolve) => setTimeout(resolve, 5));
     rmSync('${inside}');
     release();`,
  );
  const exits = Array.from(
    { length: 6 },
    () => new Promise((resolve) => fork(child, { execArgv: [] }).once('exit', resolve)),
  );
  assert.deepEqual(await Promise.all(exits), [0, 0, 0, 0, 0, 0]);
});

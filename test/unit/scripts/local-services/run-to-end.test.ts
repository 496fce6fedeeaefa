import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runToEnd } from '../../../../scripts/local-services/run-to-end.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-run-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string) => ({
  name: 'work',
  command: '/bin/sh',
  args: ['-c', script],
  logFile: join(folder, 'work.log'),
  recordsFolder: join(folder, 'records'),
});

test('a program that succeeds leaves no record', async () => {
  await runToEnd(shell('exit 0'), { timeoutMs: 5_000 });
  assert.deepEqual(readdirSync(join(folder, 'records')), []);
});

test('a program that fails is an error with its code and the end of its own log', async () => {
  await assert.rejects(runToEnd(shell('echo earlier; exit 1'), { timeoutMs: 5_000 }), /earlier/);
  await assert.rejects(runToEnd(shell('echo no network >&2; exit 4'), { timeoutMs: 5_000 }), (error: Error) => {
    assert.match(error.message, /it ended with code 4/);
    assert.match(error.message, /no network/);
    assert.doesNotMatch(error.message, /earlier/);
    return true;
  });
});

test('a program that takes too long is stopped', async () => {
  await assert.rejects(runToEnd(shell('sleep 60'), { timeoutMs: 100 }), /it took longer than 0.1 s/);
});

test('a download that brings nothing is stopped long before its time limit', async () => {
  const growing = { folder: join(folder, 'download'), stallMs: 100 };
  await assert.rejects(runToEnd(shell('sleep 60'), { timeoutMs: 60_000, growing }), /nothing arrived for 0.1 s/);
});

test('a program that does not exist is an error', async () => {
  const options = { ...shell(''), command: join(folder, 'no-such-program') };
  await assert.rejects(runToEnd(options, { timeoutMs: 5_000 }), /no-such-program|ended with code 127|ENOENT/);
});

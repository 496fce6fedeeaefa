import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startedAt } from '../../../../scripts/process-identity.mjs';
import { runTestFile } from '../../../../scripts/test-run/run-test-file.ts';
import { testFiles } from '../../../../scripts/test-run/test-files.ts';

const root = mkdtempSync(join(tmpdir(), 'coxswain-run-file-'));
after(() => rmSync(root, { recursive: true, force: true }));
const limits = { root, timeoutMs: 10_000, testTimeoutMs: 5_000 };

function file(name: string, body: string): string {
  writeFileSync(join(root, name), `import { test } from 'node:test';\n${body}`);
  return name;
}

test('tests are counted, with their skips and reasons', async () => {
  const body =
    "test('good', () => {}); test('bad', () => { throw new Error('wrong sum'); }); test('later', { skip: 'no data' }, () => {});";
  const result = await runTestFile(file('mixed.test.ts', body), limits);
  assert.equal(result.counts?.passed, 1);
  assert.equal(result.counts?.failed, 1);
  assert.deepEqual(result.skips, [{ name: 'later', reason: 'no data' }]);
  assert.equal(result.failure, undefined);
  assert.match(result.output, /wrong sum/);
});

test('a file without a test has failed', async () => {
  const result = await runTestFile(file('empty.test.ts', 'void test;'), limits);
  assert.match(result.failure ?? '', /without having run its tests|holds no test/);
});

test('a file whose only suite is skipped holds tests, and the suite is told as skipped', async () => {
  const body =
    "import { describe } from 'node:test'; describe('all', { skip: 'optional: no data' }, () => { test('x', () => {}); });";
  const result = await runTestFile(file('suite.test.ts', body), limits);
  assert.equal(result.failure, undefined);
  assert.deepEqual(result.skips, [{ name: 'all', reason: 'optional: no data' }]);
});

test('a file whose process fails after its tests has failed', async () => {
  const body = "test('good', () => {}); process.on('exit', () => { process.exitCode = 5; });";
  const result = await runTestFile(file('late.test.ts', body), limits);
  assert.equal(result.failure, 'ended with code 5 although its tests passed');
});

test('a file that crashes before its tests are over has failed', async () => {
  const result = await runTestFile(
    file('crash.test.ts', "test('a', () => process.kill(process.pid, 'SIGKILL'));"),
    limits,
  );
  assert.equal(result.failure, 'was ended by SIGKILL');
});

test('a file that hangs is killed with what it started, and the last finished test is named', async () => {
  const body = `
    import { spawn } from 'node:child_process';
    test('the quick one', () => {});
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    console.log('child', child.pid, '.');
    setInterval(() => undefined, 1000);`;
  const result = await runTestFile(file('hang.test.ts', body), { ...limits, timeoutMs: 1_000 });
  assert.match(
    result.failure ?? '',
    /ran longer than 1 s and was killed; the last test that finished was "the quick one"/,
  );
  const pid = Number(/child (\d+) \./.exec(result.output)?.[1]);
  assert.equal(startedAt(pid), undefined);
});

test('stopping the run kills the running file', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  const path = file('stopped.test.ts', "test('long', () => new Promise((resolve) => setTimeout(resolve, 60_000)));");
  const result = await runTestFile(path, { ...limits, signal: stop.signal });
  assert.match(result.failure ?? '', /was killed because the test run was stopped/);
});

test('every test file on disk is listed, slow folders first', () => {
  for (const path of ['unit/b.test.ts', 'unit/deep/a.test.ts', 'integration/z.test.ts', 'unit/not-a-test.ts']) {
    mkdirSync(join(root, 'test', path, '..'), { recursive: true });
    writeFileSync(join(root, 'test', path), '');
  }
  assert.deepEqual(testFiles(root), ['test/integration/z.test.ts', 'test/unit/b.test.ts', 'test/unit/deep/a.test.ts']);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test("the guide's example gives what the guide says", async () => {
  const guide = readFileSync(new URL('../../../docs/tensor/programs.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]+?)```/.exec(guide)![1];
  const promised = /console\.log\(.*\); \/\/ (.*)/.exec(example)![1];
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-guide-'));
  try {
    const resolved = example
      .replace("'@tensorflow/tfjs-core'", `'${import.meta.resolve('@tensorflow/tfjs-core')}'`)
      .replace("'../../src/tensor/program.ts'", `'${new URL('../../../src/tensor/program.ts', import.meta.url).href}'`);
    writeFileSync(join(folder, 'example.mts'), resolved);
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mts'], { cwd: folder });
    assert.equal(stdout.trim().split('\n').at(-1), promised);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test("the learning guide's example trains a policy that balances the pole", async () => {
  const guide = readFileSync(new URL('../../../docs/guides/learning.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]+?)```/.exec(guide)![1];
  const library = new URL('../../../src/rl/index.ts', import.meta.url).href;
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-guide-'));
  try {
    writeFileSync(join(folder, 'example.mjs'), example.replace("'coxswain/learning'", `'${library}'`));
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
    const [, mean] = /mean return (\S+)/.exec(stdout)!;
    assert.ok(Number(mean) > 300, stdout);
    assert.equal(stdout.trim().split('\n').length, 21);
    assert.ok(statSync(join(folder, 'cart-pole.onnx')).size > 10_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

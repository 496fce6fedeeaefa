import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { algorithms } from '../../src/rl/algorithms/index.ts';

const program = join(import.meta.dirname, 'train-every-algorithm.ts');

/** Runs the program on a folder and kills it after so many checkpoints. @returns its last words and whether it ended by itself. */
async function train(folder: string, killAfter: number): Promise<{ hashes: string[]; completed: boolean }> {
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.replace(/[^.]/g, '').length >= killAfter) child.kill('SIGKILL');
  });
  const completed = await new Promise<boolean>((resolve) =>
    child.once('close', (code) => resolve(code === 0 && killAfter === Infinity)),
  );
  return { hashes: text.split('\n').filter((line) => /^[a-z0-9-]+ [0-9a-f]{64}$/.test(line)), completed };
}

test('every algorithm ends with the same weights in another process, and after kill -9 again and again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-killed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [whole, interrupted] = ['whole', 'interrupted'].map((name) => mkdtempSync(join(folder, name)));
  const undisturbed = await train(whole, Infinity);
  assert.ok(undisturbed.completed);
  assert.deepEqual(undisturbed.hashes.map((line) => line.split(' ')[0]).sort(), Object.keys(algorithms).sort());
  // Each process gets a few checkpoints further; the last one is left alone.
  const kills = Math.ceil((5 * Object.keys(algorithms).length) / 7);
  for (let kill = 0; kill < kills; kill++) assert.equal((await train(interrupted, 7)).completed, false);
  const resumed = await train(interrupted, Infinity);
  assert.ok(resumed.completed);
  assert.deepEqual(resumed.hashes, undisturbed.hashes);
});

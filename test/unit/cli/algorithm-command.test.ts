import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { algorithms } from '../../../src/rl/algorithms/index.ts';
import { createCliFixture } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-cli-algorithm-'));
after(() => rmSync(folder, { recursive: true }));
const guide = readFileSync(new URL('../../../docs/guides/algorithms.md', import.meta.url), 'utf8');
const example = /```js\n([\s\S]+?)```/.exec(guide)![1];

function moduleWith(text: string, name = 'mine.mjs'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const { coxswain } = createCliFixture();
const quick = ['--hyperparameters', '{"roundSteps": 16}'];

test('algorithm list names every algorithm, and as JSON with its hyperparameters', async () => {
  const { code, output } = await coxswain('algorithm', 'list');
  assert.equal(code, 0);
  for (const name of Object.keys(algorithms)) assert.match(output, new RegExp(`^${name} +\\S`, 'm'));
  const listed = JSON.parse((await coxswain('algorithm', 'list', '--json')).output) as {
    algorithms: { name: string; hyperparameters: Record<string, { default: unknown }> }[];
  };
  const ppo = listed.algorithms.find(({ name }) => name === 'ppo');
  assert.equal(ppo?.hyperparameters.rolloutSteps.default, 2048);
});

test('algorithm list NAME shows what each hyperparameter is, allows and means', async () => {
  const { output } = await coxswain('algorithm', 'list', 'ppo');
  assert.match(output, /clipRange = 0\.2\n {4}ε of the clipped objective\. Allowed: a number above 0 to 10\./);
});

test('algorithm check runs every rule over a module outside of the project', async () => {
  const { code, output } = await coxswain('algorithm', 'check', moduleWith(example), ...quick);
  assert.equal(code, 0, output);
  assert.match(output, /✓ discrete actions: the same seed gives the same weights/);
  assert.match(output, /hill-climbing: (\d+) of \1 rules kept\n$/);
});

test('algorithm check exits with 1 and says which rule a module breaks, and how', async () => {
  const careless = example.replace('noise.loadState(values.noise);', '').replace("'hill-climbing'", "'careless'");
  const path = moduleWith(careless, 'careless.mjs');
  const { code, output } = await coxswain('algorithm', 'check', path, ...quick);
  assert.equal(code, 1);
  assert.match(output, /✗ discrete actions: a training that goes on from a checkpoint .*\n {4}the weights differ/);
  const { rules } = JSON.parse((await coxswain('algorithm', 'check', path, ...quick, '--json')).output) as {
    rules: { rule: string; broken: string | null }[];
  };
  assert.ok(rules.some(({ broken }) => broken === 'the weights differ') && rules.some(({ broken }) => broken === null));
});

test('bad input exits with 2 and says what to do', async () => {
  const unknown = await coxswain('algorithm', 'check', 'pppo');
  assert.deepEqual([unknown.code, /nearest: ppo/.test(unknown.errors)], [2, true]);
  const text = await coxswain('algorithm', 'check', 'ppo', '--hyperparameters', 'fast');
  assert.deepEqual([text.code, /found fast; allowed: a JSON object/.test(text.errors)], [2, true]);
  const wrong = await coxswain('algorithm', 'check', 'ppo', '--hyperparameters', '{"epochs": 0}');
  assert.deepEqual([wrong.code, /epochs: found 0/.test(wrong.errors)], [2, true]);
  const missing = await coxswain('algorithm', 'check', join(folder, 'absent.mjs'));
  assert.deepEqual([missing.code, /absent\.mjs: it cannot be loaded/.test(missing.errors)], [2, true]);
});

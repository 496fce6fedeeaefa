import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createCliFixture } from './cli-fixture.ts';

const cli = createCliFixture();
const folder = mkdtempSync(join(tmpdir(), 'coxswain-env-'));
after(() => rmSync(folder, { recursive: true }));

/** A module with the given source. */
function moduleOf(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

test('env list names every environment with what it is for, sees and does', async () => {
  const { code, output, errors } = await cli.coxswain('env', 'list');
  assert.deepEqual([code, errors], [0, '']);
  assert.match(output, /^cart-pole +Balance a pole/m);
  assert.match(output, /Sees 4 numbers; acts in 2 choices; at most 500 steps\./);
  assert.match(output, /Sees 3 numbers; acts in a box of 1; at most 200 steps\./);
  assert.match(output, /Sees 134 numbers; acts in 2 × 11 \+ 3 × 3 \+ 3 × 4 choices, masked; at most 500 steps\./);
});

test('env list NAME explains the parameters of one environment', async () => {
  const { code, output } = await cli.coxswain('env', 'list', 'recommendation');
  assert.equal(code, 0);
  assert.match(output, /^slateSize\n {4}Items of a slate, 1 … 20\. Default 5\.$/m);
});

test('env list --json is one line with sizes, spaces and parameters', async () => {
  const { output } = await cli.coxswain('env', 'list', '--json');
  assert.equal(output.trimEnd().split('\n').length, 1);
  const { environments } = JSON.parse(output);
  const { observationSize, actionSpace, masked, maxEpisodeSteps } = environments.find(
    ({ name }: { name: string }) => name === 'pendulum',
  );
  assert.deepEqual(
    { observationSize, actionSpace, masked, maxEpisodeSteps },
    {
      observationSize: 3,
      actionSpace: { kind: 'box', shape: [1], low: -2, high: 2 },
      masked: false,
      maxEpisodeSteps: 200,
    },
  );
});

test('env check shows every rule and ends with 0 where nothing is broken', async () => {
  const { code, output, errors } = await cli.coxswain('env', 'check', 'cart-pole', '--strict');
  assert.deepEqual([code, errors], [0, '']);
  assert.equal(output.match(/^✓ /gm)?.length, 7);
  assert.match(output, /^cart-pole: contract kept; 0 found by the lint, 0 accepted, in 2000 steps; [\d.]+ µs a step$/m);
});

test('env check shows what was accepted with its reason, and --strict lets it pass', async () => {
  const { code, output } = await cli.coxswain('env', 'check', 'mountain-car', '--steps', '400', '--strict');
  assert.equal(code, 0);
  assert.match(output, /^accepted constant-reward: reward is -1 in all of 400 steps/m);
  assert.match(output, /So on purpose: As in Gymnasium/);
});

test('env check --parameters looks at the environment that they make; findings are warnings unless --strict', async () => {
  // Without any weight there is no reward to learn from.
  const parameters = '{"clickWeight":0,"watchWeight":0,"diversityWeight":0,"episodeSteps":20}';
  const args = ['env', 'check', 'recommendation', '--parameters', parameters, '--steps', '200', '--json'];
  const { code, output } = await cli.coxswain(...args);
  assert.equal(code, 0);
  const { findings, steps, seed } = JSON.parse(output);
  assert.deepEqual([steps, seed], [200, 1]);
  assert.deepEqual(
    findings.map(({ kind, where }: { kind: string; where: string }) => [kind, where]),
    [['constant-reward', 'reward']],
  );
  assert.equal((await cli.coxswain(...args, '--strict')).code, 1);
});

test('bad names, parameters and numbers are bad input and say what there is', async () => {
  const named = await cli.coxswain('env', 'check', 'cart-pol');
  assert.equal(named.code, 2);
  assert.match(named.errors, /REQUEST_INVALID: No environment is called "cart-pol"; there are: cart-pole, acrobot/);
  const text = await cli.coxswain('env', 'check', 'cart-pole', '--parameters', '[1]');
  assert.deepEqual([text.code, /--parameters: found \[1\]/.test(text.errors)], [2, true]);
  const unknown = await cli.coxswain('env', 'check', 'cart-pole', '--parameters', '{"gravity":1}');
  assert.deepEqual([unknown.code, /unknown parameter "gravity"/.test(unknown.errors)], [2, true]);
  assert.equal((await cli.coxswain('env', 'check', 'cart-pole', '--steps', '5')).code, 2);
});

test('env check holds an environment of a file to the contract, and ends with 1 where it breaks it', async () => {
  const row = "{ index: '0', name: 'x', unit: '', low: 0, high: 1, meaning: 'x' }";
  const broken = moduleOf(
    'broken.mjs',
    `const description = {
       name: 'broken', observationSpace: { kind: 'box', shape: [1], low: 0, high: 1 },
       actionSpace: { kind: 'discrete', n: 2 }, actionMaskSize: 0, maxEpisodeSteps: 10,
       observationTable: [${row}], actionTable: [${row}],
     };
     const seen = (x) => ({ observation: Float32Array.of(x), actionMask: null });
     const create = () => ({
       description,
       reset: () => seen(0),
       step: () => ({ ...seen(7), reward: 0, terminated: false, truncated: false, measures: {} }),
       saveState: () => null,
       loadState: () => seen(0),
     });
     export default { name: 'broken', summary: 'Breaks rules.', create };`,
  );
  const { code, output, errors } = await cli.coxswain('env', 'check', broken);
  assert.deepEqual([code, errors], [1, '']);
  assert.match(
    output,
    /^✗ observations, masks.*\n {4}seed 1, step 1: element 0 of the observation is 7, not in 0 … 1\.$/m,
  );
  assert.match(output, /^✗ a step before the first reset is refused$/m);
  assert.match(output, /^broken: \d of 7 rules kept; the lint looks only at environments that keep all\.$/m);
  assert.match((await cli.coxswain('env', 'list', broken)).output, /^broken: Breaks rules\.$/m);
});

test('a file that is none, or has no environment, is bad input', async () => {
  const missing = await cli.coxswain('env', 'check', join(folder, 'absent.mjs'));
  assert.deepEqual(
    [missing.code, /ENVIRONMENT_INVALID: .*absent\.mjs cannot be loaded/.test(missing.errors)],
    [2, true],
  );
  const empty = await cli.coxswain('env', 'check', moduleOf('empty.mjs', 'export default { name: 3 };'));
  assert.deepEqual([empty.code, /must export an environment by default/.test(empty.errors)], [2, true]);
});

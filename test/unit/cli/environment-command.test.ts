import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCliFixture } from './cli-fixture.ts';

const cli = createCliFixture();

test('env list names every environment with what it is for, sees and does', async () => {
  const { code, output, errors } = await cli.coxswain('env', 'list');
  assert.deepEqual([code, errors], [0, '']);
  assert.match(output, /^cart-pole +Balance a pole/m);
  assert.match(output, /Sees 4 numbers; acts in 2 choices; at most 500 steps\./);
  assert.match(output, /Sees 3 numbers; acts in a box of 1; at most 200 steps\./);
  assert.match(output, /Sees 134 numbers; acts in 2 × 11 \+ 6 × 4 choices, masked; at most 500 steps\./);
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

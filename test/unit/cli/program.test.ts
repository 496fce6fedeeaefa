import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSpec } from '../../../src/contracts/run-spec.ts';
import { createCliFixture, rawSpec } from './cli-fixture.ts';
import type { CliFixture } from './cli-fixture.ts';
import { sampleProgress, sampleReport } from './sample-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-cli-'));
const yamlFile = join(folder, 'pipeline.yaml');
const jsonFile = join(folder, 'pipeline.json');
writeFileSync(yamlFile, 'version: 1\nname: shop\n');
writeFileSync(jsonFile, JSON.stringify(rawSpec));
after(() => rmSync(folder, { recursive: true }));

let cli: CliFixture;
beforeEach(() => (cli = createCliFixture()));

const inputOf = (runId: string): RunSpec => cli.engine.workflows.get(runId)?.input as RunSpec;

async function untilStarted(runId: string): Promise<void> {
  while (!cli.engine.workflows.has(runId)) await sleep(5);
}

test('run starts a run of a YAML file, a JSON file, standard input and a bundled pipeline', async () => {
  cli.input = 'version: 1\nname: shop\n';
  for (const [index, spec] of [yamlFile, jsonFile, '-'].entries()) {
    const { code, output, errors } = await cli.coxswain('run', spec, '--id', `run-${index}`);
    assert.deepEqual([code, errors], [0, '']);
    assert.match(output, new RegExp(`Started run run-${index}\\n.*coxswain status run-${index} --wait`));
    assert.deepEqual(inputOf(`run-${index}`), inputOf('run-0'));
  }
  assert.equal((await cli.coxswain('run', 'online-boutique', '--id', 'bundled')).code, 0);
  assert.equal(inputOf('bundled').name, 'online-boutique');
  assert.equal(cli.open, 0);
});

test('run changes values of the spec on demand, in their order', async () => {
  const set = ['--set', 'train.seeds=[1,2]', '--set', 'device=gpu', '--set', 'device=cpu'];
  assert.equal((await cli.coxswain('run', yamlFile, '--id', 'one', ...set)).code, 0);
  assert.deepEqual(inputOf('one').train.seeds, [1, 2]);
  assert.equal(inputOf('one').device, 'cpu');
});

test('run notes the commit of the environment in a spec that names none', async () => {
  cli.gitSha = 'abcdef1234';
  await cli.coxswain('run', yamlFile, '--id', 'one');
  await cli.coxswain('run', yamlFile, '--id', 'two', '--set', 'gitSha="1234567"');
  assert.deepEqual([inputOf('one').gitSha, inputOf('two').gitSha], ['abcdef1234', '1234567']);
});

test('run --json says what was started, in one line', async () => {
  const first = await cli.coxswain('run', yamlFile, '--id', 'one', '--json');
  const second = await cli.coxswain('run', yamlFile, '--id', 'one', '--json');
  const [a, b] = [first, second].map(({ output }) => JSON.parse(output));
  assert.deepEqual([a.runId, a.created, b.created], ['one', true, false]);
  assert.equal(a.specSha256, b.specSha256);
});

test('run --wait shows the progress and the report, and its exit code is that of the run', async () => {
  for (const [status, expected] of [
    ['completed', 0],
    ['failed', 1],
    ['cancelled', 1],
  ] as const) {
    const runId = `run-${status}`;
    const waiting = cli.coxswain('run', yamlFile, '--id', runId, '--wait');
    await untilStarted(runId);
    const spec = inputOf(runId);
    const specSha256 = cli.engine.workflows.get(runId)?.state.specSha256 ?? '';
    await cli.store.runs.createRun({ runId, spec, specSha256, at: new Date() });
    await cli.finishRun(runId, status);
    const { code, output } = await waiting;
    assert.equal(code, expected, status);
    assert.match(output, new RegExp(`Run ${runId} ${status} after`));
  }
});

test('run --wait --json gives the report alone on standard output', async () => {
  await cli.addRun('one');
  await cli.finishRun('one');
  const { code, output, errors } = await cli.coxswain('run', yamlFile, '--id', 'one', '--wait', '--json');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(output).results, sampleReport.results);
  assert.match(errors, /Run is there already: one/);
});

test('Ctrl-C leaves the run alone and says how to go on', async () => {
  const waiting = cli.coxswain('run', yamlFile, '--id', 'one', '--wait');
  await untilStarted('one');
  await sleep(20);
  cli.interrupt.abort();
  const { code, output } = await waiting;
  assert.equal(code, 130);
  assert.match(output, /run one goes on[^]*coxswain status one --wait[^]*coxswain cancel one/);
  assert.deepEqual(cli.engine.workflows.get('one')?.received, []);
  assert.equal(cli.open, 0);
});

test('bad input ends with 2, starts nothing and names what is wrong', async () => {
  const cases: [string[], RegExp][] = [
    [['run', join(folder, 'none.yaml')], /cannot read the spec .*none\.yaml \(ENOENT\)/],
    [['run', yamlFile, '--set', 'train.totalStep=1'], /train\.totalStep: .*nearest valid name: totalSteps/],
    [['run', yamlFile, '--set', 'nonsense'], /expected path=value/],
    [['run', yamlFile, '--id', 'a/b'], /id: found "a\/b"/],
    [['run'], /missing required argument/],
    [['run', yamlFile, '--watch'], /unknown option/],
    [['frobnicate'], /unknown command/],
    [['list', '--limit', '0'], /whole number from 1 to 200/],
    [['list', '--status', 'done'], /Allowed choices are running/],
    [['status', 'nobody'], /RUN_NOT_FOUND/],
    [['models', 'nothing'], /MODEL_NOT_FOUND/],
  ];
  for (const [args, expected] of cases) {
    const { code, output, errors } = await cli.coxswain(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(errors, expected);
    assert.equal(output, '');
  }
  assert.equal(cli.engine.workflows.size, 0);
});

test('another spec under the same id is refused with 2', async () => {
  await cli.coxswain('run', yamlFile, '--id', 'one');
  const { code, errors } = await cli.coxswain('run', yamlFile, '--id', 'one', '--set', 'device=cpu');
  assert.equal(code, 2);
  assert.match(errors, /RUN_CONFLICT/);
});

test('a service that cannot be reached ends with 3 and says what to do', async () => {
  cli.engine.down = true;
  const { code, errors } = await cli.coxswain('run', yamlFile);
  assert.equal(code, 3);
  assert.match(errors, /^coxswain: TEMPORAL_UNAVAILABLE: [^\n]+\n[^\n]*coxswain up[^\n]*\n$/);
});

test('with --json an error is a line of JSON on standard error', async () => {
  const { output, errors } = await cli.coxswain('status', 'nobody', '--json');
  assert.equal(output, '');
  assert.equal(JSON.parse(errors).error.code, 'RUN_NOT_FOUND');
});

test('status shows the progress of a running run and the report of a finished one', async () => {
  await cli.addRun('one');
  cli.engine.answer('one', sampleProgress);
  const running = await cli.coxswain('status', 'one');
  assert.equal(running.code, 0);
  assert.match(running.output, /Run one\n {2}running .*\n {2}✓ validate/);
  await cli.finishRun('one', 'failed');
  const failed = await cli.coxswain('status', 'one');
  assert.equal(failed.code, 1);
  assert.match(failed.output, /Failed in step collect\n {2}TRACE_UNREADABLE: line 7/);
});

test('status --json tells everything that scripts may want', async () => {
  await cli.addRun('one');
  cli.engine.answer('one', sampleProgress);
  const status = JSON.parse((await cli.coxswain('status', 'one', '--json')).output);
  assert.deepEqual(
    [status.runId, status.status, status.progress.fraction, status.report],
    ['one', 'running', 0.25, null],
  );
});

test('list shows runs with status and step, filtered and page by page', async () => {
  assert.match((await cli.coxswain('list')).output, /No runs\./);
  for (const runId of ['a', 'b']) {
    await cli.addRun(runId);
    await cli.finishRun(runId, runId === 'a' ? 'failed' : 'completed');
  }
  assert.match((await cli.coxswain('list')).output, /^RUN +STATUS +STEP +STARTED +TOOK\n[ab] /);
  assert.match((await cli.coxswain('list', '--status', 'failed')).output, /\na +failed/);
  const page = JSON.parse((await cli.coxswain('list', '--limit', '1', '--json')).output);
  assert.equal(page.runs.length, 1);
  assert.equal(page.next, page.runs[0].runId);
  assert.match((await cli.coxswain('list', '--limit', '1')).output, /Older ones: coxswain list --before/);
});

test('cancel, pause and resume reach the run', async () => {
  await cli.addRun('one');
  for (const verb of ['pause', 'resume', 'cancel']) assert.equal((await cli.coxswain(verb, 'one')).code, 0);
  assert.deepEqual(cli.engine.workflows.get('one')?.received, ['pause', 'resume', 'cancel']);
});

test('cancel --wait ends with 0 when the run was cancelled and with 1 when it ended otherwise', async () => {
  for (const [status, expected] of [
    ['cancelled', 0],
    ['completed', 1],
  ] as const) {
    await cli.addRun(status);
    const waiting = cli.coxswain('cancel', status, '--wait');
    while (cli.engine.workflows.get(status)?.received.length === 0) await sleep(2);
    await cli.finishRun(status, status);
    const { code, output } = await waiting;
    assert.equal(code, expected);
    assert.match(output, new RegExp(`is ${status}`));
  }
  assert.equal((await cli.coxswain('cancel', 'completed')).code, 2);
});

test('models lists the models and shows one with its versions', async () => {
  assert.match((await cli.coxswain('models')).output, /No models yet/);
  const artifact = { sha256: 'a'.repeat(64), bytes: 3 };
  const lineage = {
    runId: 'r1',
    recordingSha256: 'b',
    gitSha: null,
    specSha256: 'c',
    seed: 7,
    step: 1,
    weightsSha256: 'd',
    versions: {},
  };
  const gate = { passed: true, reasons: ['better by far'] };
  await cli.store.models.registerVersion({
    model: 'scaler',
    policy: artifact,
    metadata: artifact,
    lineage,
    gate,
    at: new Date(),
  });
  await cli.store.models.moveAlias({
    model: 'scaler',
    alias: 'champion',
    expected: null,
    to: 1,
    runId: 'r1',
    at: new Date(),
  });
  assert.match((await cli.coxswain('models')).output, /scaler +1 versions +champion → 1/);
  assert.match(
    (await cli.coxswain('models', 'scaler')).output,
    /version 1 \(champion\) .*gate passed\n {2}run r1, seed 7/,
  );
  assert.equal(JSON.parse((await cli.coxswain('models', 'scaler', '--json')).output).versions[0].version, 1);
});

test('help and version go to standard output with 0', async () => {
  const help = await cli.coxswain('--help');
  assert.equal(help.code, 0);
  for (const word of ['up', 'run', 'status', 'list', 'cancel', 'pause', 'resume', 'models', 'Exit codes', 'Examples']) {
    assert.ok(help.output.includes(word), word);
  }
  const version = await cli.coxswain('--version');
  assert.equal(version.code, 0);
  assert.match(version.output, /^\d+\.\d+\.\d+/);
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { parseDeploymentSpec } from '../../../src/spec/deployment-spec.ts';
import { someDecision, someDeployment, someSummary } from '../../contracts/control-fixtures.ts';
import { moment } from '../../contracts/store-fixtures.ts';
import { createCliFixture } from './cli-fixture.ts';
import type { CliFixture } from './cli-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-cli-'));
const file = join(folder, 'shop.yaml');
const yaml = 'version: 1\nname: shop\nmodel: { name: boutique }\ntarget: { namespace: shop }\n';
writeFileSync(file, yaml);
after(() => rmSync(folder, { recursive: true }));

let cli: CliFixture;
beforeEach(() => (cli = createCliFixture()));

/** The spec that the loop was started with. */
const specOf = (name: string) =>
  (cli.control.loops.get(name)?.input as { spec: ReturnType<typeof parseDeploymentSpec> }).spec;

/** Plays the loop's opening once it is started. */
async function playOpening(name = 'shop', temporary: readonly string[] = []): Promise<void> {
  while (!cli.control.loops.has(name)) await sleep(2);
  const { spec } = cli.control.loops.get(name)!.input as { spec: ReturnType<typeof parseDeploymentSpec> };
  const record = someDeployment(name, [`${name}-web`, `${name}-cart`, ...temporary]);
  const services = record.services.map((one) => ({ ...one, comesAndGoes: temporary.includes(one.service) }));
  await cli.store.control.openDeployment({ ...record, services, spec });
  const loop = cli.control.loops.get(name)!;
  loop.status = { ...loop.status, status: 'running', mode: spec.mode };
}

async function deployed(...more: string[]): Promise<void> {
  const [{ code, errors }] = await Promise.all([cli.coxswain('deploy', file, ...more), playOpening()]);
  assert.deepEqual([code, errors], [0, '']);
}

test('deploy opens what a file, standard input or the bundled name says, and waits until it runs', async () => {
  const [{ code, output }] = await Promise.all([cli.coxswain('deploy', file), playOpening()]);
  assert.equal(code, 0);
  assert.match(output, /^Opening deployment shop\nshop {2}running\n/);
  assert.match(output, /model +online-boutique version 3\n +steers +2 workloads in shop, every 15 s/);
  cli.input = yaml;
  assert.match((await cli.coxswain('deploy', '-')).output, /^Running already: deployment shop\n/);
  await Promise.all([cli.coxswain('deploy', 'online-boutique'), playOpening('online-boutique')]);
  assert.equal(specOf('online-boutique').target.namespace, 'online-boutique');
  assert.equal(cli.open, 0);
});

test('of the workloads it says how many come and go', async () => {
  const [{ output }] = await Promise.all([cli.coxswain('deploy', file), playOpening('shop', ['reviews'])]);
  assert.match(output, /steers +3 workloads \(1 of them come and go\) in shop/);
});

test('deploy changes values of the spec, the mode last', async () => {
  await deployed('--set', 'owners=pause', '--set', 'mode=shadow', '--mode', 'live');
  assert.deepEqual([specOf('shop').owners, specOf('shop').mode], ['pause', 'live']);
});

test('deploy says what could not be opened, with exit code 1', async () => {
  const opening = cli.coxswain('deploy', file, '--json');
  while (!cli.control.loops.has('shop')) await sleep(2);
  cli.control.end('shop', 'failed', 'shop/cart is scaled by HorizontalPodAutoscaler cart.');
  const { code, output } = await opening;
  const { name, created, status, failure } = JSON.parse(output) as Record<string, unknown>;
  assert.deepEqual([code, name, created, status], [1, 'shop', true, 'failed']);
  assert.match(String(failure), /scaled by HorizontalPodAutoscaler/);
});

test('deploy refuses bad specs before it connects, and another spec under a name that runs', async () => {
  const { code, errors } = await cli.coxswain('deploy', file, '--set', 'guard.limits.maxStepUpp=3');
  assert.equal(code, 2);
  assert.match(errors, /SPEC_INVALID: guard\.limits\.maxStepUpp: .*nearest valid name: maxStepUp/);
  assert.equal((await cli.coxswain('deploy', join(folder, 'missing.yaml'))).code, 2);
  assert.equal((await cli.coxswain('deploy', file, '--mode', 'canary')).code, 2);
  assert.equal(cli.control.loops.size, 0);
  await deployed();
  const other = await cli.coxswain('deploy', file, '--mode', 'live');
  assert.equal(other.code, 2);
  assert.match(other.errors, /DEPLOYMENT_CONFLICT/);
});

test('deployments lists all of them, or shows one; exit code 1 for one that failed', async () => {
  assert.match((await cli.coxswain('deployments')).output, /^No deployments/);
  await deployed('--mode', 'live');
  const loop = cli.control.loops.get('shop')!;
  const fallback = { reason: 'error-budget', detail: '7.10 % of the requests', sinceStep: 41, at: '' } as const;
  const last = { ...someSummary('shop', 56), notes: ['shop/cart: failed: \u001B[31mno'] };
  loop.status = { ...loop.status, step: 57, fallback, last, failedSteps: 2 };
  const list = await cli.coxswain('deployments');
  assert.match(
    list.output,
    /DEPLOYMENT +STATUS +MODE +STEP +ACTS +MODEL\nshop +running +live +57 +fallback +online-bo/,
  );
  const { output } = await cli.coxswain('deployments', 'shop');
  assert.match(output, /acts +the fallback since step 41 \(error-budget\): 7\.10 %/);
  assert.match(
    output,
    /last step +56 at 2026-01-05 12:14:00: policy, 1 changed, 0 guarded\n +shop\/cart: failed: +\[31mno/,
  );
  assert.match(output, /2 steps failed as a whole/);
  assert.equal(JSON.parse((await cli.coxswain('deployments', '--json')).output).deployments[0].loop.step, 57);
  assert.equal(JSON.parse((await cli.coxswain('deployments', 'shop', '--json')).output).record.spec.name, 'shop');
  cli.control.end('shop', 'terminated');
  const lost = await cli.coxswain('deployments', 'shop');
  assert.equal(lost.code, 1);
  assert.match(lost.output, /shop {2}lost\n +failure +The loop's workflow is terminated/);
  assert.equal((await cli.coxswain('deployments', 'other')).code, 2);
});

test('control steers a deployment and says how it stands then', async () => {
  await deployed();
  const control = async (...args: string[]) => (await cli.coxswain('control', ...args)).output;
  assert.equal(await control('mode', 'shop', 'live'), 'Deployment shop is running in mode live; the policy acts.\n');
  assert.equal(await control('pause', 'shop'), 'Deployment shop is paused in mode live; nobody acts.\n');
  assert.match(await control('resume', 'shop'), /is running/);
  assert.match(await control('fallback', 'shop', 'checkout', 'is', 'slow'), /the fallback acts \(requested\)/);
  assert.equal(JSON.parse(await control('resume', 'shop', '--json')).requested, 'resume');
  assert.deepEqual(
    cli.control.changes.map(({ change }) => change),
    [
      { kind: 'mode', mode: 'live' },
      { kind: 'pause' },
      { kind: 'resume' },
      { kind: 'fallback', reason: 'checkout is slow' },
      { kind: 'resume' },
    ],
  );
  assert.equal((await cli.coxswain('control', 'mode', 'shop', 'canary')).code, 2);
  assert.equal((await cli.coxswain('control', 'pause', 'other')).code, 2);
});

test('control stop --wait is done when the deployment is closed', async () => {
  await deployed();
  const stopping = cli.coxswain('control', 'stop', 'shop', '--wait');
  while (cli.control.changes.length === 0) await sleep(2);
  await cli.store.control.closeDeployment('shop', { status: 'stopped', failure: null, at: new Date() });
  cli.control.end('shop', 'completed');
  assert.deepEqual(await stopping, { code: 0, output: 'Deployment shop is stopped.\n', errors: '' });
  assert.equal((await cli.coxswain('control', 'stop', 'shop')).output, 'Deployment shop is stopped.\n');
  assert.match((await cli.coxswain('control', 'resume', 'shop')).errors, /DEPLOYMENT_NOT_RUNNING/);
});

test('decisions shows what was wanted, permitted and done, and why not', async () => {
  await deployed();
  assert.equal((await cli.coxswain('decisions', 'shop')).output, 'No decisions yet.\n');
  for (const step of [0, 1, 2]) await cli.store.control.writeDecision(decision(step));
  const result = [{ workload: 'shop/frontend', outcome: 'failed', replicas: null, detail: 'no quota' }] as const;
  await cli.store.control.completeDecision('shop', 2, { result, summary: someSummary('shop', 2) });
  const { output } = await cli.coxswain('decisions', 'shop', '--last', '2');
  const [head, first] = output.split('\n');
  assert.match(head!, /STEP +TIME \(UTC\) +ACTS +REPLICAS/);
  assert.match(first!, /^ +1 {2}2026-01-05 12:00:15 {2}policy +frontend 3 → 4 \(6 wanted: step-size, 1 at once/);
  assert.match(output.replace(/\n +/g, ' '), / 2 {2}2026-01-05 12:00:30 .*are allowed\) failed: no quota/);
  assert.match(output, /! shop\/cart is not there/);
  const json = (await cli.coxswain('decisions', 'shop', '--after', '0', '--json')).output.trim().split('\n');
  assert.deepEqual(
    json.map((line) => (JSON.parse(line) as { step: number }).step),
    [1, 2],
  );
  for (const bad of ['0', '1001', 'x']) assert.equal((await cli.coxswain('decisions', 'shop', '--last', bad)).code, 2);
});

test('decisions of a shadow deployment are in brackets, steps without a change say so', async () => {
  await deployed();
  const quiet = { ...decision(0), mode: 'shadow', guarded: [], problems: [] } as const;
  await cli.store.control.writeDecision(quiet);
  assert.match((await cli.coxswain('decisions', 'shop')).output, /\(policy\) +no change\n$/);
});

test('events are shown newest first, alerts marked', async () => {
  await deployed();
  assert.equal((await cli.coxswain('events', 'shop')).output, 'No events.\n');
  const event = { deployment: 'shop', kind: 'opened', alert: false, message: 'Opened.' } as const;
  await cli.store.control.addEvent({ ...event, step: 0, at: moment(0) });
  await cli.store.control.addEvent({ ...event, kind: 'fallback', step: 7, at: moment(105), alert: true });
  const lines = (await cli.coxswain('events', 'shop')).output.split('\n');
  assert.match(lines[0]!, /^! 2026-01-05 12:01:45 {2}step +7 {2}fallback +Opened\.$/);
  assert.match(lines[1]!, /^ {2}2026-01-05 12:00:00 {2}step +0 {2}opened/);
  assert.equal(JSON.parse((await cli.coxswain('events', 'shop', '--json')).output).events.length, 2);
});

test('replay says how many steps were computed again; a difference is exit code 1', async () => {
  const asked: unknown[] = [];
  cli.replay = async (name, { from, to }) => {
    asked.push([name, from, to]);
    return { steps: 240, policyAnswers: 236 };
  };
  const { code, output } = await cli.coxswain('replay', 'shop', '--from', '3', '--to', '242');
  assert.deepEqual([code, asked], [0, [['shop', 3, 242]]]);
  assert.match(output, /Computed 240 steps of shop again, 236 of them with an answer.*bit for bit/);
  assert.deepEqual(JSON.parse((await cli.coxswain('replay', 'shop', '--json')).output), {
    name: 'shop',
    steps: 240,
    policyAnswers: 236,
  });
  cli.replay = () => Promise.reject(new CoxswainError('REPLAY_DIFFERS', 'Step 7 differs in policy.'));
  const differs = await cli.coxswain('replay', 'shop');
  assert.deepEqual([differs.code, differs.errors], [1, 'coxswain: REPLAY_DIFFERS: Step 7 differs in policy.\n']);
});

test('each command of deployments has examples in its help', async () => {
  for (const command of ['deploy', 'control', 'decisions', 'replay']) {
    assert.match((await cli.coxswain(command, '--help')).output, /Examples:\n +\$ coxswain /, command);
  }
});

/** A decision with one change that the guard cut. */
function decision(step: number) {
  const reasons = [{ reason: 'step-size', detail: '1 at once are allowed' }];
  return {
    ...someDecision('shop', step),
    problems: ['shop/cart is not there'],
    guarded: [
      { workload: 'shop/frontend', before: 3, proposed: 6, permitted: 4, reasons },
      { workload: 'shop/quiet', before: 2, proposed: 2, permitted: 2, reasons: [] },
    ],
  };
}

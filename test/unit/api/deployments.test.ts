import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { someDecision, someDeployment, somePlacement, someSummary } from '../../contracts/control-fixtures.ts';
import { startApiFixture } from './api-fixture.ts';
import type { ApiFixture } from './api-fixture.ts';

const spec = { version: 1, name: 'shop', model: { name: 'boutique' }, target: { namespace: 'shop' } };
const path = '/api/v1/deployments';

let api: ApiFixture;
before(async () => {
  api = await startApiFixture();
  await api.store.control.openDeployment(someDeployment('going', ['going']));
  api.control.startBare('going', { spec: someDeployment('going', ['going']).spec });
  const loop = api.control.loops.get('going')!;
  loop.status = { ...loop.status, status: 'running' };
});
after(() => api.close());

async function bodyOf(response: Response, status = 200): Promise<Record<string, never>> {
  assert.equal(response.status, status);
  return (await response.json()) as Record<string, never>;
}

test('a deployment is opened from JSON and from YAML, once', async () => {
  const first = await api.post(path, spec);
  assert.deepEqual([first.status, first.headers.get('location')], [202, `${path}/shop`]);
  const yaml = 'version: 1\nname: shop\nmodel: { name: boutique }\ntarget: { namespace: shop }\n';
  const second = await bodyOf(await api.post(path, yaml, { 'Content-Type': 'application/yaml' }), 202);
  const { created, specSha256 } = (await first.json()) as Record<string, unknown>;
  assert.deepEqual([created, second.created, second.specSha256], [true, false, specSha256]);
  const conflict = await bodyOf(await api.post(path, { ...spec, mode: 'live' }), 409);
  assert.equal(conflict.code, 'DEPLOYMENT_CONFLICT');
});

test('a bad spec is a problem with a line for each broken rule', async () => {
  const problem = await bodyOf(await api.post(path, { ...spec, guard: { limits: { maxStepUpp: 1 } } }), 400);
  assert.equal(problem.code, 'SPEC_INVALID');
  assert.match(problem.detail, /guard\.limits\.maxStepUpp: .*nearest valid name: maxStepUp/);
});

test('a deployment is steered, and answers with its status', async () => {
  const mode = await bodyOf(await api.post(`${path}/going/mode`, { mode: 'live' }));
  assert.equal(mode.mode, 'live');
  assert.equal((await bodyOf(await api.post(`${path}/going/pause`))).paused, true);
  assert.equal((await bodyOf(await api.post(`${path}/going/resume`))).paused, false);
  const fallback = await bodyOf(await api.post(`${path}/going/fallback`, { reason: 'it flaps' }));
  assert.deepEqual(api.control.changes.at(-1)?.change, { kind: 'fallback', reason: 'it flaps' });
  assert.notEqual(fallback.fallback, null);
  for (const body of [{}, { mode: 'canary' }, { mode: 'live', more: 1 }]) {
    assert.equal((await bodyOf(await api.post(`${path}/going/mode`, body), 400)).code, 'REQUEST_INVALID');
  }
  assert.equal((await bodyOf(await api.post(`${path}/nobody/pause`), 404)).code, 'DEPLOYMENT_NOT_FOUND');
});

test('decisions are read in pages that lead to each other, or from the end', async () => {
  for (let step = 0; step < 5; step++) await api.store.control.writeDecision(someDecision('going', step));
  await api.store.control.completeDecision('going', 4, { result: [], summary: someSummary('going', 4) });
  await api.store.control.writeDecision({ ...someDecision('going', 5), placement: somePlacement });
  const placementResult = [{ workload: 'shop/web', kind: 'move', pod: 'web-a', outcome: 'gone', detail: 'x' }] as const;
  const placing = { result: [], placementResult, summary: { ...someSummary('going', 5), placed: 0 } };
  await api.store.control.completeDecision('going', 5, placing);
  const steps: number[] = [];
  for (let next: string | null = `${path}/going/decisions?limit=2`; next !== null;) {
    const page = (await bodyOf(await api.get(next))) as unknown as { decisions: { step: number }[]; next: string };
    steps.push(...page.decisions.map(({ step }) => step));
    next = page.next;
  }
  assert.deepEqual(steps, [0, 1, 2, 3, 4, 5]);
  const last = (await bodyOf(await api.get(`${path}/going/decisions?last=2`))) as unknown as {
    decisions: { step: number; summary: { placed?: number }; placement: unknown; placementResult: unknown }[];
  };
  assert.deepEqual([last.decisions.length, last.decisions[0]!.step], [2, 4]);
  assert.equal('state' in last.decisions[0]!.summary, false);
  assert.deepEqual(
    last.decisions.map((one) => [one.placement, one.placementResult, one.summary.placed]),
    [
      [null, null, undefined],
      [somePlacement, placementResult, 0],
    ],
  );
});

test('a token is asked for where there is one', async () => {
  const guarded = await startApiFixture({ token: 'a-token-of-the-api' });
  try {
    for (const response of [await guarded.get(path), await guarded.post(`${path}/going/stop`)]) {
      assert.equal(response.status, 401);
    }
  } finally {
    await guarded.close();
  }
});

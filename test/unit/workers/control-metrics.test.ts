import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { addControlMetrics } from '../../../workers/control-metrics.ts';
import type { ControlRecords } from '../../../workers/control-metrics.ts';

type Records = { [Name in keyof ControlRecords]: Awaited<ReturnType<ControlRecords[Name]>> };

/** Of deployments that share their steps and events. */
function recordsOf(given: Partial<Records> & Pick<Records, 'listDeployments'>): ControlRecords {
  return {
    listDeployments: async () => given.listDeployments,
    latestDecision: async () => given.latestDecision ?? null,
    listEvents: async () => given.listEvents ?? [],
  };
}

function deployment(name: string, status: 'running' | 'stopped'): Records['listDeployments'][number] {
  const spec = { intervalSeconds: 15 } as Records['listDeployments'][number]['spec'];
  return { name, status, spec, openedAt: new Date(1_600_000_000_000) };
}

function step(seconds: number, fallback: object | null): NonNullable<Records['latestDecision']> {
  const next = { fallback } as NonNullable<Records['latestDecision']>['next'];
  return { at: new Date(seconds * 1000), next };
}

async function seriesOf(records: ControlRecords): Promise<string[]> {
  const registry = new Registry();
  addControlMetrics(registry, records);
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('a running loop tells its last step, its interval and who steers; a stopped one tells nothing', async () => {
  const listDeployments = [deployment('shop', 'running'), deployment('bank', 'stopped')];
  const fallback = { reason: 'requested' };
  assert.deepEqual(await seriesOf(recordsOf({ listDeployments, latestDecision: step(1_700_000_000, fallback) })), [
    'coxswain_control_fallback{deployment="shop"} 1',
    'coxswain_control_step_timestamp_seconds{deployment="shop"} 1700000000',
    'coxswain_control_interval_seconds{deployment="shop"} 15',
    'coxswain_control_paused{deployment="shop"} 0',
  ]);
});

test('a loop is paused from the pause to the next resume, whatever else happened', async () => {
  const listDeployments = [deployment('shop', 'running')];
  const latestDecision = step(1, null);
  for (const [kinds, paused] of [
    [['fallback', 'paused', 'resumed', 'opened'], 1],
    [['mode', 'resumed', 'paused', 'opened'], 0],
  ] as const) {
    const listEvents = kinds.map((kind) => ({ kind }));
    const series = await seriesOf(recordsOf({ listDeployments, latestDecision, listEvents }));
    assert.ok(series.includes(`coxswain_control_paused{deployment="shop"} ${paused}`), kinds.join());
    assert.ok(series.includes('coxswain_control_fallback{deployment="shop"} 0'));
  }
});

test('a loop is as late as it has been open before its first step, also when it was opened again', async () => {
  const listDeployments = [deployment('shop', 'running')];
  const opened = 'coxswain_control_step_timestamp_seconds{deployment="shop"} 1600000000';
  const again = await seriesOf(recordsOf({ listDeployments, latestDecision: step(1_500_000_000, null) }));
  assert.ok(again.includes(opened));
  assert.deepEqual(await seriesOf(recordsOf({ listDeployments })), [
    opened,
    'coxswain_control_interval_seconds{deployment="shop"} 15',
    'coxswain_control_paused{deployment="shop"} 0',
  ]);
});

test('while the store does not answer the series are absent, and the others are still told', async () => {
  const records: ControlRecords = {
    ...recordsOf({ listDeployments: [] }),
    listDeployments: () => Promise.reject(new Error('gone')),
  };
  assert.deepEqual(await seriesOf(records), []);
});

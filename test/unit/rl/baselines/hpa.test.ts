import assert from 'node:assert/strict';
import test from 'node:test';
import type { ClusterView } from '../../../../src/rl/baselines/controller.ts';
import { createHpa } from '../../../../src/rl/baselines/hpa.ts';
import type { Hpa } from '../../../../src/rl/baselines/hpa.ts';
import { clusterOf } from './cluster-view.ts';

const decide = (hpa: Hpa, view: ClusterView): number => {
  const desired = new Int32Array(1);
  hpa.decide(view, desired);
  return desired[0];
};

const rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'max',
  policies: [{ kind: 'percent', value: 100, periodSeconds: 15 }],
} as const;

test('it scales up at once', () => {
  assert.equal(decide(createHpa({ targetPercent: 50 }), clusterOf({ desired: 10, percent: 75 })), 15);
});

test('one sync adds at most 4 pods or doubles, whichever is more', () => {
  const hot = (desired: number): ClusterView => clusterOf({ desired, percent: 1000 });
  assert.equal(decide(createHpa({ targetPercent: 50 }), hot(1)), 5);
  assert.equal(decide(createHpa({ targetPercent: 50 }), hot(4)), 8);
  assert.equal(decide(createHpa({ targetPercent: 50 }), hot(6)), 12);
});

test('it stays within minimum and maximum', () => {
  assert.equal(decide(createHpa({ targetPercent: 50 }), clusterOf({ desired: 10, percent: 100, max: 12 })), 12);
  const hpa = createHpa({ targetPercent: 50, scaleDown: rules });
  assert.equal(decide(hpa, clusterOf({ desired: 10, percent: 10, min: 6 })), 6);
});

test('replicas outside of the limits are brought back whatever the usage', () => {
  assert.equal(decide(createHpa({ targetPercent: 50 }), clusterOf({ desired: 20, percent: 50, max: 12 })), 12);
  assert.equal(decide(createHpa({ targetPercent: 50 }), clusterOf({ desired: 2, percent: 50, min: 3 })), 3);
});

test('it scales down only to the highest recommendation of the last 300 s', () => {
  const hpa = createHpa({ targetPercent: 50 });
  const at = (atSeconds: number, percent: number): number =>
    decide(hpa, clusterOf({ desired: 10, percent, atSeconds }));
  assert.equal(at(0, 30), 10, 'wants 6, but the 10 replicas found at the first sync count');
  assert.equal(at(15, 40), 10, 'wants 8');
  assert.equal(at(285, 20), 10, 'wants 4');
  assert.equal(at(300, 20), 8, 'what was recommended 300 s ago no longer counts, the 8 of second 15 do');
  assert.equal(at(315, 20), 4, 'now the 4 of second 285 are the highest');
});

test('a scale-up window holds back to the lowest recommendation in it', () => {
  const hpa = createHpa({ targetPercent: 50, scaleUp: { ...rules, stabilizationWindowSeconds: 60 } });
  const at = (atSeconds: number, percent: number): number =>
    decide(hpa, clusterOf({ desired: 10, percent, atSeconds }));
  assert.equal(at(0, 100), 10, 'wants 20, but found 10');
  assert.equal(at(15, 75), 10);
  assert.equal(at(60, 100), 15, 'the lowest of the last 60 s is the 15 of second 15');
  assert.equal(at(75, 100), 20);
});

test('a pods policy bounds the change within its period, counting what was changed in it', () => {
  const policies = [{ kind: 'pods', value: 2, periodSeconds: 60 }] as const;
  const hpa = createHpa({ targetPercent: 50, scaleUp: { ...rules, policies } });
  assert.equal(decide(hpa, clusterOf({ desired: 10, percent: 100, atSeconds: 0 })), 12);
  assert.equal(decide(hpa, clusterOf({ desired: 12, percent: 100, atSeconds: 45 })), 12);
  assert.equal(decide(hpa, clusterOf({ desired: 12, percent: 100, atSeconds: 60 })), 14);
});

test('a percent policy rounds up on the way up and keeps the rest on the way down', () => {
  const policies = [{ kind: 'percent', value: 10, periodSeconds: 15 }] as const;
  const hpa = createHpa({ targetPercent: 50, scaleUp: { ...rules, policies }, scaleDown: { ...rules, policies } });
  assert.equal(decide(hpa, clusterOf({ desired: 11, percent: 100, atSeconds: 0 })), 13); // ceil(11 · 1.1)
  hpa.reset();
  assert.equal(decide(hpa, clusterOf({ desired: 11, percent: 1, atSeconds: 0 })), 9); // trunc(11 · 0.9)
});

test('select policy min takes the smaller change, disabled none', () => {
  const policies = [
    { kind: 'pods', value: 4, periodSeconds: 15 },
    { kind: 'percent', value: 100, periodSeconds: 15 },
  ] as const;
  const view = clusterOf({ desired: 2, percent: 1000 });
  assert.equal(decide(createHpa({ targetPercent: 50, scaleUp: { ...rules, selectPolicy: 'min', policies } }), view), 4);
  const disabled = createHpa({ targetPercent: 50, scaleUp: { ...rules, selectPolicy: 'disabled', policies } });
  assert.equal(decide(disabled, view), 2);
});

test('after reset it remembers nothing', () => {
  const hpa = createHpa({ targetPercent: 50 });
  decide(hpa, clusterOf({ desired: 20, percent: 50 }));
  hpa.reset();
  assert.equal(decide(hpa, clusterOf({ desired: 10, percent: 25, atSeconds: 1000 })), 10);
  assert.equal(decide(hpa, clusterOf({ desired: 10, percent: 25, atSeconds: 1300 })), 5);
});

test('a saved state goes on where it was', () => {
  const hpa = createHpa({ targetPercent: 50 });
  decide(hpa, clusterOf({ desired: 10, percent: 40, atSeconds: 0 }));
  const copy = createHpa({ targetPercent: 50 });
  copy.loadState(JSON.parse(JSON.stringify(hpa.saveState())));
  decide(hpa, clusterOf({ desired: 10, percent: 20, atSeconds: 15 }));
  assert.equal(decide(copy, clusterOf({ desired: 10, percent: 20, atSeconds: 300 })), 4);
  assert.equal(decide(hpa, clusterOf({ desired: 10, percent: 20, atSeconds: 300 })), 4);
});

test('settings that Kubernetes would refuse are refused', () => {
  assert.throws(() => createHpa({ targetPercent: 0 }), { code: 'CONFIG_INVALID' });
  assert.throws(() => createHpa({ targetPercent: 50, tolerance: 1 }), /tolerance/);
  assert.throws(() => createHpa({ targetPercent: 50, scaleUp: { ...rules, policies: [] } }), /scaleUp\.policies/);
  assert.throws(
    () => createHpa({ targetPercent: 50, scaleDown: { ...rules, stabilizationWindowSeconds: 4000 } }),
    /scaleDown\.stabilizationWindowSeconds/,
  );
});

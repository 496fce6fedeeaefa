import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selects } from '../../../../src/cluster/kubernetes/label-selector.ts';

const labels = { app: 'cart', tier: 'backend' };

test('labels and expressions must all hold', () => {
  const holds = (key: string, operator: string, ...values: string[]) =>
    selects({ matchLabels: { app: 'cart' }, matchExpressions: [{ key, operator, values }] }, labels);
  assert.ok(holds('tier', 'In', 'backend', 'frontend'));
  assert.ok(!holds('tier', 'In', 'frontend'));
  assert.ok(!holds('zone', 'In', 'a'));
  assert.ok(holds('zone', 'NotIn', 'a'));
  assert.ok(!holds('tier', 'NotIn', 'backend'));
  assert.ok(holds('tier', 'Exists'));
  assert.ok(!holds('zone', 'Exists'));
  assert.ok(holds('zone', 'DoesNotExist'));
  assert.ok(!holds('tier', 'DoesNotExist'));
  assert.ok(!selects({ matchLabels: { app: 'web' } }, labels));
  assert.ok(!selects({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, labels));
});

test('an empty selector fits everything, a missing one nothing, an unknown operator everything', () => {
  assert.ok(selects({}, labels));
  assert.ok(selects({}, {}));
  assert.ok(!selects(null, labels));
  assert.ok(!selects(undefined, labels));
  assert.ok(selects({ matchExpressions: [{ key: 'app', operator: 'Resembles', values: ['x'] }] }, labels));
});

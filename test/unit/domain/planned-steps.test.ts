import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunSpec } from '../../../src/contracts/run-spec.ts';
import { plannedSteps } from '../../../src/domain/planned-steps.ts';
import { initialProgress, withPlan, withStep } from '../../../src/domain/run-progress.ts';
import { parseRunSpec } from '../../../src/spec/run-spec.ts';

const spec = parseRunSpec({ version: 1, name: 'plain' });
const deploying = { ...spec, deploy: { name: 'shop' } } as unknown as RunSpec;

test('a run has the steps that its spec asks for, in order', () => {
  assert.deepEqual(plannedSteps(spec), ['validate', 'collect', 'train', 'evaluate', 'register']);
  assert.deepEqual(plannedSteps(null), plannedSteps(spec));
  assert.deepEqual(plannedSteps(deploying), [...plannedSteps(spec), 'deploy']);
  const fitting = parseRunSpec({ version: 1, name: 'fitted', environment: { name: 'twin' } });
  assert.deepEqual(plannedSteps(fitting), ['validate', 'collect', 'fit', 'train', 'evaluate', 'register']);
});

test('a progress takes the plan over when it is known, and is whole when all of its steps are', () => {
  const validated = withPlan(withStep(initialProgress(), 'validate', 'completed', 'ok'), deploying);
  assert.equal(validated.steps[0].summary, 'ok');
  const done = plannedSteps(deploying).reduce((at, step) => withStep(at, step, 'completed', ''), validated);
  assert.equal(done.steps.length, 6);
  assert.ok(Math.abs(done.fraction - 1) < 1e-12);
});

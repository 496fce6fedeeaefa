import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import type { DeploymentSpec } from '../../src/contracts/control.ts';
import { parseDeploymentSpec } from '../../src/spec/deployment-spec.ts';
import type { deploymentSpecSchema } from '../../src/spec/deployment-spec.ts';

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;
/** True only for types that are the same, also in what is optional, nullable and readonly. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Output = DeepReadonly<z.output<typeof deploymentSpecSchema>>;
type Contract = DeepReadonly<DeploymentSpec>;

/** Compiles only while the schema's output and the contract are the same, field by field. */
const equal: { readonly [Field in keyof Contract | keyof Output]: true } = {
  version: true satisfies Same<Output['version'], Contract['version']>,
  name: true satisfies Same<Output['name'], Contract['name']>,
  description: true satisfies Same<Output['description'], Contract['description']>,
  model: true satisfies Same<Output['model'], Contract['model']>,
  target: true satisfies Same<Output['target'], Contract['target']>,
  mode: true satisfies Same<Output['mode'], Contract['mode']>,
  intervalSeconds: true satisfies Same<Output['intervalSeconds'], Contract['intervalSeconds']>,
  metrics: true satisfies Same<Output['metrics'], Contract['metrics']>,
  guard: true satisfies Same<Output['guard'], Contract['guard']>,
  owners: true satisfies Same<Output['owners'], Contract['owners']>,
  fallback: true satisfies Same<Output['fallback'], Contract['fallback']>,
  placement: true satisfies Same<Output['placement'], Contract['placement']>,
};

test('the schema of a deployment and its contract have the same fields', () => {
  const spec = { version: 1, name: 'x', model: { name: 'm' }, target: { namespace: 'n' } };
  assert.deepEqual(Object.keys(parseDeploymentSpec(spec)).sort(), Object.keys(equal).sort());
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import { parseRunSpec } from '../../src/spec/run-spec.ts';
import type { runSpecSchema } from '../../src/spec/run-spec.ts';

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;
/** True only for types that are the same, also in what is optional, nullable and readonly. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** The same but for a record of JSON values, a recursive type that both sides spell in their own way. */
type SameNaming<A, B, Free extends keyof A & keyof B> =
  Same<DeepReadonly<Omit<A, Free>>, Omit<B, Free>> extends true ? (A[Free] extends B[Free] ? true : false) : false;
type Output = z.output<typeof runSpecSchema>;
type Expanded = DeepReadonly<Omit<Output, 'environment' | 'agent'>>;

/** Compiles only while the schema's output and the contract are the same, field by field. */
const equal: { readonly [Field in keyof RunSpec | keyof Output]: true } = {
  version: true satisfies Same<Expanded['version'], RunSpec['version']>,
  name: true satisfies Same<Expanded['name'], RunSpec['name']>,
  description: true satisfies Same<Expanded['description'], RunSpec['description']>,
  gitSha: true satisfies Same<Expanded['gitSha'], RunSpec['gitSha']>,
  device: true satisfies Same<Expanded['device'], RunSpec['device']>,
  collect: true satisfies Same<Expanded['collect'], DeepReadonly<RunSpec['collect']>>,
  fit: true satisfies Same<Expanded['fit'], DeepReadonly<RunSpec['fit']>>,
  environment: true satisfies SameNaming<Output['environment'], RunSpec['environment'], 'parameters'>,
  agent: true satisfies SameNaming<Output['agent'], RunSpec['agent'], 'hyperparameters'>,
  train: true satisfies Same<Expanded['train'], DeepReadonly<RunSpec['train']>>,
  evaluate: true satisfies Same<Expanded['evaluate'], DeepReadonly<RunSpec['evaluate']>>,
  register: true satisfies Same<Expanded['register'], DeepReadonly<RunSpec['register']>>,
  deploy: true satisfies Same<Expanded['deploy'], DeepReadonly<RunSpec['deploy']>>,
  tracking: true satisfies Same<Expanded['tracking'], DeepReadonly<RunSpec['tracking']>>,
};

test('the schema and the contract have the same fields', () => {
  assert.deepEqual(Object.keys(parseRunSpec({ version: 1, name: 'x' })).sort(), Object.keys(equal).sort());
});

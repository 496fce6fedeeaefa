import { pathToFileURL } from 'node:url';
import { CoxswainError } from '../../contracts/errors.ts';
import type { EnvironmentKind } from '../environments/registry.ts';

/**
 * The environment that a module exports by default: `{ name, summary, parameters?, create, baselines?, acceptedFindings? }`.
 * @param path absolute path of a .mjs, .js, .ts or .mts file
 * @throws CoxswainError ENVIRONMENT_INVALID when the file cannot be loaded or exports something else.
 */
export async function loadEnvironmentKind(path: string): Promise<EnvironmentKind> {
  const exported = await import(pathToFileURL(path).href).then(
    (module: { readonly default?: unknown }) => module.default,
    (cause: unknown) => {
      throw invalid(path, `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`);
    },
  );
  if (!isKind(exported)) {
    throw invalid(path, 'must export an environment by default: { name, summary, create(parameters) }');
  }
  return { ...exported, parameters: exported.parameters ?? {} };
}

function isKind(value: unknown): value is EnvironmentKind {
  const { name, summary, create } = (value ?? {}) as Partial<Record<keyof EnvironmentKind, unknown>>;
  return typeof name === 'string' && typeof summary === 'string' && typeof create === 'function';
}

function invalid(path: string, what: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `${path} ${what}.`);
}

import { extname } from 'node:path';

import { CoxswainError } from '../../contracts/errors.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import type { EnvironmentRecipe } from '../algorithm.ts';
import type { Environment } from '../environment.ts';
import { environments } from './index.ts';

/** An environment of ours by its name, with parameters that differ from its defaults. */
export interface NamedEnvironment {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/**
 * Makes an environment of ours.
 * @throws CoxswainError ENVIRONMENT_INVALID when the name (the nearest is told) or a parameter is unknown or out of range.
 */
export function createEnvironment({ name, parameters = {} }: NamedEnvironment): Environment {
  if (Object.hasOwn(environments, name)) return environments[name].create(parameters);
  const names = Object.keys(environments);
  const nearest = nearestName(name, names);
  const hint = nearest ? `nearest: ${nearest}; ` : '';
  throw new CoxswainError('ENVIRONMENT_INVALID', `environment: found "${name}"; ${hint}allowed: ${names.join(', ')}`);
}

/** How another process makes the same environment: what `createTraining` needs for algorithms with actor processes. */
export function environmentRecipe(environment: NamedEnvironment): EnvironmentRecipe {
  // With this file's own extension: .ts in the project, .js in the package.
  const module = new URL(`./environment-recipe${extname(import.meta.url)}`, import.meta.url).href;
  return { module, factory: createEnvironment.name, options: environment };
}

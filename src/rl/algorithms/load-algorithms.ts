import { pathToFileURL } from 'node:url';

import { CoxswainError } from '../../contracts/errors.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { Algorithm, AlgorithmDefinition } from '../algorithm.ts';
import type { HyperparameterTable } from '../hyperparameters.ts';
import { algorithms } from './index.ts';

const spaceKinds = ['box', 'discrete', 'multi-discrete'];
const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * The algorithms of this version and those of the modules, by name. A module's default export is an
 * {@link AlgorithmDefinition}, a plain object, so that a file outside of this project needs to import nothing.
 * @param paths absolute paths; they come from a worker's configuration, never from a spec.
 * @throws CoxswainError ALGORITHM_INVALID naming the module and what is wrong with it.
 */
export async function loadAlgorithms(paths: readonly string[]): Promise<Readonly<Record<string, Algorithm>>> {
  const all: Record<string, Algorithm> = { ...algorithms };
  for (const path of paths) {
    const algorithm = await loadAlgorithm(path);
    if (Object.hasOwn(all, algorithm.name)) throw invalid(path, `the name ${algorithm.name} is taken`);
    all[algorithm.name] = algorithm;
  }
  return all;
}

/** The algorithm of one module. @throws CoxswainError ALGORITHM_INVALID */
export async function loadAlgorithm(path: string): Promise<Algorithm> {
  let definition: unknown;
  try {
    ({ default: definition } = (await import(pathToFileURL(path).href)) as { default: unknown });
  } catch (cause) {
    throw invalid(path, `it cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const wrong = flaw(definition);
  if (wrong) throw invalid(path, wrong);
  return defineAlgorithm(definition as AlgorithmDefinition<HyperparameterTable>);
}

/** @throws CoxswainError SPEC_INVALID with the nearest name and all names. */
export function algorithmNamed(name: string, all: Readonly<Record<string, Algorithm>>, where: string): Algorithm {
  if (Object.hasOwn(all, name)) return all[name];
  const names = Object.keys(all);
  const nearest = nearestName(name, names);
  const hint = nearest ? `nearest: ${nearest}; ` : '';
  throw new CoxswainError('SPEC_INVALID', `${where}: found "${name}"; ${hint}allowed: ${names.join(', ')}`);
}

/** What is wrong with a definition; null when nothing is. */
function flaw(definition: unknown): string | null {
  if (typeof definition !== 'object' || definition === null) return 'its default export must be an object';
  const given = definition as Record<string, unknown>;
  const { name, summary, actionSpaces, masks, needsGraph, hyperparameters, conflicts, create } = given;
  if (typeof name !== 'string' || !namePattern.test(name)) {
    return `name is ${JSON.stringify(name)}; it must be lower case words joined by dashes`;
  }
  if (typeof summary !== 'string') return 'summary must be a sentence';
  if (!Array.isArray(actionSpaces) || actionSpaces.length === 0 || !actionSpaces.every((k) => spaceKinds.includes(k))) {
    return `actionSpaces must list some of ${spaceKinds.join(', ')}`;
  }
  if (typeof masks !== 'boolean') return 'masks must be true or false';
  if (needsGraph !== undefined && typeof needsGraph !== 'boolean') return 'needsGraph must be true or false';
  if (conflicts !== undefined && typeof conflicts !== 'function') return 'conflicts must be a function';
  if (typeof create !== 'function') return 'create must be a function';
  return hyperparameterFlaw(hyperparameters);
}

function hyperparameterFlaw(table: unknown): string | null {
  if (typeof table !== 'object' || table === null) return 'hyperparameters must be an object';
  for (const [name, entry] of Object.entries(table)) {
    const { rule, meaning } = (entry ?? {}) as { rule?: { allowed?: unknown; holds?: unknown }; meaning?: unknown };
    if (typeof rule?.allowed !== 'string' || typeof rule.holds !== 'function' || typeof meaning !== 'string') {
      return `hyperparameter ${name} must have a default, a rule { allowed, holds } and a meaning`;
    }
    if (!rule.holds((entry as { default: unknown }).default)) return `the default of ${name} breaks its own rule`;
  }
  return null;
}

function invalid(path: string, why: string, cause?: unknown): CoxswainError {
  return new CoxswainError('ALGORITHM_INVALID', `Algorithm module ${path}: ${why}.`, { cause });
}

import { CoxswainError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { checkSpaces } from '../src/rl/algorithm.ts';
import type { Algorithm } from '../src/rl/algorithm.ts';
import { algorithmNamed } from '../src/rl/algorithms/load-algorithms.ts';
import { onlineBoutique } from '../src/rl/environments/online-boutique/kind.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from '../src/rl/environments/online-boutique/options.ts';

/**
 * Holds the names and parameters of a spec against the environments that this version has, and the algorithms.
 * @throws CoxswainError SPEC_INVALID or ENVIRONMENT_INVALID naming the path, the value and what is allowed.
 */
export function checkSpecAgainstCode(spec: RunSpec, algorithms: Readonly<Record<string, Algorithm>>): void {
  const { environment, agent, train } = spec;
  if (environment.name !== 'online-boutique')
    throw unknownName('environment.name', environment.name, 'online-boutique');
  const algorithm = algorithmNamed(agent.algorithm, algorithms, 'agent.algorithm');
  algorithm.configure(agent.hyperparameters, train.environments);
  checkSpaces(algorithm, onlineBoutique.create(environment.parameters).description);
}

/** Control steps of an episode of the spec's environment: the least that each part of a recording must hold. */
export function episodeSteps(spec: RunSpec): number {
  return parseOnlineBoutiqueParameters(spec.environment.parameters).episodeSteps ?? defaultParameters.episodeSteps;
}

function unknownName(path: string, found: string, allowed: string): CoxswainError {
  return new CoxswainError('SPEC_INVALID', `${path}: found "${found}"; allowed: ${allowed}`);
}

import { CoxswainError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { algorithms } from '../src/rl/algorithms/index.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from '../src/rl/environments/online-boutique/options.ts';

/**
 * Holds the names and parameters of a spec against the environments and algorithms that this version has.
 * @throws CoxswainError SPEC_INVALID or ENVIRONMENT_INVALID naming the path, the value and what is allowed.
 */
export function checkSpecAgainstCode(spec: RunSpec): void {
  const { environment, agent, train } = spec;
  if (environment.name !== 'online-boutique')
    throw unknownName('environment.name', environment.name, 'online-boutique');
  const algorithm = Object.hasOwn(algorithms, agent.algorithm) ? algorithms[agent.algorithm] : null;
  if (!algorithm) throw unknownName('agent.algorithm', agent.algorithm, Object.keys(algorithms).join(', '));
  parseOnlineBoutiqueParameters(environment.parameters);
  algorithm.configure(agent.hyperparameters, train.environments);
}

/** Control steps of an episode of the spec's environment: the least that each part of a recording must hold. */
export function episodeSteps(spec: RunSpec): number {
  return parseOnlineBoutiqueParameters(spec.environment.parameters).episodeSteps ?? defaultParameters.episodeSteps;
}

function unknownName(path: string, found: string, allowed: string): CoxswainError {
  return new CoxswainError('SPEC_INVALID', `${path}: found "${found}"; allowed: ${allowed}`);
}

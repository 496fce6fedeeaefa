import { CoxswainError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { parsePpoConfig } from '../src/rl/algorithms/ppo.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from '../src/rl/environments/online-boutique/options.ts';

/**
 * Holds the names and parameters of a spec against the environments and algorithms that this version has.
 * @throws CoxswainError SPEC_INVALID or ENVIRONMENT_INVALID naming the path, the value and what is allowed.
 */
export function checkSpecAgainstCode(spec: RunSpec): void {
  const { environment, agent, train } = spec;
  if (environment.name !== 'online-boutique')
    throw unknownName('environment.name', environment.name, 'online-boutique');
  if (agent.algorithm !== 'ppo') throw unknownName('agent.algorithm', agent.algorithm, 'ppo');
  parseOnlineBoutiqueParameters(environment.parameters);
  const { rolloutSteps } = parsePpoConfig(agent.hyperparameters);
  if (rolloutSteps % train.environments === 0) return;
  const message = `train.environments: found ${train.environments}; allowed: a divisor of agent.hyperparameters.rolloutSteps (${rolloutSteps})`;
  throw new CoxswainError('SPEC_INVALID', message);
}

/** Control steps of an episode of the spec's environment: the least that each part of a recording must hold. */
export function episodeSteps(spec: RunSpec): number {
  return parseOnlineBoutiqueParameters(spec.environment.parameters).episodeSteps ?? defaultParameters.episodeSteps;
}

function unknownName(path: string, found: string, allowed: string): CoxswainError {
  return new CoxswainError('SPEC_INVALID', `${path}: found "${found}"; allowed: ${allowed}`);
}

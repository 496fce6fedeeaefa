import type { RunSpec } from '../src/contracts/run-spec.ts';
import { checkSpaces } from '../src/rl/algorithm.ts';
import type { Algorithm } from '../src/rl/algorithm.ts';
import { algorithmNamed } from '../src/rl/algorithms/load-algorithms.ts';
import { scalingKindNamed } from '../src/rl/environments/scaling-kinds.ts';

/**
 * Holds the names and parameters of a spec against the environments that this version has, and the algorithms.
 * @throws CoxswainError SPEC_INVALID or ENVIRONMENT_INVALID naming the path, the value and what is allowed.
 */
export function checkSpecAgainstCode(spec: RunSpec, algorithms: Readonly<Record<string, Algorithm>>): void {
  const { environment, agent, train } = spec;
  const kind = scalingKindNamed(environment.name);
  const algorithm = algorithmNamed(agent.algorithm, algorithms, 'agent.algorithm');
  const { episodeSteps: length } = kind.settings(environment.parameters);
  algorithm.configure(agent.hyperparameters, train.environments);
  const { description } = kind.task(environment.parameters, new Float64Array(length).fill(1), null).createForAgent();
  checkSpaces(algorithm, description);
}

/** Control steps of an episode of the spec's environment: the least that each part of a recording must hold. */
export function episodeSteps(spec: RunSpec): number {
  return scalingKindNamed(spec.environment.name).settings(spec.environment.parameters).episodeSteps;
}

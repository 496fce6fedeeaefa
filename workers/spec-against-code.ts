import { CoxswainError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { checkSpaces } from '../src/rl/algorithm.ts';
import type { Algorithm } from '../src/rl/algorithm.ts';
import { algorithmNamed } from '../src/rl/algorithms/load-algorithms.ts';
import { exampleTwin } from '../src/rl/environments/twin/example-twin.ts';
import { withoutTwin } from '../src/rl/environments/twin/scaling.ts';
import { scalingKindNamed } from '../src/rl/environments/scaling-kinds.ts';

/**
 * Holds the names and parameters of a spec against the environments that this version has, and the algorithms.
 * @throws CoxswainError SPEC_INVALID or ENVIRONMENT_INVALID naming the path, the value and what is allowed.
 */
export function checkSpecAgainstCode(spec: RunSpec, algorithms: Readonly<Record<string, Algorithm>>): void {
  const { environment, agent, train } = spec;
  const kind = scalingKindNamed(environment.name);
  if (kind.needsTwin && spec.collect.source.kind !== 'cluster') {
    throw new CoxswainError('ENVIRONMENT_INVALID', withoutTwin(environment.name));
  }
  const algorithm = algorithmNamed(agent.algorithm, algorithms, 'agent.algorithm');
  const { episodeSteps: length } = kind.settings(environment.parameters);
  algorithm.configure(agent.hyperparameters, train.environments);
  const trace = new Float64Array(length).fill(1);
  // A twin is fitted only later: its actions and observations are of the same kind whatever its services are.
  const { description } = kind.task(environment.parameters, trace, null, exampleTwin).createForAgent();
  checkSpaces(algorithm, description);
}

/** Control steps of an episode of the spec's environment: the least that each part of a recording must hold. */
export function episodeSteps(spec: RunSpec): number {
  return scalingKindNamed(spec.environment.name).settings(spec.environment.parameters).episodeSteps;
}

import { readFileSync } from 'node:fs';

/** A trajectory that Gymnasium played; the fixture says with which versions. */
export interface RecordedTrajectory {
  readonly environment: string;
  /** The state, in double precision, that it begins with. */
  readonly start: readonly number[];
  readonly actions: readonly number[];
  /** After each step. */
  readonly states: readonly (readonly number[])[];
  readonly observations: readonly (readonly number[])[];
  readonly rewards: readonly number[];
  readonly terminated: boolean;
}

interface Fixture {
  readonly trajectories: readonly RecordedTrajectory[];
}

/** The trajectories of an environment that fixtures/record-gymnasium.py recorded. */
export function trajectoriesOf(environment: string): readonly RecordedTrajectory[] {
  const file = new URL('fixtures/gymnasium-trajectories.json', import.meta.url);
  const { trajectories } = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
  return trajectories.filter((trajectory) => trajectory.environment === environment);
}

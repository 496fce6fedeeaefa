import { CoxswainError } from '../../contracts/errors.ts';

/** The error of a step before the first reset or after the end of an episode. */
export function stepOutsideEpisode(environment: string): CoxswainError {
  return new CoxswainError(
    'ENVIRONMENT_INVALID',
    `${environment}: step was called before reset or after the end of an episode; call reset.`,
  );
}

/**
 * Element `index` of an action as one of `choices` choices.
 * @throws CoxswainError ENVIRONMENT_INVALID when it is missing or none of 0 … choices − 1.
 */
export function choiceAt(environment: string, action: ArrayLike<number>, index: number, choices: number): number {
  const choice = action[index];
  if (choice >= 0 && choice < choices && Number.isInteger(choice)) return choice;
  throw new CoxswainError(
    'ENVIRONMENT_INVALID',
    `${environment}: element ${index} of the action must be a whole number from 0 to ${choices - 1}, not ${choice}.`,
  );
}

/**
 * The only element of a continuous action in single precision, not clipped.
 * @throws CoxswainError ENVIRONMENT_INVALID when it is missing or not a number.
 */
export function realOf(environment: string, action: Int32Array | Float32Array): number {
  const value = Math.fround(action[0]);
  if (!Number.isNaN(value)) return value;
  throw new CoxswainError('ENVIRONMENT_INVALID', `${environment}: the action must be one number, not ${action[0]}.`);
}

import { CoxswainError } from '../contracts/errors.ts';
import type { Generator } from './random.ts';

/** A probability of random actions that falls linearly. */
export interface ExplorationSchedule {
  /** ε at the start. */
  readonly initialExplorationRate: number;
  /** ε after it has fallen. */
  readonly finalExplorationRate: number;
  /** Share of the training over which it falls. */
  readonly explorationFraction: number;
}

/** ε when the share `done`, from 0 to 1, of the training is over. */
export function explorationRateAt(
  { initialExplorationRate, finalExplorationRate, explorationFraction }: ExplorationSchedule,
  done: number,
): number {
  if (done >= explorationFraction) return finalExplorationRate;
  return initialExplorationRate + (finalExplorationRate - initialExplorationRate) * (done / explorationFraction);
}

/**
 * One of the allowed choices, each as likely as the others.
 * @param masks rows of `choices` bits, of which row `row` counts; null when everything is allowed.
 * @throws CoxswainError ENVIRONMENT_INVALID when the mask allows none.
 */
export function randomChoice(choices: number, masks: Uint8Array | null, row: number, generator: Generator): number {
  if (!masks) return generator.integer(choices);
  let allowed = 0;
  for (let choice = 0; choice < choices; choice++) allowed += masks[row * choices + choice] === 0 ? 0 : 1;
  if (allowed === 0) throw nothingAllowed();
  let left = generator.integer(allowed);
  let choice = 0;
  while (masks[row * choices + choice] === 0 || left-- > 0) choice++;
  return choice;
}

/**
 * The allowed choice with the highest value; of equal ones the first.
 * @param values rows of `choices` numbers, of which row `row` counts.
 * @param masks as for {@link randomChoice}.
 * @throws CoxswainError ENVIRONMENT_INVALID when the mask allows none.
 */
export function greedyChoice(
  values: ArrayLike<number>,
  choices: number,
  masks: Uint8Array | null,
  row: number,
): number {
  const start = row * choices;
  let best = -1;
  for (let choice = 0; choice < choices; choice++) {
    if (masks && masks[start + choice] === 0) continue;
    if (best < 0 || values[start + choice] > values[start + best]) best = choice;
  }
  if (best < 0) throw nothingAllowed();
  return best;
}

function nothingAllowed(): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', 'An action mask allows no choice.');
}

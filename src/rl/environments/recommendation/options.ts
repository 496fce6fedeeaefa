import { CoxswainError } from '../../../contracts/errors.ts';
import { parameterHelp, parseParameters } from '../parameters.ts';
import type { ParameterValues } from '../parameters.ts';

/** The name under which the environment is registered. */
export const NAME = 'recommendation';

/** The parameters of the environment. */
export const parameterTable = {
  episodeSteps: {
    default: 100,
    low: 1,
    high: 10_000,
    whole: true,
    meaning: 'Slates after which a session is truncated',
  },
  catalogueSize: { default: 500, low: 50, high: 100_000, whole: true, meaning: 'Items of the catalogue' },
  catalogueSeed: {
    default: 1,
    low: 0,
    high: 4_294_967_295,
    whole: true,
    meaning: 'Seed that the catalogue is drawn from',
  },
  topics: { default: 8, low: 2, high: 64, whole: true, meaning: 'Topics of items and interests' },
  candidates: { default: 20, low: 2, high: 200, whole: true, meaning: 'Items that are retrieved for each slate' },
  slateSize: { default: 5, low: 1, high: 20, whole: true, meaning: 'Items of a slate' },
  clickModel: {
    default: 'cascade',
    choices: ['cascade', 'position'],
    meaning: 'How a user goes through a slate',
  },
  interestDrift: {
    default: 0.03,
    low: 0,
    high: 1,
    meaning: 'Random change of the interests for each slate, standard deviation',
  },
  satiation: {
    default: 2,
    low: 0,
    high: 20,
    meaning: 'How much appeal (logits) a topic loses that the user has had enough of',
  },
  clickWeight: {
    default: 0.4,
    low: 0,
    high: 100,
    meaning: 'Reward of a click',
  },
  watchWeight: { default: 0.3, low: 0, high: 100, meaning: 'Reward of six minutes watched, about an item' },
  diversityWeight: {
    default: 0.3,
    low: 0,
    high: 100,
    meaning: 'Reward of a slate of the highest diversity that satisfies',
  },
} as const;

/** All parameters with their values. */
export type RecommendationParameters = ParameterValues<typeof parameterTable>;

/** Each parameter and what it means. */
export const recommendationParameterHelp = parameterHelp(parameterTable);

/** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range, or a slate has too few candidates. */
export function parseRecommendationParameters(input: Readonly<Record<string, unknown>>): RecommendationParameters {
  const parameters = parseParameters(NAME, parameterTable, input);
  const { slateSize, candidates, catalogueSize } = parameters;
  if (slateSize > candidates) {
    throw invalid(`slateSize must be at most candidates (${candidates}), not ${slateSize}`);
  }
  if (candidates * POOL_FACTOR > catalogueSize) {
    throw invalid(`catalogueSize must be at least ${POOL_FACTOR} × candidates (${candidates * POOL_FACTOR})`);
  }
  return parameters;
}

/** The candidates are chosen from so many times as many items. */
export const POOL_FACTOR = 2;

function invalid(message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `${NAME}: ${message}.`);
}

import type { EnvironmentDescription } from '../../environment.ts';
import type { EnvironmentKind } from '../registry.ts';
import { bestMatch, diverseMatch, mostPopular } from './controllers.ts';
import { NAME, recommendationParameterHelp } from './options.ts';
import { CANDIDATE } from './recommendation-observation.ts';
import { Recommendation } from './recommendation.ts';

/** Slates for users with hidden interests. */
export const recommendation: EnvironmentKind = {
  name: NAME,
  summary: 'Choose slates of items for users whose hidden interests drift; clicks, watch time and diversity.',
  parameters: recommendationParameterHelp,
  create: (parameters = {}) => new Recommendation(parameters),
  baselines: {
    'most popular': ({ description }) => mostPopular(shapeOf(description)),
    'best match': ({ description }) => bestMatch(shapeOf(description)),
    'diverse match': ({ description }) => diverseMatch(shapeOf(description)),
  },
};

/** The sizes of an environment's slates, from its description. */
export function shapeOf({ actionSpace, observationTable }: EnvironmentDescription) {
  const heads = actionSpace.kind === 'multi-discrete' ? actionSpace.choices : [];
  const features = observationTable.filter(({ name }) => name.startsWith('candidate0.')).length;
  return { slateSize: heads.length, candidates: heads[0], topics: features - CANDIDATE.width };
}

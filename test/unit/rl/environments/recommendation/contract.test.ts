import { recommendation } from '../../../../../src/rl/environments/recommendation/kind.ts';
import { environmentSuite } from '../../../../contracts/environment-suite.ts';

environmentSuite('recommendation', () => recommendation.create());
environmentSuite('recommendation, by position, without leaving anything out', () =>
  recommendation.create({
    clickModel: 'position',
    episodeSteps: 10,
    topics: 2,
    catalogueSize: 50,
    candidates: 5,
    slateSize: 5,
    interestDrift: 1,
  }),
);

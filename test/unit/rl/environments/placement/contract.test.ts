import { placementV1 } from '../../../../../src/rl/environments/placement/placement-v1.ts';
import { placementV2 } from '../../../../../src/rl/environments/placement/placement-v2.ts';
import { placementV3 } from '../../../../../src/rl/environments/placement/placement-v3.ts';
import { environmentSuite } from '../../../../contracts/environment-suite.ts';

environmentSuite('placement-v1', () => placementV1.create({ episodeSteps: 120, fillShare: 1.2 }));
environmentSuite('placement-v2', () => placementV2.create({ episodeSteps: 60 }));
environmentSuite('placement-v3', () =>
  placementV3.create({ episodeSteps: 60, meanUpSteps: 50, meanDownSteps: 5, scenarioSeed: 4 }),
);

import { radioResources } from '../../../../../src/rl/environments/radio-resources/kind.ts';
import { environmentSuite } from '../../../../contracts/environment-suite.ts';

environmentSuite('radio-resources', () => radioResources.create({ episodeSteps: 120 }));
environmentSuite('radio-resources, small and crowded', () =>
  radioResources.create({
    episodeSteps: 60,
    embbUsers: 1,
    urllcUsers: 2,
    mmtcUsers: 3,
    cellRadius: 1000,
    neighbourLoad: 1,
    urllcDeadlineMs: 1,
    mmtcDeadlineFrames: 1,
    fullBufferShare: 1,
  }),
);

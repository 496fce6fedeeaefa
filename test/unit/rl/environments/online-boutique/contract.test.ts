import { onlineBoutique } from '../../../../../src/rl/environments/online-boutique/kind.ts';
import { environmentSuite } from '../../../../contracts/environment-suite.ts';

const parameters = { episodeSteps: 60 };

environmentSuite('online-boutique', () => onlineBoutique.create(parameters));
environmentSuite('online-boutique on the HPA', () =>
  onlineBoutique.create({ ...parameters, actionBase: 'hpa', maxChange: 3, metricsDelaySteps: 3 }),
);

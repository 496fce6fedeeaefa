import { serviceGraph } from '../../../../../src/rl/environments/service-graph/kind.ts';
import { environmentSuite } from '../../../../contracts/environment-suite.ts';

environmentSuite('service-graph', () => serviceGraph.create({ episodeSteps: 50, changesPerHour: 120 }), {
  seeds: [1, 4294967295],
});
environmentSuite('service-graph of eleven', () =>
  serviceGraph.create({ episodeSteps: 40, nodes: 11, maxChange: 3, metricsDelaySteps: 3, podQuota: 60 }),
);

import { parameterHelp } from '../parameters.ts';
import { hpaWithoutMemory, nearestAllowed } from '../online-boutique/hpa-decision.ts';
import type { BaselineDecision, EnvironmentKind } from '../registry.ts';
import { parseServiceGraphParameters, serviceGraphParameters } from './options.ts';
import { createServiceGraph } from './service-graph.ts';
import type { ServiceGraph } from './service-graph.ts';

/** Online Boutique as a graph whose services come and go, on a generated week. */
export const serviceGraph: EnvironmentKind = {
  name: 'service-graph',
  summary: 'Scale up to 20 services every 15 s while features, canaries and their calls come and go.',
  parameters: parameterHelp(serviceGraphParameters),
  create: (parameters = {}) => createServiceGraph(parseServiceGraphParameters(parameters)),
  baselines: { hpa: (environment) => hpaDecision(environment as ServiceGraph) },
};

/** What an HPA without memory would do now: the lint asks it at moments in any order. */
function hpaDecision({ view }: ServiceGraph): BaselineDecision {
  const hpa = hpaWithoutMemory(60);
  const wanted = new Int32Array(view.services.length);
  return ({ actionMask }) => {
    hpa.reset();
    hpa.decide(view, wanted);
    return wanted.map((replicas, slot) => nearestAllowed(replicas - view.desiredReplicas[slot], slot, actionMask));
  };
}

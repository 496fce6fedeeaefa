import { parameterHelp } from '../parameters.ts';
import type { EnvironmentKind } from '../registry.ts';
import { parseServiceGraphParameters, serviceGraphParameters } from './options.ts';
import { createServiceGraph } from './service-graph.ts';

/** Online Boutique as a graph whose services come and go, on a generated week. */
export const serviceGraph: EnvironmentKind = {
  name: 'service-graph',
  summary: 'Scale up to 20 services every 15 s while features, canaries and their calls come and go.',
  parameters: parameterHelp(serviceGraphParameters),
  create: (parameters = {}) => createServiceGraph(parseServiceGraphParameters(parameters)),
};

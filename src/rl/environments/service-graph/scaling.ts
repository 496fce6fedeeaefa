import { extname } from 'node:path';

import type { ScalingKind, ScalingTask } from '../scaling-environment.ts';
import { boutiqueGraph } from './boutique-graph.ts';
import { everyService } from './graph-application.ts';
import { parseServiceGraphParameters } from './options.ts';
import type { ServiceGraphOptions, ServiceGraphParameters } from './options.ts';
import { createServiceGraph } from './service-graph.ts';

/** The dynamic service graph for pipelines. Its actions are never relative to an HPA. */
export const serviceGraphScaling: ScalingKind = {
  name: 'service-graph',
  needsTwin: false,
  settings(given) {
    const { episodeSteps, violationPrice } = parseServiceGraphParameters(given);
    return { episodeSteps, violationPrice, hpaTargetPercent: null };
  },
  task: (given, trace, _hpaTargetPercent, _twin, startsAtSeconds) =>
    serviceGraphTask({ ...parseServiceGraphParameters(given), trace, startsAtSeconds }),
};

/** A service graph with these options, for agents and for controllers. A slot may hold any service. */
export function serviceGraphTask(options: ServiceGraphOptions): ScalingTask {
  const services = everyService(options.application ?? boutiqueGraph);
  const slot = {
    minReplicas: Math.min(...services.map(({ minReplicas }) => minReplicas)),
    maxReplicas: Math.max(...services.map(({ maxReplicas }) => maxReplicas)),
  };
  const create = (): ReturnType<typeof createServiceGraph> => createServiceGraph(options);
  const { nodes } = parseServiceGraphParameters({ ...parametersOf(options) });
  return {
    createForAgent: create,
    createForController: create,
    limits: Array.from({ length: nodes }, () => slot),
    recipe: {
      // With this file's own extension: .ts in the project, .js in the package.
      module: new URL(`./service-graph${extname(import.meta.url)}`, import.meta.url).href,
      factory: createServiceGraph.name,
      options,
    },
  };
}

function parametersOf({
  trace: _trace,
  application: _application,
  startsAtSeconds: _startsAtSeconds,
  ...parameters
}: ServiceGraphOptions): ServiceGraphParameters {
  return parameters;
}

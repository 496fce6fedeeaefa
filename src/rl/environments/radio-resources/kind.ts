import type { Environment } from '../../environment.ts';
import type { BaselineDecision, EnvironmentKind } from '../registry.ts';
import { demandProportional, equalSplit } from './controllers.ts';
import { NAME, parameterTable, radioParameterHelp } from './options.ts';
import { RadioResources } from './radio-resources.ts';

/** The radio resources of a 5G cell. */
export const radioResources: EnvironmentKind = {
  name: NAME,
  summary: 'Divide the resource blocks of a 5G cell among three slices every 10 ms: throughput, latency, energy.',
  parameters: radioParameterHelp,
  create: (parameters = {}) => new RadioResources(parameters),
  baselines: {
    'equal split': equalSplit,
    'demand proportional': (environment: Environment): BaselineDecision =>
      demandProportional(environment as RadioResources, parameterTable.urllcPacketBytes.default),
  },
};

import { parameterHelp, parseParameters } from '../parameters.ts';
import type { EnvironmentKind } from '../registry.ts';
import type { ClusterOperation } from './cluster-operation.ts';
import { OperatedPlacement } from './operated-placement.ts';
import type { ActionsDone, OperationActions } from './operated-placement.ts';
import { scaleByLoad } from './operation-controllers.ts';
import { scalingParameters } from './options.ts';

const NAME = 'placement-v2';

/** One head a service: nothing, a pod more on one of the nodes, or a pod fewer. */
function scalingActions(services: number, nodes: number): OperationActions {
  const choices = 1 + 2 * nodes;
  return {
    name: NAME,
    choices: Array.from({ length: services }, () => choices),
    actionTable: [
      {
        index: `0–${services - 1}`,
        name: 'change',
        unit: 'choice',
        low: 0,
        high: choices - 1,
        meaning: `one a service: 0 = nothing, 1 … ${nodes} = a pod more on node 0 … ${nodes - 1}, ${nodes + 1} … ${2 * nodes} = a pod fewer there`,
      },
    ],
    apply(action, operation, done) {
      for (let service = 0; service < services; service++) {
        if (action[service] > 0) scale(operation, service, action[service] - 1, nodes, done);
      }
    },
    mask(mask, operation) {
      for (let service = 0, at = 0; service < services; service++) {
        mask[at++] = 1;
        for (let node = 0; node < nodes; node++) mask[at++] = operation.mayAdd(service, node) ? 1 : 0;
        for (let node = 0; node < nodes; node++) mask[at++] = operation.mayRemove(service, node) ? 1 : 0;
      }
    },
  };
}

function scale(operation: ClusterOperation, service: number, move: number, nodes: number, done: ActionsDone): void {
  const node = move % nodes;
  if (move < nodes && operation.mayAdd(service, node)) {
    operation.pods.addStarting(service, node);
    done.added++;
  } else if (move >= nodes && operation.mayRemove(service, node)) {
    operation.pods.remove(service, node);
    done.removed++;
  } else done.refused++;
}

/** Placing and scaling. */
export const placementV2: EnvironmentKind = {
  name: NAME,
  summary: 'Add and remove pods node by node as the load moves over the day and between zones.',
  parameters: parameterHelp(scalingParameters),
  create(given = {}) {
    const parameters = parseParameters(NAME, scalingParameters, given);
    return new OperatedPlacement(parameters, scalingActions(parameters.services, parameters.nodes), {
      meanUpSteps: 0,
      meanDownSteps: 1,
      affinity: false,
      moveWeight: 0,
    });
  },
  baselines: { 'scale by load': (environment) => scaleByLoad(environment as OperatedPlacement) },
};

import { parameterHelp, parseParameters } from '../parameters.ts';
import type { EnvironmentKind } from '../registry.ts';
import type { ClusterOperation } from './cluster-operation.ts';
import { OperatedPlacement } from './operated-placement.ts';
import type { ActionsDone, OperationActions } from './operated-placement.ts';
import { repairByLoad } from './operation-controllers.ts';
import { movingParameters } from './options.ts';

const NAME = 'placement-v3';

/** Two heads a service: where a pod is taken from, and where one is put. */
function movingActions(services: number, nodes: number): OperationActions {
  const last = 2 * services - 1;
  return {
    name: NAME,
    choices: Array.from({ length: 2 * services }, () => nodes + 1),
    actionTable: [
      {
        index: `0–${last - 1}, every 2nd`,
        name: 'from',
        unit: 'choice',
        low: 0,
        high: nodes,
        meaning: `one a service: 0 = take none away, 1 … ${nodes} = take a pod from node 0 … ${nodes - 1}`,
      },
      {
        index: `1–${last}, every 2nd`,
        name: 'to',
        unit: 'choice',
        low: 0,
        high: nodes,
        meaning: `one a service: 0 = put none, 1 … ${nodes} = put a pod on node 0 … ${nodes - 1}; with \`from\` it is a move`,
      },
    ],
    apply(action, operation, done) {
      for (let service = 0; service < services; service++) {
        change(operation, service, action[2 * service] - 1, action[2 * service + 1] - 1, done);
      }
    },
    mask(mask, operation) {
      for (let service = 0, at = 0; service < services; service++) {
        mask[at++] = 1;
        for (let node = 0; node < nodes; node++) mask[at++] = operation.pods.count(service, node) > 0 ? 1 : 0;
        mask[at++] = 1;
        for (let node = 0; node < nodes; node++) mask[at++] = operation.pods.fits(service, node) ? 1 : 0;
      }
    },
  };
}

/** Adds, removes or moves a pod; −1 = no node. From a node to itself is nothing. */
function change(operation: ClusterOperation, service: number, from: number, to: number, done: ActionsDone): void {
  if (from === to) return;
  const { pods } = operation;
  if (from < 0) {
    if (!operation.mayAdd(service, to)) done.refused++;
    else {
      pods.addStarting(service, to);
      done.added++;
    }
  } else if (to < 0) {
    if (!operation.mayRemove(service, from)) done.refused++;
    else {
      pods.remove(service, from);
      done.removed++;
    }
  } else if (pods.count(service, from) === 0 || !pods.fits(service, to)) done.refused++;
  else {
    pods.remove(service, from);
    pods.addStarting(service, to);
    done.moved++;
  }
}

/** Placing, scaling and moving on nodes that fail. */
export const placementV3: EnvironmentKind = {
  name: NAME,
  summary: 'Add, remove and move pods under affinity rules on nodes that fail, while the load moves.',
  parameters: parameterHelp(movingParameters),
  create(given = {}) {
    const parameters = parseParameters(NAME, movingParameters, given);
    const { meanUpSteps, meanDownSteps, moveWeight } = parameters;
    return new OperatedPlacement(parameters, movingActions(parameters.services, parameters.nodes), {
      meanUpSteps,
      meanDownSteps,
      moveWeight,
      affinity: true,
    });
  },
  baselines: { 'repair by load': (environment) => repairByLoad(environment as OperatedPlacement) },
  acceptedFindings: [
    {
      kind: 'dead-observation',
      where: /^observation pods /,
      reason: 'Pods of a service that is kept out of a zone are never on its nodes; the agent learns which ones.',
    },
  ],
};

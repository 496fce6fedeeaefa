import type { BaselineDecision } from '../registry.ts';
import type { ClusterOperation } from './cluster-operation.ts';

/** Load above which a service gets a pod more, and below which it gets one fewer. */
const HIGH_LOAD = 0.75;
const LOW_LOAD = 0.4;

/** What rules look at. */
interface Operated {
  readonly operation: ClusterOperation;
}

/** Scales by load in placement-v2: adds on the node with the largest free share of CPU, removes from that with the smallest. */
export function scaleByLoad({ operation }: Operated): BaselineDecision {
  const { services, nodes } = operation.scenario;
  return () =>
    Array.from({ length: services }, (_, service) => {
      const { add, remove } = changeByLoad(operation, service);
      if (add >= 0) return 1 + add;
      return remove >= 0 ? 1 + nodes + remove : 0;
    });
}

/** The same in placement-v3, where it also makes up for what failed nodes took. */
export function repairByLoad({ operation }: Operated): BaselineDecision {
  const { services } = operation.scenario;
  return () =>
    Array.from({ length: services }, (_, service) => {
      const { add, remove } = changeByLoad(operation, service);
      return add >= 0 ? [0, 1 + add] : [1 + remove, 0];
    }).flat();
}

/** Nodes for a pod more and for one fewer; −1 = none. */
function changeByLoad(operation: ClusterOperation, service: number): { add: number; remove: number } {
  const { scenario, pods, load } = operation;
  const freeShare = (node: number): number => 1 - pods.requestedCpu[node] / scenario.nodeCpu[node];
  const emptiestFirst = Array.from({ length: scenario.nodes }, (_, node) => node).sort(
    (a, b) => freeShare(b) - freeShare(a),
  );
  const adding = emptiestFirst.filter((node) => load[service] > HIGH_LOAD && operation.mayAdd(service, node));
  const removing = emptiestFirst.filter((node) => load[service] < LOW_LOAD && operation.mayRemove(service, node));
  return { add: adding[0] ?? -1, remove: removing.at(-1) ?? -1 };
}

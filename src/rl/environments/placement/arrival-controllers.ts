import type { BaselineDecision } from '../registry.ts';
import type { ArrivalView } from './placement-v1.ts';

/** What rules look at: an environment's view, which always is that of this moment. */
interface Viewed {
  readonly view: ArrivalView;
}

/** Puts the pod on the first node that has room. */
export function firstFit(environment: Viewed): BaselineDecision {
  return byScore(environment, () => 0);
}

/** Puts the pod where the least CPU is left. */
export function bestFit(environment: Viewed): BaselineDecision {
  return byScore(environment, ({ scenario, pods }, node) => pods.requestedCpu[node] - scenario.nodeCpu[node]);
}

/** Puts the pod on the node of which the smallest share is requested. */
export function spread(environment: Viewed): BaselineDecision {
  return byScore(environment, ({ scenario, pods }, node) => -pods.requestedCpu[node] / scenario.nodeCpu[node]);
}

/** Puts the pod on the allowed node of the highest score, the first of equals; turns it away when no node is allowed. */
export function byScore(environment: Viewed, score: (view: ArrivalView, node: number) => number): BaselineDecision {
  return ({ actionMask }) => {
    const { view } = environment;
    let best = view.scenario.nodes;
    let highest = -Infinity;
    for (let node = 0; node < view.scenario.nodes; node++) {
      if (actionMask?.[node] !== 1) continue;
      const value = score(view, node);
      if (value <= highest) continue;
      highest = value;
      best = node;
    }
    return [best];
  };
}

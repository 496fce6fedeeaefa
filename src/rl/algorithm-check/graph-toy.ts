import type { Environment, EnvironmentDescription, GraphLayout, Observation, Transition } from '../environment.ts';
import { graphParts } from '../graph-layout.ts';

const layout: GraphLayout = { nodes: 3, nodeFeatures: 3, edges: 2, edgeFeatures: 3, globalFeatures: 1 };
const parts = graphParts(layout);
const choices = 3;

interface GraphToyState {
  readonly nodes: readonly unknown[];
  readonly lastIsThere: boolean;
}

/**
 * Toys of one head as the nodes of a graph, side by side. The last node is there in some episodes only; where it is not,
 * its head may choose nothing but 0 and does not count.
 */
export class GraphToy implements Environment {
  readonly description: EnvironmentDescription;
  private readonly toys: readonly Environment[];
  private readonly masks: boolean;
  private readonly observation = new Float32Array(parts.size);
  private readonly mask = new Uint8Array(layout.nodes * choices);
  private lastIsThere = false;

  /** @param createNode makes the toy of a node: three observed numbers, three choices. */
  constructor(createNode: () => Environment, masks: boolean) {
    this.toys = Array.from({ length: layout.nodes }, createNode);
    this.masks = masks;
    const row = { unit: '', low: 0, high: 4 };
    this.description = {
      name: 'graph-toy',
      observationSpace: { kind: 'box', shape: [parts.size], low: 0, high: 4 },
      actionSpace: { kind: 'multi-discrete', choices: new Array<number>(layout.nodes).fill(choices) },
      actionMaskSize: masks ? this.mask.length : 0,
      maxEpisodeSteps: this.toys[0].description.maxEpisodeSteps,
      observationTable: [{ ...row, index: `0–${parts.size - 1}`, name: 'graph', meaning: 'See GraphLayout.' }],
      actionTable: [{ ...row, index: '0–2', name: 'answers', meaning: 'One for each node.' }],
      graph: layout,
    };
  }

  reset(seed: number): Observation {
    this.lastIsThere = seed % 3 !== 0;
    return this.observe(this.toys.map((toy) => toy.reset(seed)));
  }

  step(action: Int32Array): Transition {
    const all = this.toys.map((toy, node) => toy.step(action.subarray(node, node + 1)));
    const counted = all.slice(0, this.lastIsThere ? layout.nodes : layout.nodes - 1);
    const reward = counted.reduce((sum, transition) => sum + transition.reward, 0) / counted.length;
    const { terminated, truncated } = all[0];
    return { ...this.observe(all), reward, terminated, truncated, measures: {} };
  }

  saveState(): GraphToyState {
    return { nodes: this.toys.map((toy) => toy.saveState()), lastIsThere: this.lastIsThere };
  }

  loadState(state: unknown): Observation {
    const { nodes, lastIsThere } = state as GraphToyState;
    this.lastIsThere = lastIsThere;
    return this.observe(this.toys.map((toy, node) => toy.loadState(nodes[node])));
  }

  private observe(seen: readonly Observation[]): Observation {
    const { observation, mask } = this;
    observation.fill(0);
    mask.fill(0);
    seen.forEach((node, index) => {
      const there = index < layout.nodes - 1 || this.lastIsThere;
      if (there) {
        observation.set(node.observation, index * layout.nodeFeatures);
        observation[parts.identities + index] = index + 1;
        mask.set(node.actionMask ?? [1, 1, 1], index * choices);
      } else {
        mask[index * choices] = 1;
      }
    });
    // From node 0 to node 1, and from node 1 to the last one where it is there.
    observation.set([0, 1, 1, 1, 2, Number(this.lastIsThere)], parts.edges);
    observation[parts.globals] = Number(this.lastIsThere);
    return { observation, actionMask: this.masks ? mask : null };
  }
}

import type { EnvironmentDescription, GraphLayout } from '../../../../src/rl/environment.ts';
import { graphParts } from '../../../../src/rl/graph-layout.ts';
import type { Generator } from '../../../../src/rl/random.ts';

/** Four slots, two features a node, two features an edge. */
export const layout: GraphLayout = { nodes: 4, nodeFeatures: 2, edges: 8, edgeFeatures: 5, globalFeatures: 2 };
export const choices = 3;

export interface SmallNode {
  readonly slot: number;
  readonly identity: number;
  readonly features: readonly number[];
}

export interface SmallEdge {
  readonly source: number;
  readonly target: number;
  readonly features: readonly number[];
  readonly active?: number;
}

export interface SmallGraph {
  readonly nodes: readonly SmallNode[];
  readonly edges: readonly SmallEdge[];
  readonly globals: readonly number[];
}

/** The flat observation of a graph; edges stand in the order in which they are given. */
export function flat({ nodes, edges, globals }: SmallGraph): Float32Array {
  const parts = graphParts(layout);
  const observation = new Float32Array(parts.size);
  for (const { slot, identity, features } of nodes) {
    observation.set(features, slot * layout.nodeFeatures);
    observation[parts.identities + slot] = identity;
  }
  edges.forEach(({ source, target, features, active = 1 }, row) => {
    observation.set([source, target, active, ...features], parts.edges + row * layout.edgeFeatures);
  });
  observation.set(globals, parts.globals);
  return observation;
}

/** A graph with three of four slots taken and a few edges, two of them between the same nodes. */
export function randomGraph(generator: Generator, empty = 3): SmallGraph {
  const draws = (count: number): number[] => Array.from({ length: count }, () => generator.normal());
  const slots = [0, 1, 2, 3].filter((slot) => slot !== empty);
  const nodes = slots.map((slot) => ({ slot, identity: slot + 1, features: draws(layout.nodeFeatures) }));
  const [a, b, c] = slots;
  const pairs = [
    [a, b],
    [b, c],
    [a, c],
    [a, b],
    [c, c],
  ];
  const edges = pairs.map(([source, target]) => ({ source, target, features: draws(layout.edgeFeatures - 3) }));
  return { nodes, edges, globals: draws(layout.globalFeatures) };
}

/** The same graph with what was in slot i now in slot `slots[i]`. */
export function moved({ nodes, edges, globals }: SmallGraph, slots: readonly number[]): SmallGraph {
  return {
    nodes: nodes.map((node) => ({ ...node, slot: slots[node.slot] })),
    edges: edges.map((edge) => ({ ...edge, source: slots[edge.source], target: slots[edge.target] })),
    globals,
  };
}

/** An environment with such observations, as far as a model needs to know it. */
export function description(masked = true): EnvironmentDescription {
  return {
    name: 'small-graph',
    observationSpace: { kind: 'box', shape: [graphParts(layout).size], low: -100, high: 2 ** 24 },
    actionSpace: { kind: 'multi-discrete', choices: new Array<number>(layout.nodes).fill(choices) },
    actionMaskSize: masked ? layout.nodes * choices : 0,
    maxEpisodeSteps: null,
    observationTable: [],
    actionTable: [],
    graph: layout,
  };
}

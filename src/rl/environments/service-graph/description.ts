import type { EnvironmentDescription, GraphLayout, SpaceRow } from '../../environment.ts';
import { graphParts } from '../../graph-layout.ts';
import { CHOICES } from '../online-boutique/replica-actions.ts';

/** Columns of a node. */
export const NODE = { pods: 0, desired: 1, cpu: 2, memory: 3, trafficIn: 4, trafficOut: 5, width: 6 } as const;

/** Columns of an edge. */
export const EDGE = { source: 0, target: 1, active: 2, rate: 3, p95: 4, errors: 5, mtls: 6, width: 7 } as const;

/** Columns of the graph as a whole. */
export const GLOBAL = { cost: 0, violations: 1, timeSine: 2, timeCosine: 3, width: 4 } as const;

/** Identities stay below this, so that a 32-bit float holds them exactly. */
export const IDENTITY_LIMIT = 2 ** 24;

/** A graph of `nodes` service slots; every ordered pair of slots can be an edge. */
export function graphLayout(nodes: number): GraphLayout {
  return {
    nodes,
    nodeFeatures: NODE.width,
    edges: nodes * nodes,
    edgeFeatures: EDGE.width,
    globalFeatures: GLOBAL.width,
  };
}

type Feature = Omit<SpaceRow, 'index'>;

const nodeFeatures: readonly Feature[] = [
  feature('pods', 'ln(1 + pods) / 4', 0, 2, 'pods that hold resources: starting, ready and stopping'),
  feature('desired', 'ln(1 + replicas) / 4', 0, 2, 'desired replicas'),
  feature('cpu', 'share of the request', 0, 3, 'CPU usage of the ready pods'),
  feature('memory', 'share of the limit', 0, 1, 'memory of a ready pod, on average'),
  feature('trafficIn', 'ln(1 + calls/s) / 8', 0, 3, 'calls that arrived'),
  feature('trafficOut', 'ln(1 + calls/s) / 8', 0, 3, 'calls made to other services'),
];

function edgeFeatures(nodes: number): readonly Feature[] {
  return [
    feature('source', 'slot', 0, nodes - 1, 'calling service'),
    feature('target', 'slot', 0, nodes - 1, 'called service'),
    feature('active', '0 or 1', 0, 1, '1 = the edge is there; 0 = the rest of the row is 0'),
    feature('rate', 'ln(1 + calls/s) / 8', 0, 3, 'calls along the edge'),
    feature('p95', 'ln(1 + 100 · seconds) / 8', 0, 2, '95th percentile of a call with all calls that it makes in turn'),
    feature('errors', 'share', 0, 1, 'calls that took longer than the timeout'),
    feature('mtls', 'share', 0, 1, 'calls under mutual TLS'),
  ];
}

const globalFeatures: readonly Feature[] = [
  feature('cost', 'ln(1 + pods) / 8', 0, 2, 'pods of all services that hold resources'),
  feature('violations', 'share', 0, 1, 'share of requests slower than the SLO'),
  feature('timeSine', 'sine', -1, 1, 'time of day on a circle of 24 h'),
  feature('timeCosine', 'cosine', -1, 1, 'time of day on a circle of 24 h'),
];

/** Spaces, tables and layout of a service graph with `nodes` slots. */
export function describeServiceGraph(nodes: number, episodeSteps: number): EnvironmentDescription {
  const graph = graphLayout(nodes);
  const { low, high } = bounds(graph);
  return {
    name: 'service-graph',
    observationSpace: { kind: 'box', shape: [graphParts(graph).size], low, high },
    actionSpace: { kind: 'multi-discrete', choices: Array.from({ length: nodes }, () => CHOICES) },
    actionMaskSize: nodes * CHOICES,
    maxEpisodeSteps: episodeSteps,
    observationTable: observationTable(graph),
    actionTable: [
      {
        index: `0–${nodes - 1}`,
        name: 'change',
        unit: 'choice',
        low: 0,
        high: CHOICES - 1,
        meaning:
          'one a slot: 0 = no change, 1 … 7 = that many replicas more, 8 … 14 = 1 … 7 replicas fewer; an empty slot takes 0 only',
      },
    ],
    graph,
  };
}

function bounds(graph: GraphLayout): { low: number[]; high: number[] } {
  const parts = graphParts(graph);
  const low = new Array<number>(parts.size);
  const high = new Array<number>(parts.size);
  const repeat = (features: readonly Feature[], rows: number, at: number): void => {
    for (let i = 0; i < rows * features.length; i++) {
      low[at + i] = features[i % features.length].low;
      high[at + i] = features[i % features.length].high;
    }
  };
  repeat(nodeFeatures, graph.nodes, parts.nodes);
  repeat([identity], graph.nodes, parts.identities);
  repeat(edgeFeatures(graph.nodes), graph.edges, parts.edges);
  repeat(globalFeatures, 1, parts.globals);
  return { low, high };
}

const identity = feature('identity', 'number', 0, IDENTITY_LIMIT - 1, 'who is in slot i; 0 = nobody');

function observationTable(graph: GraphLayout): SpaceRow[] {
  const parts = graphParts(graph);
  const strided = (features: readonly Feature[], rows: number, at: number, letter: string): SpaceRow[] =>
    features.map((row, column) => ({
      ...row,
      index: `${at + column}–${at + column + (rows - 1) * features.length}, every ${features.length}th`,
      meaning: `${row.meaning} (${letter})`,
    }));
  const slots = `slots 0–${graph.nodes - 1}`;
  return [
    ...strided(nodeFeatures, graph.nodes, parts.nodes, slots),
    { ...identity, index: `${parts.identities}–${parts.identities + graph.nodes - 1}` },
    ...strided(edgeFeatures(graph.nodes), graph.edges, parts.edges, `rows 0–${graph.edges - 1}`),
    ...globalFeatures.map((row, column) => ({ ...row, index: String(parts.globals + column) })),
  ];
}

function feature(name: string, unit: string, low: number, high: number, meaning: string): Feature {
  return { name, unit, low, high, meaning };
}

import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import type { EnvironmentDescription, GraphLayout } from '../environment.ts';
import { graphParts } from '../graph-layout.ts';
import { choicesOf } from '../spaces.ts';

/** Columns of an edge that say where it is; the features follow. */
const sourceColumn = 0;
const targetColumn = 1;
const activeColumn = 2;

/** Lengths of one arranged graph. */
export interface GraphSizes {
  readonly nodes: number;
  readonly nodeFeatures: number;
  /** Features of an edge beside its ends. */
  readonly edgeFeatures: number;
  readonly globalFeatures: number;
}

/**
 * Graphs as the encoder takes them, one after the other: edges stand in the cell of their ends instead of in a list, so
 * that attention is a product of small matrices. With N slots, F node, G edge and K global features:
 *
 * 1. A cell is [target, source]. Rows that are not active, or whose ends are no present node, are nowhere.
 * 2. Edges between the same two nodes are merged: their features are averaged and their number counts in `links`, so k
 *    equal edges weigh as much in attention as k edges of a list.
 */
export interface GraphArrays {
  /** [N, F], 0 in empty slots. */
  readonly nodes: Float32Array;
  /** [N], 0 = empty. */
  readonly identities: Float32Array;
  /** [N, N]: the number of edges in the cell. */
  readonly links: Float32Array;
  /** [G, N, N], 0 where there is no edge. */
  readonly edges: Float32Array;
  /** [K] */
  readonly globals: Float32Array;
}

const graphArrayNames = ['nodes', 'identities', 'links', 'edges', 'globals'] as const;

/** Takes flat graph observations apart, here and in compiled programs. */
export class GraphArrangement {
  readonly sizes: GraphSizes;
  /** Elements of one flat observation. */
  readonly observationSize: number;
  /** Elements of one graph in each of {@link GraphArrays}. */
  readonly lengths: Readonly<Record<keyof GraphArrays, number>>;
  private readonly layout: GraphLayout;
  private readonly parts: ReturnType<typeof graphParts>;
  /** The first column of an edge that counts as a feature. Where there are no features, that it is there does. */
  private readonly firstFeature: number;

  constructor(layout: GraphLayout) {
    this.layout = layout;
    this.parts = graphParts(layout);
    this.observationSize = this.parts.size;
    this.firstFeature = Math.min(activeColumn + 1, layout.edgeFeatures - 1);
    const { nodes, nodeFeatures } = layout;
    const edgeFeatures = layout.edgeFeatures - this.firstFeature;
    // A graph without global features has one that is always 0: no program then needs a case of its own.
    const globalFeatures = Math.max(1, layout.globalFeatures);
    this.sizes = { nodes, nodeFeatures, edgeFeatures, globalFeatures };
    this.lengths = {
      nodes: nodes * nodeFeatures,
      identities: nodes,
      links: nodes * nodes,
      edges: edgeFeatures * nodes * nodes,
      globals: globalFeatures,
    };
  }

  /** Inputs of a program for `leading` graphs. */
  inputs(leading: InputSpec['shape']): Record<keyof GraphArrays, InputSpec> {
    const { nodes, nodeFeatures, edgeFeatures, globalFeatures } = this.sizes;
    return {
      nodes: { shape: [...leading, nodes, nodeFeatures] },
      identities: { shape: [...leading, nodes] },
      links: { shape: [...leading, nodes, nodes] },
      edges: { shape: [...leading, edgeFeatures, nodes, nodes] },
      globals: { shape: [...leading, globalFeatures] },
    };
  }

  /** Room for `count` graphs. */
  allocate(count: number): GraphArrays {
    const { nodes, identities, links, edges, globals } = this.lengths;
    return {
      nodes: new Float32Array(count * nodes),
      identities: new Float32Array(count * identities),
      links: new Float32Array(count * links),
      edges: new Float32Array(count * edges),
      globals: new Float32Array(count * globals),
    };
  }

  /** Copies graph `from` of `source` to place `to` of `target`. */
  copy(source: GraphArrays, from: number, target: GraphArrays, to: number): void {
    for (const name of graphArrayNames) {
      const length = this.lengths[name];
      target[name].set(source[name].subarray(from * length, (from + 1) * length), to * length);
    }
  }

  /** Writes the observation at `offset` of `observations` to place `graph` of `target`. */
  arrange(observations: Float32Array, offset: number, target: GraphArrays, graph: number): void {
    const { layout, parts, lengths } = this;
    const identities = observations.subarray(offset + parts.identities, offset + parts.identities + layout.nodes);
    target.identities.set(identities, graph * lengths.identities);
    this.arrangeNodes(observations.subarray(offset + parts.nodes), identities, target.nodes, graph * lengths.nodes);
    this.arrangeEdges(observations.subarray(offset + parts.edges), identities, target, graph);
    for (let i = 0; i < layout.globalFeatures; i++) {
      target.globals[graph * lengths.globals + i] = observations[offset + parts.globals + i];
    }
  }

  private arrangeNodes(features: Float32Array, identities: Float32Array, target: Float32Array, start: number): void {
    const { nodeFeatures } = this.layout;
    for (let i = 0; i < this.lengths.nodes; i++) {
      target[start + i] = identities[Math.floor(i / nodeFeatures)] > 0 ? features[i] : 0;
    }
  }

  private arrangeEdges(rows: Float32Array, identities: Float32Array, target: GraphArrays, graph: number): void {
    const { layout, lengths, sizes, firstFeature } = this;
    const links = target.links.subarray(graph * lengths.links, (graph + 1) * lengths.links).fill(0);
    const edges = target.edges.subarray(graph * lengths.edges, (graph + 1) * lengths.edges).fill(0);
    for (let row = 0; row < layout.edges * layout.edgeFeatures; row += layout.edgeFeatures) {
      if (!(rows[row + activeColumn] > 0.5)) continue;
      const source = rows[row + sourceColumn];
      const goal = rows[row + targetColumn];
      // A slot that is no whole number in range has no identity either.
      if (!(identities[source] > 0 && identities[goal] > 0)) continue;
      const cell = goal * layout.nodes + source;
      links[cell]++;
      for (let g = 0; g < sizes.edgeFeatures; g++) edges[g * links.length + cell] += rows[row + firstFeature + g];
    }
    average(links, edges);
  }

  /** The same for the rows of a tensor [batch, elements]. @returns tensors in the shapes of {@link inputs}. */
  arranged(observation: tf.Tensor): Tensors {
    const { nodes, nodeFeatures, edges, edgeFeatures, globalFeatures } = this.layout;
    const batch = observation.shape[0];
    const [nodePart, identities, edgePart, globals] = tf.split(
      observation,
      [nodes * nodeFeatures, nodes, edges * edgeFeatures, globalFeatures].filter((length) => length > 0),
      1,
    );
    const present = presence(identities);
    return {
      nodes: tf.mul(tf.reshape(nodePart, [batch, nodes, nodeFeatures]), tf.expandDims(present, 2)),
      identities,
      ...this.arrangedEdges(tf.reshape(edgePart, [batch, edges, edgeFeatures]), present),
      globals: globalFeatures > 0 ? globals : tf.zeros([batch, 1]),
    };
  }

  private arrangedEdges(rows: tf.Tensor, present: tf.Tensor): { links: tf.Tensor; edges: tf.Tensor } {
    const { nodes, edges: count } = this.layout;
    const { edgeFeatures } = this.sizes;
    const cells = nodes * nodes;
    const batch = rows.shape[0];
    const active = tf.greater(tf.slice(rows, [0, 0, activeColumn], [batch, count, 1]), 0.5);
    const features = tf.slice(rows, [0, 0, this.firstFeature], [batch, count, edgeFeatures]);
    const values = tf.concat([features, tf.cast(active, 'float32')], 2);
    const sums = tf.unsortedSegmentSum(
      tf.reshape(values, [batch * count, edgeFeatures + 1]),
      this.places(rows, active),
      batch * (cells + 1),
    );
    const inCells = tf.slice(tf.reshape(sums, [batch, cells + 1, edgeFeatures + 1]), [0, 0, 0], [batch, cells, -1]);
    const both = tf.mul(tf.expandDims(present, 2), tf.expandDims(present, 1));
    const seen = tf.mul(
      tf.reshape(tf.transpose(inCells, [0, 2, 1]), [batch, edgeFeatures + 1, nodes, nodes]),
      tf.expandDims(both, 1),
    );
    const [totals, links] = tf.split(seen, [edgeFeatures, 1], 1);
    return { links: tf.reshape(links, [batch, nodes, nodes]), edges: tf.div(totals, tf.maximum(links, 1)) };
  }

  /** For each row of each graph its cell among those of all graphs; behind a graph's cells is a place for what has none. */
  private places(rows: tf.Tensor, active: tf.Tensor): tf.Tensor1D {
    const { nodes, edges: count } = this.layout;
    const batch = rows.shape[0];
    const slots = (column: number): tf.Tensor => tf.slice(rows, [0, 0, column], [batch, count, 1]);
    const inRange = (slot: tf.Tensor): tf.Tensor =>
      tf.logicalAnd(tf.equal(tf.floor(slot), slot), tf.logicalAnd(tf.greaterEqual(slot, 0), tf.less(slot, nodes)));
    const [source, target] = [slots(sourceColumn), slots(targetColumn)];
    const placed = tf.logicalAnd(active, tf.logicalAnd(inRange(source), inRange(target)));
    const cell = tf.where(placed, tf.add(tf.mul(target, nodes), source), tf.scalar(nodes * nodes));
    const graph = tf.cumsum(tf.ones([batch, 1, 1], 'int32'), 0, true);
    const start = tf.mul(graph, tf.scalar(nodes * nodes + 1, 'int32'));
    return tf.reshape(tf.add(tf.cast(cell, 'int32'), start), [batch * count]);
  }
}

/** 1 where somebody is in the slot and 0 where not, in the shape of the identities. */
export function presence(identities: tf.Tensor): tf.Tensor {
  return tf.cast(tf.greater(identities, 0), 'float32');
}

/** Turns sums into means. */
function average(links: Float32Array, sums: Float32Array): void {
  for (let cell = 0; cell < links.length; cell++) {
    if (links[cell] < 2) continue;
    for (let i = cell; i < sums.length; i += links.length) sums[i] /= links[cell];
  }
}

/** @throws CoxswainError ENVIRONMENT_INVALID when the observation is no graph, or the heads are not its slots. */
export function graphLayoutOf({ name, graph, actionSpace, observationSpace }: EnvironmentDescription): GraphLayout {
  if (!graph) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${name}: its observation is no graph (the description has no graph layout). Choose an algorithm for plain vectors, such as ppo.`,
    );
  }
  const heads = actionSpace.kind === 'box' ? 0 : choicesOf(actionSpace).length;
  if (heads !== graph.nodes) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${name}: the action space has ${heads} heads, but the graph has ${graph.nodes} node slots; it needs one for each.`,
    );
  }
  const { size } = graphParts(graph);
  if (graph.nodes < 1 || graph.nodeFeatures < 1 || graph.edges < 1 || graph.edgeFeatures <= activeColumn) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${name}: a graph needs at least one node slot, node feature and edge, and the columns source, target and active.`,
    );
  }
  if (observationSpace.shape.length !== 1 || observationSpace.shape[0] !== size) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${name}: the graph layout describes ${size} numbers, but the observation has shape [${observationSpace.shape.join(', ')}].`,
    );
  }
  return graph;
}

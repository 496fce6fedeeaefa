import * as tf from '@tensorflow/tfjs-core';

import { ParameterLayout } from '../../tensor/parameters.ts';
import type { Tensors } from '../../tensor/trace.ts';
import { normalisationClip } from '../normalisation.ts';
import { RunningStatistics } from '../running-statistics.ts';
import type { StatisticsState } from '../running-statistics.ts';
import type { GraphArrays, GraphSizes } from './graph-arrangement.ts';
import { presence } from './graph-arrangement.ts';

/** Keeps features that never changed from being divided by zero. */
const varianceFloor = 1e-8;

const parts = ['nodes', 'edges', 'globals'] as const;
type Part = (typeof parts)[number];

/** What {@link GraphNormaliser.saveState} returns. */
export type GraphStatisticsState = Readonly<Record<Part, StatisticsState>>;

/**
 * Brings the features of graphs to mean 0 and deviation 1, clipped at ±10. A feature has one mean for all nodes (or
 * edges) of all graphs, and only nodes and edges that are there count or are changed: empty slots stay 0.
 */
export class GraphNormaliser {
  /** Where means and deviations lie in the vector that {@link current} gives. */
  readonly layout: ParameterLayout;
  private readonly sizes: GraphSizes;
  private readonly statistics: Readonly<Record<Part, RunningStatistics>>;

  constructor(sizes: GraphSizes) {
    const { nodeFeatures, edgeFeatures, globalFeatures } = sizes;
    const counts = { nodes: nodeFeatures, edges: edgeFeatures, globals: globalFeatures };
    this.sizes = sizes;
    this.layout = statisticsLayout(sizes);
    this.statistics = {
      nodes: new RunningStatistics(counts.nodes),
      edges: new RunningStatistics(counts.edges),
      globals: new RunningStatistics(counts.globals),
    };
  }

  /** Counts graphs `from` to `to` (not included). */
  add({ nodes, identities, links, edges, globals }: GraphArrays, from: number, to: number): void {
    const { nodes: slots, nodeFeatures, edgeFeatures, globalFeatures } = this.sizes;
    const cells = slots * slots;
    const edge = new Float64Array(edgeFeatures);
    for (let slot = from * slots; slot < to * slots; slot++) {
      if (identities[slot] > 0) this.statistics.nodes.add(nodes, slot * nodeFeatures);
    }
    for (let graph = from; graph < to; graph++) {
      for (let cell = 0; cell < cells; cell++) {
        if (links[graph * cells + cell] === 0) continue;
        for (let g = 0; g < edgeFeatures; g++) edge[g] = edges[(graph * edgeFeatures + g) * cells + cell];
        this.statistics.edges.add(edge);
      }
      this.statistics.globals.add(globals, graph * globalFeatures);
    }
  }

  /** Normalises graphs `from` to `to` (not included) in place. */
  apply({ nodes, identities, links, edges, globals }: GraphArrays, from: number, to: number): void {
    const { nodes: slots, nodeFeatures, edgeFeatures, globalFeatures } = this.sizes;
    const cells = slots * slots;
    const scales = Object.fromEntries(parts.map((part) => [part, new Scale(this.statistics[part])]));
    for (let slot = from * slots; slot < to * slots; slot++) {
      if (!(identities[slot] > 0)) continue;
      for (let f = 0; f < nodeFeatures; f++) scales.nodes.apply(nodes, slot * nodeFeatures + f, f);
    }
    for (let graph = from; graph < to; graph++) {
      for (let cell = 0; cell < cells; cell++) {
        if (links[graph * cells + cell] === 0) continue;
        for (let g = 0; g < edgeFeatures; g++) scales.edges.apply(edges, (graph * edgeFeatures + g) * cells + cell, g);
      }
      for (let k = 0; k < globalFeatures; k++) scales.globals.apply(globals, graph * globalFeatures + k, k);
    }
  }

  /** The present means and deviations, in the order of {@link layout}: what a policy carries among its weights. */
  current(): Float32Array {
    const values = new Float32Array(this.layout.size);
    for (const part of parts) {
      const { mean, deviation } = new Scale(this.statistics[part]);
      this.layout.view(values, `${part}.mean`).set(mean);
      this.layout.view(values, `${part}.deviation`).set(deviation);
    }
    return values;
  }

  saveState(): GraphStatisticsState {
    const { nodes, edges, globals } = this.statistics;
    return { nodes: nodes.saveState(), edges: edges.saveState(), globals: globals.saveState() };
  }

  loadState(state: GraphStatisticsState): void {
    for (const part of parts) this.statistics[part].loadState(state[part]);
  }
}

/** Means and deviations as weights that are not trained. */
export function statisticsLayout({ nodeFeatures, edgeFeatures, globalFeatures }: GraphSizes): ParameterLayout {
  return new ParameterLayout({
    'nodes.mean': [nodeFeatures],
    'nodes.deviation': [nodeFeatures],
    'edges.mean': [edgeFeatures],
    'edges.deviation': [edgeFeatures],
    'globals.mean': [globalFeatures],
    'globals.deviation': [globalFeatures],
  });
}

/** {@link GraphNormaliser.apply} for tensors [batch, …]; `weights` are those of {@link statisticsLayout}. */
export function normalised(weights: Tensors, graph: Tensors): Tensors {
  const { nodes, identities, links, edges, globals } = graph;
  const linked = presence(links);
  const perEdge = (name: string): tf.Tensor => tf.reshape(weights[name], [-1, 1, 1]);
  return {
    ...graph,
    nodes: tf.mul(
      scaled(nodes, weights['nodes.mean'], weights['nodes.deviation']),
      tf.expandDims(presence(identities), 2),
    ),
    edges: tf.mul(scaled(edges, perEdge('edges.mean'), perEdge('edges.deviation')), tf.expandDims(linked, 1)),
    globals: scaled(globals, weights['globals.mean'], weights['globals.deviation']),
  };
}

function scaled(x: tf.Tensor, mean: tf.Tensor, deviation: tf.Tensor): tf.Tensor {
  return tf.clipByValue(tf.div(tf.sub(x, mean), deviation), -normalisationClip, normalisationClip);
}

/** Shift and scale as 32-bit numbers, as the exported policy has them. */
class Scale {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;

  constructor(statistics: RunningStatistics) {
    const { mean } = statistics;
    this.mean = Float32Array.from(mean);
    this.deviation = Float32Array.from(mean, (_, i) => Math.sqrt(statistics.variance(i) + varianceFloor));
  }

  apply(values: Float32Array, place: number, feature: number): void {
    const scaledValue = (values[place] - this.mean[feature]) / this.deviation[feature];
    values[place] = Math.max(-normalisationClip, Math.min(normalisationClip, scaledValue));
  }
}

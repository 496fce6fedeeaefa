import * as tf from '@tensorflow/tfjs-core';

import { ParameterLayout } from '../../tensor/parameters.ts';
import type { Tensors } from '../../tensor/trace.ts';
import { orthogonal } from '../networks.ts';
import type { Generator } from '../random.ts';
import { attentionOver } from './edge-attention.ts';
import type { GraphSizes } from './graph-arrangement.ts';
import { presence } from './graph-arrangement.ts';

/** How large the network is. */
export interface GraphNetworkShape extends GraphSizes {
  /** Numbers that describe a node between two layers. */
  readonly width: number;
  /** Rounds of attention over the edges; 0 keeps every node to itself. */
  readonly rounds: number;
  /** Numbers of a query, a key and a value of the attention. */
  readonly attentionWidth: number;
  /** Numbers that a node remembers; 0: it remembers nothing. */
  readonly memoryWidth: number;
  /** Logits of a node. */
  readonly choices: number;
}

/** What the network computes. */
export interface GraphOutputs {
  /** [graphs, N × choices], not masked. */
  readonly logits: tf.Tensor;
  /** [graphs] */
  readonly values: tf.Tensor;
  /** [sequences, N, memoryWidth] after the last graph of each sequence, 0 in empty slots; absent without memory. */
  readonly memory?: tf.Tensor;
}

/** The edges of some graphs. */
interface Links {
  /** [graphs, N, N] */
  readonly counts: tf.Tensor;
  /** [graphs, edgeFeatures, N, N] */
  readonly features: tf.Tensor;
  /** For each round and direction [graphs, N, N]. */
  readonly scores: readonly tf.Tensor[];
}

/** Messages go with the calls and against them: to the called service and back to its caller. */
const directions = 2;

/**
 * The network of a policy over graphs that change, and of its value. For sequences of S graphs, each with N slots:
 *
 * 1. Encode: a node's features and the graph's → `width` numbers.
 * 2. Round(s) of attention along the edges, both ways, one head a direction: scores are products of queries and keys plus
 *    a linear function of the edge's features, messages are values (Vaswani et al. 2017 with the edge bias of Ying et
 *    al., "Do Transformers Really Perform Badly for Graph Representation?", 2021, section 3.1.3); in the first round the
 *    edges' features are part of the message (Shi et al., "Masked Label Prediction: Unified Message Passing Model for
 *    Semi-Supervised Classification", 2021, equation 4).
 * 3. Memory: each node's GRU takes in what arrived (Rossi et al., "Temporal Graph Networks", 2020, section 3.1; the cell
 *    is Cho et al.'s of 2014 in the form of cuDNN). Memories follow identities: a node finds that of its own identity
 *    in the step before, wherever its slot was, and starts from 0 when there is none.
 * 4. A last round of attention over what the nodes now remember (TGN's graph attention embedding).
 * 5. Heads: the same layer on every node, with the mean of all nodes as context; value: that mean and the graph's
 *    features.
 *
 * Slots are treated alike: permuting them permutes logits and memory, and what is in an empty slot or an inactive edge
 * has no influence.
 */
export class GraphNetwork {
  readonly shape: GraphNetworkShape;
  /** Weights of everything but the value. */
  readonly policyLayout: ParameterLayout;
  /** Weights of the value's own layers, which lie behind the policy's. */
  readonly valueLayout: ParameterLayout;
  readonly layout: ParameterLayout;

  constructor(shape: GraphNetworkShape) {
    const { nodeFeatures, edgeFeatures, globalFeatures, width, memoryWidth, choices } = shape;
    this.shape = shape;
    const memory = {
      'memory.input.weights': [width, 3 * memoryWidth],
      'memory.input.bias': [3 * memoryWidth],
      'memory.state.weights': [memoryWidth, 3 * memoryWidth],
    };
    this.policyLayout = new ParameterLayout({
      'encoder.nodes.weights': [nodeFeatures, width],
      'encoder.nodes.bias': [width],
      'encoder.globals.weights': [globalFeatures, width],
      ...(shape.rounds > 0 ? { 'edges.scores.weights': [directions * shape.rounds, edgeFeatures] } : {}),
      ...Object.assign({}, ...Array.from({ length: shape.rounds }, (_, round) => this.roundShapes(round))),
      ...(memoryWidth > 0 ? memory : {}),
      'heads.context.weights': [this.finalWidth, width],
      'heads.hidden.weights': [this.finalWidth, width],
      'heads.hidden.bias': [width],
      'heads.output.weights': [choices, width],
      'heads.output.bias': [choices],
    });
    this.valueLayout = new ParameterLayout({
      'value.context.weights': [this.finalWidth, width],
      'value.globals.weights': [globalFeatures, width],
      'value.hidden.bias': [width],
      'value.output.weights': [width, 1],
      'value.output.bias': [1],
    });
    this.layout = new ParameterLayout({ ...this.policyLayout.shapes, ...this.valueLayout.shapes });
  }

  /** The round after which memories are updated: only the last round reads what they hold then. */
  private get memoryRound(): number {
    return Math.max(0, this.shape.rounds - 1);
  }

  /** Numbers of a node before a round. */
  private widthBefore(round: number): number {
    const { width, memoryWidth } = this.shape;
    return round === this.memoryRound ? width + memoryWidth : width;
  }

  /** Numbers of a node before the heads. */
  private get finalWidth(): number {
    return this.shape.rounds === 0 ? this.widthBefore(0) : this.shape.width;
  }

  private roundShapes(round: number): Record<string, number[]> {
    const { width, attentionWidth, edgeFeatures } = this.shape;
    const before = this.widthBefore(round);
    const heard = attentionWidth + (round === 0 ? edgeFeatures : 0);
    return {
      [`round${round}.attention.weights`]: [before, (directions + 2) * attentionWidth],
      [`round${round}.update.weights`]: [before + directions * heard, width],
      [`round${round}.update.bias`]: [width],
    };
  }

  /** Orthogonal weights (Saxe et al. 2014); heads of almost zero make the first policy uniform. */
  initialParameters(generator: Generator): Float32Array {
    const parameters = new Float32Array(this.layout.size);
    for (const [name, lengths] of Object.entries(this.layout.shapes)) {
      if (lengths.length !== 2) continue;
      this.layout.view(parameters, name).set(orthogonal(lengths[0], lengths[1], this.gain(name), generator));
    }
    return parameters;
  }

  private gain(name: string): number {
    if (name === 'heads.output.weights') return 0.01;
    // Scores are products of queries and keys: the 1/√width of Vaswani et al. 2017 is in the first weights.
    if (name.endsWith('.attention.weights')) return 1 / this.shape.attentionWidth ** 0.25;
    if (name.startsWith('memory.') || name === 'value.output.weights') return 1;
    return Math.SQRT2;
  }

  /**
   * @param graphs [sequences, S, …] for each array of GraphArrays; with a memory also `before` [sequences, S, N], the
   * identities of the step before each graph (0 at the start of an episode), and `memory` [sequences, N, memoryWidth]
   * from before the first graph.
   * @param weights without the value's: then there are no values.
   */
  outputs(weights: Tensors, graphs: Tensors): GraphOutputs {
    const { rounds, memoryWidth, choices, nodes } = this.shape;
    const graphCount = graphs.identities.shape[0] * graphs.identities.shape[1]!;
    const globals = tf.reshape(graphs.globals, [graphCount, -1]);
    const links = this.links(weights, graphs, graphCount);
    let x = this.encoded(weights, graphs, globals);
    let memory: tf.Tensor | undefined;
    for (let round = 0; round <= this.memoryRound; round++) {
      if (round === this.memoryRound && memoryWidth > 0) {
        const remembered = this.remembered(weights, x, graphs);
        memory = remembered.memory;
        x = tf.concat([x, remembered.states], 1);
      }
      if (round < rounds) x = this.attended(weights, round, x, links);
    }
    const context = this.context(x, tf.reshape(graphs.identities, [graphCount, nodes]));
    const logits = tf.reshape(this.heads(weights, x, context), [graphCount, nodes * choices]);
    const values = 'value.hidden.bias' in weights ? this.value(weights, context, globals) : tf.zeros([graphCount]);
    return { logits, values, ...(memory ? { memory } : {}) };
  }

  /** [graphs × N, width] */
  private encoded(weights: Tensors, { nodes }: Tensors, globals: tf.Tensor): tf.Tensor {
    const { nodes: slots, nodeFeatures, width } = this.shape;
    const own = tf.add(
      tf.matMul(tf.reshape(nodes, [-1, nodeFeatures]), weights['encoder.nodes.weights']),
      weights['encoder.nodes.bias'],
    );
    const shared = tf.expandDims(tf.matMul(globals, weights['encoder.globals.weights']), 1);
    const sum = tf.add(tf.reshape(own, [globals.shape[0], slots, width]), shared);
    return tf.tanh(tf.reshape(sum, [-1, width]));
  }

  /** What the rounds need of the edges, graph by graph, and what the edges' features add to the scores of each round. */
  private links(weights: Tensors, { links, edges }: Tensors, graphCount: number): Links {
    const { nodes, edgeFeatures, rounds } = this.shape;
    if (rounds === 0) return { counts: links, features: edges, scores: [] };
    const cells = tf.reshape(edges, [graphCount, edgeFeatures, nodes * nodes]);
    const scores = tf.split(
      tf.matMul(tf.expandDims(weights['edges.scores.weights'], 0), cells),
      directions * rounds,
      1,
    );
    return {
      counts: tf.reshape(links, [graphCount, nodes, nodes]),
      features: tf.reshape(edges, [graphCount, edgeFeatures, nodes, nodes]),
      scores: scores.map((score) => tf.reshape(score, [graphCount, nodes, nodes])),
    };
  }

  /** One round: every node takes in what its neighbours say. [graphs × N, before] → [graphs × N, width] */
  private attended(weights: Tensors, round: number, x: tf.Tensor, links: Links): tf.Tensor {
    const { nodes, attentionWidth } = this.shape;
    const projected = tf.split(tf.matMul(x, weights[`round${round}.attention.weights`]), directions + 2, 1);
    const [keys, values, ...queries] = projected.map((part) => tf.reshape(part, [-1, nodes, attentionWidth]));
    const messages = queries.flatMap((query, direction) => {
      // A cell is [target, source]: a target listens along its row, a source along its column.
      const [targets, sources, along] = direction === 0 ? [query, keys, 2] : [keys, query, 1];
      const scores = tf.add(tf.matMul(targets, sources, false, true), links.scores[directions * round + direction]);
      const attention = attentionOver(scores, links.counts, along);
      const said = tf.reshape(tf.matMul(attention, values, direction === 1), [-1, attentionWidth]);
      return round > 0 ? [said] : [said, this.heardFromEdges(links, attention, along)];
    });
    const all = tf.concat([x, ...messages], 1);
    const update = tf.matMul(all, weights[`round${round}.update.weights`]);
    return tf.tanh(tf.add(update, weights[`round${round}.update.bias`]));
  }

  /** The features of the edges that every node attends to, weighted. [graphs × N, edgeFeatures] */
  private heardFromEdges({ features }: Links, attention: tf.Tensor, along: number): tf.Tensor {
    const heard = tf.sum(tf.mul(features, tf.expandDims(attention, 1)), along + 1);
    return tf.reshape(tf.transpose(heard, [0, 2, 1]), [-1, this.shape.edgeFeatures]);
  }

  /** Memories after each graph [graphs × N, memoryWidth] and, for the next step, after the last of each sequence. */
  private remembered(weights: Tensors, x: tf.Tensor, graphs: Tensors): { states: tf.Tensor; memory: tf.Tensor } {
    const { identities, before } = graphs;
    const { nodes, memoryWidth } = this.shape;
    const [sequences, steps] = identities.shape as [number, number];
    const gates = tf.add(tf.matMul(x, weights['memory.input.weights']), weights['memory.input.bias']);
    const gatesByStep = alongSteps(tf.reshape(gates, [sequences, steps, nodes, 3 * memoryWidth]));
    const sameByStep = alongSteps(sameIdentity(identities, before));
    let state = graphs.memory;
    const states = gatesByStep.map((step, index) => {
      const prior = tf.reshape(tf.matMul(sameByStep[index], state), [-1, memoryWidth]);
      const next = gated(weights['memory.state.weights'], tf.reshape(step, [-1, 3 * memoryWidth]), prior);
      state = tf.reshape(next, [sequences, nodes, memoryWidth]);
      return state;
    });
    const present = presence(alongSteps(tf.expandDims(identities, 3)).at(-1)!);
    return {
      states: tf.reshape(steps > 1 ? tf.stack(states, 1) : state, [-1, memoryWidth]),
      memory: tf.mul(state, present),
    };
  }

  /** The mean of the nodes that are there, [graphs, …]. */
  private context(x: tf.Tensor, identities: tf.Tensor): tf.Tensor {
    const { nodes } = this.shape;
    const present = presence(identities);
    const shares = tf.div(present, tf.maximum(tf.sum(present, 1, true), 1));
    const rows = tf.matMul(tf.expandDims(shares, 1), tf.reshape(x, [-1, nodes, this.finalWidth]));
    return tf.reshape(rows, [-1, this.finalWidth]);
  }

  private heads(weights: Tensors, x: tf.Tensor, context: tf.Tensor): tf.Tensor {
    const { nodes, width } = this.shape;
    const own = tf.add(tf.matMul(x, weights['heads.hidden.weights']), weights['heads.hidden.bias']);
    const shared = tf.expandDims(tf.matMul(context, weights['heads.context.weights']), 1);
    const hidden = tf.tanh(tf.reshape(tf.add(tf.reshape(own, [-1, nodes, width]), shared), [-1, width]));
    return tf.add(tf.matMul(hidden, weights['heads.output.weights'], false, true), weights['heads.output.bias']);
  }

  private value(weights: Tensors, context: tf.Tensor, globals: tf.Tensor): tf.Tensor {
    const sum = tf.add(
      tf.add(tf.matMul(context, weights['value.context.weights']), weights['value.hidden.bias']),
      tf.matMul(globals, weights['value.globals.weights']),
    );
    const value = tf.add(tf.matMul(tf.tanh(sum), weights['value.output.weights']), weights['value.output.bias']);
    return tf.reshape(value, [-1]);
  }
}

/** The parts of [sequences, S, a, b] along the second axis, each [sequences, a, b]. */
function alongSteps(x: tf.Tensor): tf.Tensor[] {
  const [sequences, steps, a, b] = x.shape as [number, number, number, number];
  const parts = steps > 1 ? tf.split(x, steps, 1) : [x];
  return parts.map((part) => tf.reshape(part, [sequences, a, b]));
}

/** [sequences, S, N, N]: 1 where the node of the row is the one that the column was in the step before. */
function sameIdentity(identities: tf.Tensor, before: tf.Tensor): tf.Tensor {
  const own = tf.expandDims(identities, 3);
  return tf.mul(tf.cast(tf.equal(own, tf.expandDims(before, 2)), 'float32'), presence(own));
}

/** A GRU's step: z keeps, r forgets. `input` [rows, 3 × width] holds what comes for z, r and the new content. */
function gated(weights: tf.Tensor, input: tf.Tensor, state: tf.Tensor): tf.Tensor {
  const width = state.shape[1]!;
  const [inputGates, inputContent] = tf.split(input, [2 * width, width], 1);
  const [stateGates, stateContent] = tf.split(tf.matMul(state, weights), [2 * width, width], 1);
  const [keep, reset] = tf.split(tf.sigmoid(tf.add(inputGates, stateGates)), 2, 1);
  const content = tf.tanh(tf.add(inputContent, tf.mul(reset, stateContent)));
  return tf.add(content, tf.mul(keep, tf.sub(state, content)));
}

import type { GraphArrangement, GraphArrays } from './graph-arrangement.ts';

/** What a rollout is made for. */
export interface GraphRolloutShape {
  /** Samples; a multiple of environments × sequenceSteps. */
  readonly size: number;
  readonly environments: number;
  /** Consecutive steps that are learned from together. */
  readonly sequenceSteps: number;
  /** Numbers that a node remembers. */
  readonly memoryWidth: number;
  /** Numbers in which an action is kept. */
  readonly actionSize: number;
  readonly masked: boolean;
}

/** The last step of an episode that was cut off: what was seen and remembered after it. */
interface CutOff {
  readonly place: number;
  readonly graph: GraphArrays;
  readonly memory: Float32Array;
}

/**
 * The samples of one rollout over graphs, all steps of the first environment, then those of the next: consecutive steps
 * of an environment are neighbours, so `sequenceSteps` of them are one sample of an update loop. Graphs are stored as the
 * network sees them. What was remembered is stored for the first step of a sequence only, as it was when the policy
 * acted (the stored states of Kapturowski et al., "Recurrent Experience Replay in Distributed Reinforcement Learning",
 * 2019, section 3).
 */
export class GraphRollout {
  readonly size: number;
  /** Steps of each environment. */
  readonly steps: number;
  readonly graphs: GraphArrays;
  /** Identities of the step before, 0 at the start of an episode: size × N. */
  readonly before: Float32Array;
  /** Sequences × N × memoryWidth. */
  readonly memory: Float32Array;
  /** The actions that were chosen, as the distribution keeps them. */
  readonly actions: Float32Array;
  /** 0 where a choice was allowed and −1e8 where not; null when nothing is masked. */
  readonly penalties: Float32Array | null;
  /** ln of the probability with which each action was chosen. */
  readonly logProbabilities: Float32Array;
  /** Values of the graphs when they were acted on. */
  readonly values: Float32Array;
  readonly rewards: Float32Array;
  /** 1 where the step ended an episode, by termination or truncation. */
  readonly ends: Uint8Array;
  readonly cutOffs: CutOff[] = [];
  private readonly shape: GraphRolloutShape;
  private readonly arrangement: GraphArrangement;

  constructor(arrangement: GraphArrangement, shape: GraphRolloutShape) {
    const { size, environments, sequenceSteps, memoryWidth, actionSize, masked } = shape;
    const { nodes } = arrangement.sizes;
    this.shape = shape;
    this.arrangement = arrangement;
    this.size = size;
    this.steps = size / environments;
    this.graphs = arrangement.allocate(size);
    this.before = new Float32Array(memoryWidth > 0 ? size * nodes : 0);
    this.memory = new Float32Array((size / sequenceSteps) * nodes * memoryWidth);
    this.actions = new Float32Array(size * actionSize);
    this.penalties = masked ? new Float32Array(size * actionSize) : null;
    this.logProbabilities = new Float32Array(size);
    this.values = new Float32Array(size);
    this.rewards = new Float32Array(size);
    this.ends = new Uint8Array(size);
  }

  /** Empties the rollout for the next one. */
  clear(): void {
    this.actions.fill(0);
    this.cutOffs.length = 0;
  }

  /** Where the sample of an environment's step lies. */
  place(step: number, environment: number): number {
    return environment * this.steps + step;
  }

  /** Takes in what was seen at a place: graph `row` of `graphs`. */
  see(place: number, graphs: GraphArrays, row: number): void {
    this.arrangement.copy(graphs, row, this.graphs, place);
  }

  /** Takes in what was remembered there: each slot's memory, then who was in it. */
  recall(place: number, memory: Float32Array): void {
    const { nodes } = this.arrangement.sizes;
    const states = nodes * this.shape.memoryWidth;
    this.before.set(memory.subarray(states), place * nodes);
    if (place % this.shape.sequenceSteps > 0) return;
    this.memory.set(memory.subarray(0, states), (place / this.shape.sequenceSteps) * states);
  }
}

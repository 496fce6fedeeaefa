import type {
  Environment,
  EnvironmentDescription,
  GraphLayout,
  Observation,
  Transition,
} from '../../../../src/rl/environment.ts';
import { graphParts } from '../../../../src/rl/graph-layout.ts';
import { Generator } from '../../../../src/rl/random.ts';

const choices = 3;
const layout: GraphLayout = { nodes: 4, nodeFeatures: choices, edges: 6, edgeFeatures: 4, globalFeatures: 0 };
const parts = graphParts(layout);
const row = { index: '0', name: 'x', unit: '', low: 0, high: 1, meaning: 'Toy.' };
const episodeSteps = 12;

/** Whoever is in a slot. */
interface Node {
  readonly identity: number;
  /** Slot of the node that calls it. */
  readonly caller: number;
  readonly signal: number;
  /** What its caller showed in the step before; −1 when there was none. */
  readonly heard: number;
}

interface EchoState {
  readonly generator: ReturnType<Generator['saveState']>;
  readonly slots: readonly (Node | null)[];
  readonly identities: number;
  readonly steps: number;
}

/**
 * Every node shows one of three signals, drawn anew at each step, and is called by one other node. Its right choice is
 * what its caller showed in the step **before**: nothing in the present observation tells it, and nothing that the node
 * itself ever showed does. Nodes go and new ones come into their slots at any step. Reward: the share of right choices.
 */
export class EchoGraph implements Environment {
  readonly description: EnvironmentDescription = {
    name: 'echo-graph',
    observationSpace: { kind: 'box', shape: [parts.size], low: -1, high: 2 ** 24 },
    actionSpace: { kind: 'multi-discrete', choices: new Array<number>(layout.nodes).fill(choices) },
    actionMaskSize: layout.nodes * choices,
    maxEpisodeSteps: episodeSteps,
    observationTable: [row],
    actionTable: [row],
    graph: layout,
  };
  /** Choices other than 0 of empty slots: must stay 0. */
  violations = 0;
  private readonly generator = new Generator(0);
  private slots: (Node | null)[] = [];
  private identities = 0;
  private steps = 0;

  reset(seed: number): Observation {
    this.generator.loadState(new Generator(seed).saveState());
    this.identities = 0;
    this.steps = 0;
    this.slots = Array.from({ length: layout.nodes }, () => null);
    for (const slot of [0, 1, 2]) this.join(slot);
    this.slots.forEach((node, slot) => {
      if (node) this.slots[slot] = { ...node, caller: this.someoneElse(slot) };
    });
    return this.observe();
  }

  step(action: Int32Array): Transition {
    let judged = 0;
    let right = 0;
    this.slots.forEach((node, slot) => {
      if (!node && action[slot] !== 0) this.violations++;
      if (!node || node.heard < 0) return;
      judged++;
      right += Number(action[slot] === node.heard);
    });
    this.steps++;
    this.advance();
    const truncated = this.steps >= episodeSteps;
    const reward = judged > 0 ? right / judged : 0;
    return { ...this.observe(), reward, terminated: false, truncated, measures: {} };
  }

  saveState(): EchoState {
    const { slots, identities, steps } = this;
    return { generator: this.generator.saveState(), slots, identities, steps };
  }

  loadState(state: unknown): Observation {
    const { generator, slots, identities, steps } = state as EchoState;
    this.generator.loadState(generator);
    this.slots = [...slots];
    Object.assign(this, { identities, steps });
    return this.observe();
  }

  /** New signals; in one of four steps somebody goes, and where nobody was somebody comes. */
  private advance(): void {
    const before = this.slots;
    this.slots = before.map(
      (node) => node && { ...node, heard: before[node.caller]?.signal ?? -1, signal: this.generator.integer(choices) },
    );
    if (this.generator.integer(4) > 0) return;
    const empty = this.slots.findIndex((node) => node === null);
    const leaving = this.generator.integer(layout.nodes);
    if (leaving !== empty) this.slots[leaving] = null;
    this.join(empty);
    // Who lost its caller finds another, of whom it has heard nothing yet.
    this.slots.forEach((node, slot) => {
      if (node?.caller === leaving) this.slots[slot] = { ...node, caller: this.someoneElse(slot), heard: -1 };
    });
  }

  private join(slot: number): void {
    this.slots[slot] = { identity: ++this.identities, caller: 0, signal: this.generator.integer(choices), heard: -1 };
    this.slots[slot] = { ...this.slots[slot], caller: this.someoneElse(slot) };
  }

  private someoneElse(slot: number): number {
    const others = this.slots.flatMap((node, other) => (node && other !== slot ? [other] : []));
    return others.length > 0 ? others[this.generator.integer(others.length)] : slot;
  }

  private observe(): Observation {
    const observation = new Float32Array(parts.size);
    const actionMask = new Uint8Array(layout.nodes * choices);
    let edge = parts.edges;
    this.slots.forEach((node, slot) => {
      actionMask[slot * choices] = 1;
      if (!node) return;
      actionMask.fill(1, slot * choices, (slot + 1) * choices);
      observation[slot * layout.nodeFeatures + node.signal] = 1;
      observation[parts.identities + slot] = node.identity;
      // An inactive row of nonsense before each edge.
      if (slot % 2 === 0) observation.set([slot, 3 - slot, 0, 1], edge);
      if (slot % 2 === 0) edge += layout.edgeFeatures;
      observation.set([node.caller, slot, 1, 0.5], edge);
      edge += layout.edgeFeatures;
    });
    return { observation, actionMask };
  }
}

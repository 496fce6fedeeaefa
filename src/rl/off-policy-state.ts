import type { AgentState } from './agent.ts';
import type { ReplayBuffer } from './replay/replay-buffer.ts';
import type { SavedUpdateState, UpdateState } from './update-state.ts';

/** Something with a state that JSON keeps exactly: a generator, or noise. */
export interface Stateful {
  saveState(): unknown;
  loadState(state: never): void;
}

/** What {@link OffPolicyState} keeps of its parts that are not vectors; JSON. */
interface Values {
  readonly steps: number;
  readonly others: Readonly<Record<string, unknown>>;
}

/**
 * Everything that an off-policy learner goes on with: vectors, replay, generators and a counter; saved, loaded, marked
 * and rewound as one.
 */
export class OffPolicyState {
  readonly vectors: UpdateState;
  readonly replay: ReplayBuffer;
  /** Environment steps recorded so far. */
  steps = 0;
  private readonly others: Readonly<Record<string, Stateful>>;
  private marked: { vectors: SavedUpdateState; values: Values } | null = null;

  /** @param others by name: generators, noise. */
  constructor(vectors: UpdateState, replay: ReplayBuffer, others: Readonly<Record<string, Stateful>>) {
    this.vectors = vectors;
    this.replay = replay;
    this.others = others;
  }

  save(): AgentState {
    const { updates, ...arrays } = this.vectors.save();
    const replay = this.replay.save();
    return {
      arrays: { ...arrays, ...replay.arrays },
      values: { ...this.values(), updates, replay: replay.values },
    };
  }

  load({ arrays, values }: AgentState): void {
    const { updates, replay, ...rest } = values as Values & { updates: number; replay: unknown };
    this.vectors.load({ parameters: arrays.parameters, moments: arrays.moments as Float32Array, updates });
    this.take(rest);
    this.replay.load(arrays, replay);
  }

  /** Remembers the present state; the replay's part of it costs nothing. */
  mark(): void {
    this.marked = { vectors: this.vectors.save(), values: this.values() };
    this.replay.mark();
  }

  /** Returns to the last {@link mark}. */
  rewind(): void {
    if (!this.marked) return;
    this.vectors.load(this.marked.vectors);
    this.take(this.marked.values);
    this.replay.rewind();
  }

  private values(): Values {
    const entries = Object.entries(this.others);
    return { steps: this.steps, others: Object.fromEntries(entries.map(([name, other]) => [name, other.saveState()])) };
  }

  private take({ steps, others }: Values): void {
    this.steps = steps;
    for (const [name, other] of Object.entries(this.others)) other.loadState(others[name] as never);
  }
}

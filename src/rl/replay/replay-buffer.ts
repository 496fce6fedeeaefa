import { CoxswainError } from '../../contracts/errors.ts';
import type { AgentState, StateArray } from '../agent.ts';
import type { EnvironmentDescription } from '../environment.ts';
import type { Generator } from '../random.ts';
import { choicesOf, spaceSize } from '../spaces.ts';
import type { StepResults } from '../vector-environment.ts';
import { RingColumns } from './columns.ts';
import type { ColumnArray, ColumnSpec } from './columns.ts';
import { LastObservations } from './last-observations.ts';
import { SumTree } from './sum-tree.ts';

/** How a {@link ReplayBuffer} keeps and samples. */
export interface ReplayOptions {
  /** Transitions that are kept, over all environments together; rounded down to whole steps of all environments. */
  readonly capacity: number;
  /** γ, per step. */
  readonly discount: number;
  /** Steps whose rewards a sample adds up before it looks at what follows (n-step returns). Default 1. */
  readonly returnSteps?: number;
  /** Default: every transition is as likely as any other. */
  readonly prioritised?: PriorityOptions;
}

/** Proportional prioritisation (Schaul et al. 2016, section 3.3): P(i) = pᵢ^α / Σ pᵏ^α with pᵢ = |δᵢ| + ε. */
export interface PriorityOptions {
  /** α; 0 is uniform. */
  readonly exponent: number;
  /** ε, which keeps every transition possible. Default 1e-6. */
  readonly offset?: number;
}

/**
 * Samples, one row each, in arrays that every {@link ReplayBuffer.sample} overwrites: the same arrays at every call, for
 * the programs that read them.
 */
export interface Minibatch {
  readonly size: number;
  /** [size × observationSize], what was acted on. */
  readonly observations: Float32Array;
  /** Bits of `observations`, 1 = allowed: [size × maskSize]; empty where nothing is masked. */
  readonly masks: Uint8Array;
  /** [size × heads] choices, or [size × elements] of a box. */
  readonly actions: Int32Array | Float32Array;
  /** Rₜ + γ Rₜ₊₁ + … over the steps of the sample: at most `returnSteps`, fewer before an episode's end or the present. */
  readonly rewards: Float32Array;
  /** What followed the steps of the sample; of an episode that was cut off its last observation. */
  readonly nextObservations: Float32Array;
  /** Bits of `nextObservations`. */
  readonly nextMasks: Uint8Array;
  /** What the value of `nextObservations` counts: γ to the number of steps of the sample, or 0 where the episode ended there. */
  readonly discounts: Float32Array;
  /** Importance weights (N · P(i))^−β divided by the largest of the minibatch; all 1 when sampling is uniform. */
  readonly weights: Float32Array;
  /** Which transitions these are, for {@link ReplayBuffer.setPriorities}. */
  readonly places: Int32Array;
}

/** What is wrong with the hyperparameters of an algorithm that keeps a {@link ReplayBuffer}, as its `conflicts`. */
export function replayConflicts(
  { replayCapacity }: { readonly replayCapacity: number },
  environments: number,
): string[] {
  if (replayCapacity >= environments) return [];
  return [`replayCapacity: found ${replayCapacity}; allowed: from the number of environments (${environments}) up.`];
}

/** How an episode went on after a step. */
const goesOn = 0;
const terminates = 1;
const isCutOff = 2;

const firstSteps = 1024;
/** Room beyond the capacity for the steps since a mark. */
const spareSteps = 1024;

type Name = 'observations' | 'masks' | 'actions' | 'rewards' | 'ends';

/** The part of the state that is not in arrays; JSON. */
interface StateValues {
  readonly steps: number;
  readonly started: boolean;
  readonly highestPriority: number;
}

/**
 * The latest transitions of environments that run side by side, for algorithms that learn off-policy.
 *
 * 1. An observation is kept once: what follows a step is what the next step acts on. Where an episode was cut off, that is
 *    another episode's beginning, and its last observation is kept aside; where it terminated, nothing is needed.
 * 2. Memory grows by doubling with what is filled, up to the capacity, and then no more. A transition takes
 *    4 × (observation elements + 1) + 1 bytes, its action (1 byte a head of up to 256 choices, else 4 a number), its mask
 *    bits, and 16 to 32 bytes for a priority: 1 million of CartPole 22 MB, prioritised 39 MB.
 * 3. Samples follow from the transitions, the priorities and the generator: not from how memory grew, nor from a save and
 *    load in between.
 * 4. {@link rewind} takes no copies: what has left the buffer since the {@link mark} is not overwritten. Mark regularly:
 *    memory is in proportion to the steps since the last one.
 */
export class ReplayBuffer {
  /** Steps of all environments that are kept at most. */
  private readonly capacitySteps: number;
  private readonly environments: number;
  private readonly observationSize: number;
  private readonly maskSize: number;
  private readonly actionSize: number;
  private readonly continuous: boolean;
  private readonly discount: number;
  private readonly returnSteps: number;
  private readonly exponent: number;
  private readonly offset: number;
  private readonly columns: RingColumns<Name>;
  private readonly lasts: LastObservations;
  private readonly priorities: SumTree | null;
  /** The largest priority so far, before α: that of a transition that was not yet learned from. */
  private highestPriority = 1;
  /** Steps recorded since the beginning. What is to be acted on next lies in the row of that number. */
  private steps = 0;
  private started = false;
  /** The oldest step and the state at the last mark. */
  private marked: { oldest: number; values: StateValues } | null = null;

  /** @throws CoxswainError SPEC_INVALID when the capacity does not hold one step of all environments. */
  constructor(description: EnvironmentDescription, environments: number, options: ReplayOptions) {
    const { observationSpace, actionSpace, actionMaskSize } = description;
    this.capacitySteps = Math.floor(options.capacity / environments);
    if (!(this.capacitySteps >= 1)) {
      throw new CoxswainError(
        'SPEC_INVALID',
        `A replay of ${options.capacity} transitions is too small for ${environments} environments; give at least one for each.`,
      );
    }
    this.environments = environments;
    this.observationSize = spaceSize(observationSpace);
    this.maskSize = actionMaskSize;
    this.continuous = actionSpace.kind === 'box';
    const choices = actionSpace.kind === 'box' ? [] : choicesOf(actionSpace);
    this.actionSize = actionSpace.kind === 'box' ? spaceSize(actionSpace) : choices.length;
    this.discount = options.discount;
    this.returnSteps = options.returnSteps ?? 1;
    this.exponent = options.prioritised?.exponent ?? 0;
    this.offset = options.prioritised?.offset ?? 1e-6;
    this.priorities = options.prioritised ? new SumTree() : null;
    const choiceType = choices.every((count) => count <= 256) ? 'uint8' : 'int32';
    const ofEach = (type: ColumnSpec['type'], size: number): ColumnSpec => ({ type, size: size * environments });
    this.columns = new RingColumns<Name>(
      {
        observations: ofEach('float32', this.observationSize),
        masks: ofEach('uint8', this.maskSize),
        actions: ofEach(this.continuous ? 'float32' : choiceType, this.actionSize),
        rewards: ofEach('float32', 1),
        ends: ofEach('uint8', 1),
      },
      Math.min(this.capacitySteps + 1, Math.ceil(firstSteps / environments) + 1),
    );
    this.lasts = new LastObservations(this.observationSize, this.maskSize);
  }

  /** Transitions that can be sampled. */
  get size(): number {
    return (this.steps - this.oldest) * this.environments;
  }

  /** Bytes of the arrays that are held now. */
  get bytes(): number {
    const rows = Object.values(this.columns.arrays).reduce((sum, { byteLength }) => sum + byteLength, 0);
    return rows + this.lasts.bytes + (this.priorities?.bytes ?? 0);
  }

  // ---- collect ---

  /** Takes in the very first observations that are acted on; later calls do nothing. */
  start(observations: Float32Array, masks: Uint8Array | null): void {
    if (this.started) return;
    this.started = true;
    this.enter(observations, masks);
  }

  /**
   * Takes in a step of all environments.
   * @param actions what was done, one row an environment, in the terms that the learner wants to sample.
   * @param next what is acted on after it: `observations` and `masks` of the environments.
   */
  record(
    actions: Int32Array | Float32Array,
    results: StepResults,
    next: { readonly observations: Float32Array; readonly masks: Uint8Array | null },
  ): void {
    const { environments, columns, steps } = this;
    const { rewards, terminated, truncated } = results;
    const { arrays } = columns;
    const row = (steps % columns.places) * environments;
    for (let index = 0; index < environments; index++) {
      arrays.rewards[row + index] = rewards[index];
      arrays.ends[row + index] = terminated[index] ? terminates : truncated[index] ? isCutOff : goesOn;
      if (arrays.ends[row + index] === isCutOff) this.keepLast(index, results);
      this.priorities?.set(this.placeOf(steps, index), this.highestPriority ** this.exponent);
    }
    const start = row * this.actionSize;
    for (let i = 0; i < actions.length; i++) arrays.actions[start + i] = actions[i];
    this.steps++;
    this.enter(next.observations, next.masks);
  }

  /** Writes what is to be acted on into the row after the last step. */
  private enter(observations: Float32Array, masks: Uint8Array | null): void {
    const { columns, steps } = this;
    const needed = steps + 1 - this.oldestKept;
    if (needed > columns.places) columns.grow(this.placesFor(needed), this.oldestKept, steps);
    const place = steps % columns.places;
    columns.arrays.observations.set(observations, place * observations.length);
    if (masks) columns.arrays.masks.set(masks, place * masks.length);
  }

  private keepLast(index: number, { lastObservations, lastMasks }: StepResults): void {
    const { environments } = this;
    const key = this.steps * environments + index;
    this.lasts.add(key, lastObservations[index]!, lastMasks[index], this.oldestKept * environments);
  }

  /** The oldest step that can be sampled. */
  private get oldest(): number {
    return Math.max(0, this.steps - this.capacitySteps);
  }

  /** The oldest step that a rewind may need. */
  private get oldestKept(): number {
    return this.marked ? this.marked.oldest : this.oldest;
  }

  private placesFor(needed: number): number {
    const { places } = this.columns;
    if (2 * places <= this.capacitySteps) return 2 * places;
    let spare = spareSteps;
    while (this.capacitySteps + 1 + spare < needed) spare *= 2;
    return this.capacitySteps + 1 + spare;
  }

  /** The leaf of a transition's priority: unique among those that can be sampled. */
  private placeOf(step: number, index: number): number {
    return (step % this.capacitySteps) * this.environments + index;
  }

  // ---- sample ---

  /**
   * Arrays for `size` samples.
   * @param given arrays to use for what a program reads from memory of its own. Default: new ones.
   */
  minibatch(size: number, given: Partial<Pick<Minibatch, 'observations' | 'nextObservations'>> = {}): Minibatch {
    const { observationSize, maskSize, actionSize } = this;
    const actions = size * actionSize;
    return {
      size,
      observations: new Float32Array(size * observationSize),
      masks: new Uint8Array(size * maskSize),
      actions: this.continuous ? new Float32Array(actions) : new Int32Array(actions),
      rewards: new Float32Array(size),
      nextObservations: new Float32Array(size * observationSize),
      nextMasks: new Uint8Array(size * maskSize),
      discounts: new Float32Array(size),
      weights: new Float32Array(size).fill(1),
      places: new Int32Array(size),
      ...given,
    };
  }

  /**
   * Fills a minibatch, with replacement. There must be a transition.
   * @param importanceExponent β of the importance weights, from 0 (no correction) to 1; counts where sampling is
   * prioritised. Default 1.
   */
  sample(minibatch: Minibatch, generator: Generator, importanceExponent = 1): void {
    const { environments, oldest, priorities, size } = this;
    if (priorities) {
      this.samplePriorities(priorities, minibatch, generator, importanceExponent);
      return;
    }
    for (let row = 0; row < minibatch.size; row++) {
      const drawn = generator.integer(size);
      const index = drawn % environments;
      const step = oldest + (drawn - index) / environments;
      minibatch.places[row] = this.placeOf(step, index);
      this.fill(minibatch, row, step, index);
    }
  }

  /** One draw from each of as many equal shares of the total as there are samples (appendix B.2.1). */
  private samplePriorities(tree: SumTree, minibatch: Minibatch, generator: Generator, exponent: number): void {
    const { environments, capacitySteps, oldest } = this;
    const share = tree.total / minibatch.size;
    let largest = 0;
    for (let row = 0; row < minibatch.size; row++) {
      const place = tree.find((row + generator.uniform()) * share);
      const index = place % environments;
      const slot = (place - index) / environments;
      // The only step that can be sampled whose number modulo the capacity is this one.
      const step = oldest + ((((slot - oldest) % capacitySteps) + capacitySteps) % capacitySteps);
      const weight = ((this.size * tree.get(place)) / tree.total) ** -exponent;
      largest = Math.max(largest, weight);
      minibatch.places[row] = place;
      minibatch.weights[row] = weight;
      this.fill(minibatch, row, step, index);
    }
    for (let row = 0; row < minibatch.size; row++) minibatch.weights[row] /= largest;
  }

  /**
   * Sets the priorities of a minibatch that was sampled since the last {@link record}.
   * @param errors δ of each sample.
   */
  setPriorities({ places, size }: Minibatch, errors: Float32Array): void {
    if (!this.priorities) return;
    for (let row = 0; row < size; row++) {
      const priority = Math.abs(errors[row]) + this.offset;
      this.highestPriority = Math.max(this.highestPriority, priority);
      this.priorities.set(places[row], priority ** this.exponent);
    }
  }

  /** Writes the sample that begins with a step of one environment. */
  private fill(minibatch: Minibatch, row: number, step: number, index: number): void {
    const { environments, observationSize, maskSize, actionSize, discount } = this;
    const { arrays, places } = this.columns;
    const first = (step % places) * environments + index;
    copyFloats(arrays.observations as Float32Array, first, minibatch.observations, row, observationSize);
    for (let i = 0; i < actionSize; i++) {
      minibatch.actions[row * actionSize + i] = arrays.actions[first * actionSize + i];
    }
    const last = Math.min(step + this.returnSteps, this.steps) - 1;
    let at = step;
    let place = first;
    let factor = discount;
    let sum = arrays.rewards[first];
    while (at < last && arrays.ends[place] === goesOn) {
      at++;
      place = (at % places) * environments + index;
      sum += factor * arrays.rewards[place];
      factor *= discount;
    }
    const end = arrays.ends[place];
    const cutOff = end === isCutOff;
    const source = cutOff ? this.lasts : arrays;
    const next = cutOff ? this.lasts.placeOf(at * environments + index) : ((at + 1) % places) * environments + index;
    minibatch.rewards[row] = sum;
    minibatch.discounts[row] = end === terminates ? 0 : factor;
    copyFloats(source.observations as Float32Array, next, minibatch.nextObservations, row, observationSize);
    if (maskSize === 0) return;
    copyBits(arrays.masks as Uint8Array, first, minibatch.masks, row, maskSize);
    copyBits(source.masks as Uint8Array, next, minibatch.nextMasks, row, maskSize);
  }

  // ---- save and load ---

  /** Remembers the present state for {@link rewind}. */
  mark(): void {
    this.marked = { oldest: this.oldest, values: this.values() };
    this.lasts.mark();
    this.priorities?.mark();
  }

  /** Returns to the state of the last {@link mark}; without one nothing happens. */
  rewind(): void {
    if (!this.marked) return;
    this.take(this.marked.values);
    this.lasts.rewind();
    this.priorities?.rewind();
  }

  /** Everything that is needed to go on, for a checkpoint: arrays whose names begin with `replay.`, and JSON. */
  save(): { arrays: Record<string, StateArray>; values: unknown } {
    return {
      arrays: {
        ...prefixed('replay.', this.savedRows()),
        ...prefixed('replay.last.', this.lasts.save(this.oldest * this.environments)),
        ...(this.priorities ? { 'replay.priorities': this.priorities.weights(this.size) } : {}),
      },
      values: this.values(),
    };
  }

  private savedRows(): Record<Name, ColumnArray> {
    const rows = this.columns.rows(this.oldest, this.steps + Number(this.started));
    // Of the row after the last step only what is acted on counts: what else is there may be from before a rewind.
    rows.actions.fill(0, this.size * this.actionSize);
    rows.rewards.fill(0, this.size);
    rows.ends.fill(0, this.size);
    return rows;
  }

  /** Takes over what {@link save} of a buffer with the same options gave. Forgets the mark. */
  load(arrays: AgentState['arrays'], values: unknown): void {
    this.take(values as StateValues);
    this.marked = null;
    const { oldest, columns } = this;
    const rows = this.steps - oldest + Number(this.started);
    while (columns.places < rows) columns.grow(this.placesFor(rows), 0, 0);
    columns.restore(oldest, named(arrays, 'replay.', Object.keys(columns.arrays) as Name[]), rows);
    this.lasts.load(named(arrays, 'replay.last.', ['keys', 'observations', 'masks']));
    this.priorities?.fill(arrays['replay.priorities'] as Float64Array);
  }

  private values(): StateValues {
    const { steps, started, highestPriority } = this;
    return { steps, started, highestPriority };
  }

  private take({ steps, started, highestPriority }: StateValues): void {
    this.steps = steps;
    this.started = started;
    this.highestPriority = highestPriority;
  }
}

/** Rows above this length are copied by the runtime; shorter ones cost less number by number. */
const shortRow = 48;

/** Copies row `from` to row `to`. */
function copyFloats(source: Float32Array, from: number, target: Float32Array, to: number, size: number): void {
  if (size > shortRow) {
    target.set(source.subarray(from * size, (from + 1) * size), to * size);
    return;
  }
  for (let i = 0; i < size; i++) target[to * size + i] = source[from * size + i];
}

function copyBits(source: Uint8Array, from: number, target: Uint8Array, to: number, size: number): void {
  for (let i = 0; i < size; i++) target[to * size + i] = source[from * size + i];
}

function prefixed(prefix: string, arrays: Readonly<Record<string, StateArray>>): Record<string, StateArray> {
  return Object.fromEntries(Object.entries(arrays).map(([name, values]) => [prefix + name, values]));
}

function named<N extends string>(
  arrays: Readonly<Record<string, StateArray>>,
  prefix: string,
  names: readonly N[],
): Record<N, StateArray> {
  return Object.fromEntries(names.map((name) => [name, arrays[prefix + name]])) as Record<N, StateArray>;
}

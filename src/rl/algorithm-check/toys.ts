import { CoxswainError } from '../../contracts/errors.ts';
import type { Environment, EnvironmentDescription, Observation, Space, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { GraphToy } from './graph-toy.ts';

/** Steps after which an episode of a toy ends: odd ones are cut off, even ones end. */
const episodeSteps = 5;

interface ToyState {
  readonly generator: ReturnType<Generator['saveState']>;
  readonly context: number;
  readonly forbidden: number;
  readonly steps: number;
  readonly cutOff: boolean;
}

/**
 * A few steps in three contexts that come at random. In context c the right choice of a head with k choices is c mod k,
 * of a box's element the c-th third of its range; the reward is the share of right parts. Where it masks, one wrong
 * choice of the last head is forbidden. Every second episode is truncated, the others are terminated.
 */
class ContextToy implements Environment {
  readonly description: EnvironmentDescription;
  private readonly observation = new Float32Array(3);
  private readonly mask: Uint8Array | null;
  private readonly generator = new Generator(0);
  /** After this many steps, over all episodes, every reward is NaN. */
  private readonly nanAfter: number;
  private lived = 0;
  private context = 0;
  private forbidden = 0;
  private steps = 0;
  private cutOff = false;

  constructor(actionSpace: Space, masks: boolean, nanAfter: number) {
    const actionMaskSize = masks && actionSpace.kind !== 'box' ? sum(choicesOf(actionSpace)) : 0;
    const row = { index: '0', unit: '', low: 0, high: 1 };
    this.description = {
      name: `${actionSpace.kind}-toy`,
      observationSpace: { kind: 'box', shape: [3], low: 0, high: 1 },
      actionSpace,
      actionMaskSize,
      maxEpisodeSteps: episodeSteps,
      observationTable: [{ ...row, index: '0–2', name: 'context', meaning: 'A one at the context, else zeros.' }],
      actionTable: [{ ...row, name: 'answer', meaning: 'What fits the context.' }],
    };
    this.mask = actionMaskSize > 0 ? new Uint8Array(actionMaskSize).fill(1) : null;
    this.nanAfter = nanAfter;
  }

  reset(seed: number): Observation {
    this.generator.loadState(new Generator(seed).saveState());
    this.steps = 0;
    this.cutOff = seed % 2 === 1;
    return this.next();
  }

  step(action: Int32Array | Float32Array): Transition {
    if (this.steps >= episodeSteps) {
      throw new CoxswainError('ENVIRONMENT_INVALID', 'The toy was stepped after the end of an episode.');
    }
    const reward = ++this.lived > this.nanAfter ? NaN : this.rightShare(action);
    this.steps++;
    const over = this.steps >= episodeSteps;
    const seen = this.next();
    return { ...seen, reward, terminated: over && !this.cutOff, truncated: over && this.cutOff, measures: {} };
  }

  saveState(): ToyState {
    const { context, forbidden, steps, cutOff } = this;
    return { generator: this.generator.saveState(), context, forbidden, steps, cutOff };
  }

  loadState(state: unknown): Observation {
    const { generator, context, forbidden, steps, cutOff } = state as ToyState;
    this.generator.loadState(generator);
    Object.assign(this, { context, forbidden, steps, cutOff });
    return this.observe();
  }

  private rightShare(action: Int32Array | Float32Array): number {
    const { actionSpace } = this.description;
    if (actionSpace.kind === 'box') {
      const distance = Math.abs(action[0] - (2 * this.context - 2) / 3);
      return Math.max(0, 1 - distance);
    }
    const choices = choicesOf(actionSpace);
    return choices.filter((count, head) => action[head] === this.context % count).length / choices.length;
  }

  private next(): Observation {
    this.context = this.generator.integer(3);
    this.forbidden = this.generator.integer(1 << 20);
    return this.observe();
  }

  private observe(): Observation {
    for (let c = 0; c < 3; c++) this.observation[c] = Number(c === this.context);
    const { actionSpace } = this.description;
    if (this.mask && actionSpace.kind !== 'box') {
      const last = choicesOf(actionSpace).at(-1)!;
      const wrong = (this.context + 1 + (this.forbidden % (last - 1))) % last;
      this.mask.fill(1);
      this.mask[this.mask.length - last + wrong] = 0;
    }
    return { observation: this.observation, actionMask: this.mask };
  }
}

function choicesOf(space: Exclude<Space, { kind: 'box' }>): readonly number[] {
  return space.kind === 'discrete' ? [space.n] : space.choices;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

const spaces: Readonly<Record<Space['kind'], Space>> = {
  discrete: { kind: 'discrete', n: 3 },
  'multi-discrete': { kind: 'multi-discrete', choices: [2, 3] },
  box: { kind: 'box', shape: [1], low: -1, high: 1 },
};

/** Which toy. */
export interface ToyOptions {
  readonly kind: Space['kind'];
  readonly masks: boolean;
  /** True for a toy whose observation is a graph; `kind` is then multi-discrete. Default false. */
  readonly graph?: boolean;
  /** Steps after which the rewards are NaN. Default never. */
  readonly nanAfter?: number;
}

/** A small environment with this kind of action space. */
export function createToy({ kind, masks, graph = false, nanAfter = Infinity }: ToyOptions): Environment {
  if (!graph) return new ContextToy(spaces[kind], masks, nanAfter);
  return new GraphToy(() => new ContextToy(spaces.discrete, masks, nanAfter), masks);
}

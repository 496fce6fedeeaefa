import type { Environment, EnvironmentDescription, Observation, Transition } from '../../../src/rl/environment.ts';
import { Generator } from '../../../src/rl/random.ts';

const rows = 4;
const columns = 12;
const moves = [[-1, 0], [0, 1], [1, 0], [0, -1]] as const; // prettier-ignore
const start = [rows - 1, 0] as const;

/**
 * The cliff of Sutton & Barto (2018), example 6.6: 4 × 12 cells, start at the lower left, goal at the lower right, a cliff
 * between them. −1 a step; stepping off the cliff costs 100 and leads back to the start. The observation is (row, column);
 * 0 … 3 move up, right, down, left. Along the edge it is 13 steps to the goal, along the top 17.
 */
export class CliffWalk implements Environment {
  readonly description: EnvironmentDescription;
  /** Steps off the cliff. */
  falls = 0;
  /** Moves against a wall; there are none where these are masked. */
  bumps = 0;
  private readonly maxSteps: number;
  private row = 0;
  private column = 0;
  private steps = 0;

  /** @param masked whether moves against the walls are forbidden. @param maxSteps steps after which an episode is cut off. */
  constructor({ masked = false, maxSteps = 1000 } = {}) {
    this.maxSteps = maxSteps;
    this.description = {
      name: 'cliff-walk',
      observationSpace: { kind: 'box', shape: [2], low: [0, 0], high: [rows - 1, columns - 1] },
      actionSpace: { kind: 'discrete', n: 4 },
      actionMaskSize: masked ? 4 : 0,
      maxEpisodeSteps: maxSteps,
      observationTable: [],
      actionTable: [],
    };
  }

  reset(): Observation {
    this.steps = 0;
    [this.row, this.column] = start;
    return this.observe();
  }

  step([action]: Int32Array): Transition {
    const row = this.row + moves[action][0];
    const column = this.column + moves[action][1];
    const outside = row < 0 || row >= rows || column < 0 || column >= columns;
    if (outside) this.bumps++;
    else [this.row, this.column] = [row, column];
    const offCliff = this.row === rows - 1 && this.column > 0 && this.column < columns - 1;
    if (offCliff) {
      this.falls++;
      [this.row, this.column] = start;
    }
    const terminated = this.row === rows - 1 && this.column === columns - 1;
    const truncated = ++this.steps >= this.maxSteps;
    return { ...this.observe(), reward: offCliff ? -100 : -1, terminated, truncated, measures: {} };
  }

  saveState(): unknown {
    return [this.row, this.column, this.steps];
  }

  loadState(state: unknown): Observation {
    [this.row, this.column, this.steps] = state as [number, number, number];
    return this.observe();
  }

  private observe(): Observation {
    const mask = moves.map(([down, right]) => {
      const [row, column] = [this.row + down, this.column + right];
      return Number(row >= 0 && row < rows && column >= 0 && column < columns);
    });
    const masked = this.description.actionMaskSize > 0;
    return { observation: Float32Array.of(this.row, this.column), actionMask: masked ? Uint8Array.from(mask) : null };
  }
}

/**
 * Five cells in a row, begun in any of them; choices are left, stay, right. Each step costs 0.1; the right end gives 1 and
 * ends the episode, so that right is best everywhere. Where masked, staying is forbidden, and so is left at the left end.
 */
export class Corridor implements Environment {
  readonly description: EnvironmentDescription;
  /** Forbidden choices that were taken: must stay 0. */
  violations = 0;
  private readonly masked: boolean;
  private cell = 0;
  private steps = 0;

  constructor(masked = false) {
    this.masked = masked;
    this.description = {
      name: 'corridor',
      observationSpace: { kind: 'box', shape: [5], low: 0, high: 1 },
      actionSpace: { kind: 'discrete', n: 3 },
      actionMaskSize: masked ? 3 : 0,
      maxEpisodeSteps: 12,
      observationTable: [],
      actionTable: [],
    };
  }

  reset(seed: number): Observation {
    this.steps = 0;
    this.cell = new Generator(seed).integer(4);
    return this.observe();
  }

  step([action]: Int32Array): Transition {
    if (this.masked && (action === 1 || (action === 0 && this.cell === 0))) this.violations++;
    this.cell = Math.max(0, this.cell + action - 1);
    const terminated = this.cell === 4;
    const truncated = ++this.steps >= 12;
    return { ...this.observe(), reward: terminated ? 1 : -0.1, terminated, truncated, measures: {} };
  }

  saveState(): unknown {
    return [this.cell, this.steps];
  }

  loadState(state: unknown): Observation {
    [this.cell, this.steps] = state as [number, number];
    return this.observe();
  }

  private observe(): Observation {
    const mask = this.masked ? Uint8Array.of(Number(this.cell > 0), 0, 1) : null;
    return { observation: Float32Array.from([0, 1, 2, 3, 4], (cell) => Number(cell === this.cell)), actionMask: mask };
  }
}

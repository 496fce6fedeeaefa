import type { Environment, EnvironmentDescription, Observation, Transition } from '../../environment.ts';
import { Generator } from '../../random.ts';
import { choiceAt, stepOutsideEpisode } from '../step-checks.ts';
import { NAME, parseRadioParameters } from './options.ts';
import type { RadioParameters } from './options.ts';
import { HIGHEST_ENERGY } from './power-model.ts';
import { actionTable, BLOCKS_PER_CHOICE, CHOICES, HEADS, SCHEDULERS_OF, writeMask } from './radio-actions.ts';
import { divideBlocks, RadioCell } from './radio-cell.ts';
import type { RadioCellState } from './radio-cell.ts';
import { observationTable, writeObservation } from './radio-observation.ts';
import { EMBB, FRAME_MS, MMTC, SLICES, URLLC } from './slices.ts';

/** Of the latency term: what a late share of URLLC counts, and of mMTC. */
const URLLC_SHARE = 0.7;
const MMTC_SHARE = 0.3;
/** Late shares up to which a user's service level is kept. */
const URLLC_TOLERANCE = 0.01;
const MMTC_TOLERANCE = 0.05;
/** Share of the wanted throughput from which on an eMBB user's service level is kept. */
const EMBB_TOLERANCE = 0.8;

interface RadioState {
  readonly steps: number;
  readonly cell: RadioCellState;
}

/**
 * The radio resources of a 5G cell, divided among three slices every 10 ms; docs/environments/radio-resources.md describes
 * model, tables and reward.
 */
export class RadioResources implements Environment {
  readonly description: EnvironmentDescription;
  readonly cell: RadioCell;
  private readonly parameters: RadioParameters;
  private readonly observation: Float32Array;
  private readonly mask: Uint8Array;
  private readonly schedulers = new Int32Array(SLICES.length);
  private readonly powers = new Int32Array(SLICES.length);
  /** Steps played of the episode; −1 before the first reset. */
  private steps = -1;

  /** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  constructor(parameters: Readonly<Record<string, unknown>> = {}) {
    this.parameters = parseRadioParameters(parameters);
    this.cell = new RadioCell(this.parameters);
    this.description = describe(this.parameters);
    this.observation = new Float32Array(this.description.observationTable.length);
    this.mask = new Uint8Array(this.description.actionMaskSize);
  }

  reset(seed: number): Observation {
    this.cell.reset(new Generator(seed));
    this.steps = 0;
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    const { episodeSteps } = this.parameters;
    if (this.steps < 0 || this.steps >= episodeSteps) throw stepOutsideEpisode(NAME);
    const choice = (head: number): number => choiceAt(NAME, action, head, CHOICES[head]);
    const urllc = BLOCKS_PER_CHOICE * choice(HEADS.urllcBlocks);
    const mmtc = BLOCKS_PER_CHOICE * choice(HEADS.mmtcBlocks);
    for (let slice = 0; slice < SLICES.length; slice++) {
      this.schedulers[slice] = SCHEDULERS_OF[slice][choice(HEADS.scheduler + slice)];
      this.powers[slice] = choice(HEADS.power + slice);
    }
    // Users who are there now are those that the frame is about.
    this.cell.play({ blocks: divideBlocks(urllc, mmtc), schedulers: this.schedulers, powers: this.powers });
    this.steps++;
    const measures = this.measure();
    return {
      ...this.observe(),
      reward: measures.rewardThroughput + measures.rewardLatency + measures.rewardEnergy,
      terminated: false,
      truncated: this.steps === episodeSteps,
      measures,
    };
  }

  saveState(): RadioState {
    return { steps: this.steps, cell: this.cell.saveState() };
  }

  loadState(state: unknown): Observation {
    const { steps, cell } = state as RadioState;
    this.steps = steps;
    this.cell.loadState(cell);
    return this.observe();
  }

  private measure() {
    const { cell, parameters } = this;
    const urllcLate = cell.lateShare(URLLC);
    const mmtcLate = cell.lateShare(MMTC);
    return {
      throughputMbps: cell.servedBits[EMBB] / (1000 * FRAME_MS),
      urllcLateShare: urllcLate,
      mmtcLateShare: mmtcLate,
      energyJoules: cell.energy,
      usedBlocks: cell.usedBlocks[EMBB] + cell.usedBlocks[URLLC] + cell.usedBlocks[MMTC],
      slaSatisfaction: this.slaSatisfaction(),
      rewardThroughput: parameters.throughputWeight * this.utility(),
      rewardLatency: -parameters.latencyWeight * (URLLC_SHARE * urllcLate + MMTC_SHARE * mmtcLate),
      rewardEnergy: (-parameters.energyWeight * cell.energy) / (HIGHEST_ENERGY * FRAME_MS),
    };
  }

  /** Mean over eMBB users of ln(1 + r) / ln(1 + wanted), r in Mbit/s, each at most 1; 1 when there is none. */
  private utility(): number {
    const { cell } = this;
    let sum = 0;
    let users = 0;
    for (let u = 0; u < cell.bounds[URLLC]; u++) {
      if (cell.population.present[u] === 0) continue;
      users++;
      sum += Math.min(1, Math.log1p(cell.throughput[u] / 1000) / Math.log1p(cell.wanted(u) / 1000));
    }
    return users > 0 ? sum / users : 1;
  }

  /** Share of the users whose service level is kept; 1 when nobody is there. */
  private slaSatisfaction(): number {
    const { cell } = this;
    let kept = 0;
    for (let u = 0; u < cell.bounds[URLLC]; u++) {
      if (cell.population.present[u] === 1 && cell.throughput[u] >= EMBB_TOLERANCE * cell.wanted(u)) kept++;
    }
    if (cell.lateShares[URLLC] <= URLLC_TOLERANCE) kept += cell.population.count(URLLC);
    if (cell.lateShares[MMTC] <= MMTC_TOLERANCE) kept += cell.population.count(MMTC);
    const users = SLICES.reduce((sum, _, slice) => sum + cell.population.count(slice), 0);
    return users > 0 ? kept / users : 1;
  }

  private observe(): Observation {
    writeObservation(this.cell, this.observation);
    writeMask((slice) => this.cell.population.count(slice), this.mask);
    return { observation: this.observation, actionMask: this.mask };
  }
}

function describe(parameters: RadioParameters): EnvironmentDescription {
  const table = observationTable(parameters);
  return {
    name: NAME,
    observationSpace: { kind: 'box', shape: [table.length], low: 0, high: 1 },
    actionSpace: { kind: 'multi-discrete', choices: CHOICES },
    actionMaskSize: CHOICES.reduce((sum, count) => sum + count, 0),
    maxEpisodeSteps: parameters.episodeSteps,
    observationTable: table,
    actionTable: actionTable(),
  };
}

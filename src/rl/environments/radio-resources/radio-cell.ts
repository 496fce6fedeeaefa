import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { Channel } from './channel.ts';
import type { ChannelState } from './channel.ts';
import { BITS_PER_BLOCK, broadband, reliable } from './link-adaptation.ts';
import type { RadioParameters } from './options.ts';
import { Population } from './population.ts';
import type { PopulationState } from './population.ts';
import { energyOfMillisecond } from './power-model.ts';
import { POWERS } from './radio-actions.ts';
import { Scheduler } from './scheduler.ts';
import { BLOCKS, EMBB, FRAME_MS, MMTC, sliceBounds, SLICES, URLLC } from './slices.ts';
import type { SliceBounds } from './slices.ts';
import { Traffic } from './traffic.ts';
import type { TrafficState } from './traffic.ts';

/** Time constant of the recent throughput, ms. */
const THROUGHPUT_MS = 100;
/** Weight of a new frame in the recent late shares. */
const LATE_WEIGHT = 0.05;

/** How a frame is played: per slice. */
export interface Allocation {
  /** Blocks of each slice, together at most 100. */
  readonly blocks: ArrayLike<number>;
  readonly schedulers: ArrayLike<number>;
  /** Index into the powers. */
  readonly powers: ArrayLike<number>;
}

/** State of a {@link RadioCell} as JSON. */
export interface RadioCellState {
  readonly generator: GeneratorState;
  readonly population: PopulationState;
  readonly channel: ChannelState;
  readonly traffic: TrafficState;
  readonly turns: readonly number[];
  readonly throughput: readonly number[];
  readonly usedBlocks: readonly number[];
  readonly lateShares: readonly number[];
  readonly energy: number;
}

/** A cell with its users, their channels and queues, and what the last frame did. */
export class RadioCell {
  readonly bounds: SliceBounds;
  readonly population: Population;
  readonly channel: Channel;
  readonly traffic: Traffic;
  /** Recent throughput of each user, bits/ms (kbit/s). */
  readonly throughput: Float64Array;
  /** CQI of each user at full power. */
  readonly cqi: Uint8Array;
  /** Blocks that each slice sent on in the last frame, mean over its milliseconds. */
  readonly usedBlocks = new Float64Array(SLICES.length);
  /** Bits that each slice delivered, and lost by being late, in the last frame. */
  readonly servedBits = new Float64Array(SLICES.length);
  readonly lateBits = new Float64Array(SLICES.length);
  /** Recent share of late bits of each slice. */
  readonly lateShares = new Float64Array(SLICES.length);
  /** Energy of the last frame, joules. */
  energy = 0;
  private readonly parameters: RadioParameters;
  private readonly schedulers: readonly Scheduler[];
  private readonly bitsPerBlock: Float64Array;
  private readonly wait: Float64Array;
  /** Views of the arrays above, one per slice. */
  private readonly inputs: readonly SliceInput[];
  private generator = new Generator(0);

  constructor(parameters: RadioParameters) {
    this.parameters = parameters;
    const bounds = sliceBounds([parameters.embbUsers, parameters.urllcUsers, parameters.mmtcUsers]);
    const users = bounds[3];
    this.bounds = bounds;
    this.population = new Population(bounds);
    this.channel = new Channel(users, parameters);
    this.traffic = new Traffic(bounds, parameters);
    this.throughput = new Float64Array(users);
    this.cqi = new Uint8Array(users);
    this.bitsPerBlock = new Float64Array(users);
    this.wait = new Float64Array(users);
    const backlogs = [this.traffic.elastic, this.traffic.urllc.backlog, this.traffic.mmtc.backlog];
    this.schedulers = backlogs.map((backlog) => new Scheduler(backlog.length));
    this.inputs = backlogs.map((backlog, slice) => ({
      backlog,
      bitsPerBlock: this.bitsPerBlock.subarray(bounds[slice], bounds[slice + 1]),
      throughput: this.throughput.subarray(bounds[slice], bounds[slice + 1]),
      wait: this.wait.subarray(bounds[slice], bounds[slice + 1]),
      given: new Int32Array(backlog.length),
    }));
  }

  /** Draws a new situation; nothing waits. */
  reset(generator: Generator): void {
    this.generator = generator;
    this.usedBlocks.fill(0);
    this.lateShares.fill(0);
    this.throughput.fill(0);
    this.energy = 0;
    for (let u = 0; u < this.bounds[3]; u++) this.traffic.leave(u);
    for (const scheduler of this.schedulers) scheduler.turn = 0;
    this.traffic.reset();
    this.channel.reset(generator);
    this.population.reset(generator, this.enter);
    this.report();
  }

  /** Plays a frame under an allocation, then lets users, channels and the neighbours move on. */
  play(allocation: Allocation): void {
    this.servedBits.fill(0);
    this.lateBits.fill(0);
    this.usedBlocks.fill(0);
    this.energy = 0;
    this.adaptLinks(allocation);
    this.traffic.openFrame(this.population.present, this.generator);
    for (let ms = 0; ms < FRAME_MS; ms++) this.playMillisecond(ms, allocation);
    for (let i = 0; i < this.inputs[MMTC].backlog.length; i++) this.lateBits[MMTC] += this.traffic.mmtc.age(i);
    for (let slice = 0; slice < SLICES.length; slice++) this.noteLate(slice);
    this.advance();
  }

  /** Late bits over all bits that were due, of one slice in the last frame. */
  lateShare(slice: number): number {
    const due = this.servedBits[slice] + this.lateBits[slice];
    return due > 0 ? this.lateBits[slice] / due : 0;
  }

  /** Throughput at which eMBB user `u` is satisfied, bits/ms: its video's rate, or the target of a full buffer. */
  wanted(u: number): number {
    const video = this.traffic.videoBits[u];
    return video > 0 ? video / FRAME_MS : this.parameters.targetMbps * 1000;
  }

  /** How urgently user `u` waits, 0 … 1: eMBB: what it lacks of its rate; else the age of its oldest bits over the deadline. */
  urgency(u: number): number {
    if (this.population.present[u] === 0) return 0;
    const { traffic, bounds } = this;
    if (u < bounds[URLLC]) return Math.max(0, 1 - this.throughput[u] / this.wanted(u));
    return u < bounds[MMTC] ? traffic.urllc.oldest(u - bounds[URLLC]) : traffic.mmtc.oldest(u - bounds[MMTC]);
  }

  /** Bits that wait for user `u`. */
  backlog(u: number): number {
    const slice = u < this.bounds[URLLC] ? EMBB : u < this.bounds[MMTC] ? URLLC : MMTC;
    return this.inputs[slice].backlog[u - this.bounds[slice]];
  }

  saveState(): RadioCellState {
    return {
      generator: this.generator.saveState(),
      population: this.population.saveState(),
      channel: this.channel.saveState(),
      traffic: this.traffic.saveState(),
      turns: this.schedulers.map(({ turn }) => turn),
      throughput: [...this.throughput],
      usedBlocks: [...this.usedBlocks],
      lateShares: [...this.lateShares],
      energy: this.energy,
    };
  }

  loadState(state: RadioCellState): void {
    this.generator.loadState(state.generator);
    this.population.loadState(state.population);
    this.channel.loadState(state.channel);
    this.traffic.loadState(state.traffic);
    this.schedulers.forEach((scheduler, slice) => (scheduler.turn = state.turns[slice]));
    this.throughput.set(state.throughput);
    this.usedBlocks.set(state.usedBlocks);
    this.lateShares.set(state.lateShares);
    this.energy = state.energy;
    this.report();
  }

  private playMillisecond(ms: number, { blocks, schedulers, powers }: Allocation): void {
    this.traffic.openMillisecond(ms, this.population.present);
    let weightedBlocks = 0;
    for (let slice = 0; slice < SLICES.length; slice++) {
      const input = this.inputs[slice];
      this.noteWaits(slice);
      const used = this.schedulers[slice].share(schedulers[slice], blocks[slice], input, input.given);
      this.deliver(slice, input);
      this.usedBlocks[slice] += used / FRAME_MS;
      weightedBlocks += used * POWERS[powers[slice]];
    }
    this.energy += energyOfMillisecond(weightedBlocks);
    for (let i = 0; i < this.inputs[URLLC].backlog.length; i++) this.lateBits[URLLC] += this.traffic.urllc.age(i);
  }

  private deliver(slice: number, { backlog, bitsPerBlock, throughput, given }: SliceInput): void {
    for (let i = 0; i < backlog.length; i++) {
      const served = this.take(slice, i, given[i] * bitsPerBlock[i]);
      throughput[i] += (served - throughput[i]) / THROUGHPUT_MS;
      this.servedBits[slice] += served;
    }
  }

  private take(slice: number, i: number, capacity: number): number {
    if (slice === URLLC) return this.traffic.urllc.serve(i, capacity);
    if (slice === MMTC) return this.traffic.mmtc.serve(i, capacity);
    const served = Math.min(capacity, this.traffic.elastic[i]);
    this.traffic.elastic[i] -= served;
    return served;
  }

  /** Bits that a block carries to each user in this frame, at the slice's power. */
  private adaptLinks({ powers }: Allocation): void {
    for (let slice = 0; slice < SLICES.length; slice++) {
      const table = slice === URLLC ? reliable : broadband;
      const power = POWERS[powers[slice]];
      for (let u = this.bounds[slice]; u < this.bounds[slice + 1]; u++) {
        const cqi = table.cqi(power * this.channel.sinr[u]);
        this.bitsPerBlock[u] = Math.floor(table.efficiencies[cqi] * BITS_PER_BLOCK);
      }
    }
  }

  private noteWaits(slice: number): void {
    const { wait, backlog } = this.inputs[slice];
    for (let i = 0; i < wait.length; i++) {
      if (backlog[i] === 0) wait[i] = 0;
      else if (slice === URLLC) wait[i] = this.traffic.urllc.oldest(i);
      else if (slice === MMTC) wait[i] = this.traffic.mmtc.oldest(i);
      else wait[i] = backlog[i] / (this.throughput[i] + 1);
    }
  }

  private noteLate(slice: number): void {
    this.lateShares[slice] += LATE_WEIGHT * (this.lateShare(slice) - this.lateShares[slice]);
  }

  private advance(): void {
    const { generator, population, channel } = this;
    channel.advanceLoad(generator);
    for (let u = 0; u < this.bounds[3]; u++) if (population.present[u] === 1) channel.advance(u, generator);
    population.advance(generator, this.enter, this.leave);
    this.report();
  }

  /** The users' reports of their channels. */
  private report(): void {
    for (let u = 0; u < this.bounds[3]; u++) {
      const table = u >= this.bounds[URLLC] && u < this.bounds[MMTC] ? reliable : broadband;
      this.cqi[u] = this.population.present[u] === 1 ? table.cqi(this.channel.sinr[u]) : 0;
    }
  }

  private readonly enter = (u: number): void => {
    this.channel.place(u, this.generator);
    this.traffic.enter(u, this.generator);
    // A newcomer is taken to be satisfied: what it lacks shows as time passes.
    this.throughput[u] = u < this.bounds[URLLC] ? this.wanted(u) : 0;
  };

  private readonly leave = (u: number): void => {
    this.traffic.leave(u);
    this.throughput[u] = 0;
  };
}

/** What the scheduler sees of a slice, and what it gives. */
interface SliceInput {
  readonly backlog: Float64Array;
  readonly bitsPerBlock: Float64Array;
  readonly throughput: Float64Array;
  readonly wait: Float64Array;
  readonly given: Int32Array;
}

/** Blocks of each slice when URLLC and mMTC have theirs. */
export function divideBlocks(urllc: number, mmtc: number): readonly [embb: number, urllc: number, mmtc: number] {
  return [BLOCKS - urllc - mmtc, urllc, mmtc];
}

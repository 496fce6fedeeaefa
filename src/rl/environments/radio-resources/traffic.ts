import type { Generator } from '../../random.ts';
import { AgedQueues } from './aged-queues.ts';
import type { AgedQueuesState } from './aged-queues.ts';
import type { RadioParameters } from './options.ts';
import { EMBB, FRAME_MS, MMTC, URLLC } from './slices.ts';
import type { SliceBounds } from './slices.ts';

/** What waits for a user with a full buffer, bits: more than a frame can carry. */
export const FULL_BUFFER_BITS = 10_000_000;
/** A video buffers so much of its mean rate, seconds; what comes on top is lost. */
const VIDEO_BUFFER_SECONDS = 1;
/** Spread of the logarithm of what a video sends in a frame. */
const VIDEO_SPREAD = 0.3;
/** Time between two packets of a URLLC user, ms: usually, and during an alarm. */
const PACKET_PERIOD_MS = 5;
const ALARM_PERIOD_MS = 1;
/** Chance that an alarm of a user begins, and ends, in a frame. */
const ALARM_BEGINS = 0.01;
const ALARM_ENDS = 0.1;
/** Messages of a device group in a frame outside of bursts. */
const BACKGROUND_MESSAGES = 0.2;
/** Messages of a device group in a burst, and its length, frames. */
const BURST_MESSAGES = 200;
const BURST_FRAMES = 100;
/** Chance that a burst begins in a frame without one. */
const BURST_BEGINS = 0.005;

/** State of {@link Traffic} as JSON. */
export interface TrafficState {
  readonly videoBits: readonly number[];
  readonly elastic: readonly number[];
  readonly urllc: AgedQueuesState;
  readonly mmtc: AgedQueuesState;
  readonly phase: readonly number[];
  readonly alarm: readonly number[];
  readonly burstFrame: number;
}

/**
 * What users want to receive. All amounts are whole bits, so that sums are exact.
 *
 * - eMBB: a user has a full buffer, or watches a video whose frames vary lognormally.
 * - URLLC: a packet every 5 ms, during an alarm every 1 ms, lost after its deadline.
 * - mMTC: Poisson messages, and bursts of all devices at once shaped like a Beta(3, 4) density over a second
 *   (3GPP TR 37.868, traffic model 2), lost after their deadline.
 */
export class Traffic {
  /** Bits that wait for each eMBB user. */
  readonly elastic: Float64Array;
  readonly urllc: AgedQueues;
  readonly mmtc: AgedQueues;
  /** Mean bits that an eMBB user's video sends in a frame; 0 = a full buffer. */
  readonly videoBits: Float64Array;
  private readonly phase: Uint8Array;
  private readonly alarm: Uint8Array;
  /** Frames since the burst began; −1 when there is none. */
  private burstFrame = -1;
  private readonly parameters: RadioParameters;
  private readonly bounds: SliceBounds;

  constructor(bounds: SliceBounds, parameters: RadioParameters) {
    const count = (slice: number): number => bounds[slice + 1] - bounds[slice];
    this.bounds = bounds;
    this.parameters = parameters;
    this.elastic = new Float64Array(count(EMBB));
    this.videoBits = new Float64Array(count(EMBB));
    this.urllc = new AgedQueues(count(URLLC), parameters.urllcDeadlineMs);
    this.mmtc = new AgedQueues(count(MMTC), parameters.mmtcDeadlineFrames);
    this.phase = new Uint8Array(count(URLLC));
    this.alarm = new Uint8Array(count(URLLC));
  }

  reset(): void {
    this.burstFrame = -1;
  }

  /** A user comes: its kind is drawn, nothing waits. */
  enter(user: number, generator: Generator): void {
    const { bounds, parameters } = this;
    if (user < bounds[URLLC]) {
      const full = generator.uniform() < parameters.fullBufferShare;
      const mean = parameters.videoMbps * (0.3 + 1.4 * generator.uniform());
      this.videoBits[user] = full ? 0 : mean * 1000 * FRAME_MS;
      this.elastic[user] = 0;
    } else if (user < bounds[MMTC]) {
      this.phase[user - bounds[URLLC]] = generator.integer(PACKET_PERIOD_MS);
      this.alarm[user - bounds[URLLC]] = 0;
    }
  }

  /** A user goes, and what waited with it. */
  leave(user: number): void {
    const { bounds } = this;
    if (user < bounds[URLLC]) this.elastic[user] = 0;
    else if (user < bounds[MMTC]) this.urllc.clear(user - bounds[URLLC]);
    else this.mmtc.clear(user - bounds[MMTC]);
  }

  /** What arrives at the beginning of a frame. */
  openFrame(present: Uint8Array, generator: Generator): void {
    for (let u = 0; u < this.bounds[URLLC]; u++) if (present[u] === 1) this.feedElastic(u, generator);
    for (let i = 0; i < this.alarm.length; i++) {
      if (generator.uniform() < (this.alarm[i] === 1 ? ALARM_ENDS : ALARM_BEGINS)) this.alarm[i] = 1 - this.alarm[i];
    }
    this.advanceBurst(generator);
    const messages = BACKGROUND_MESSAGES + BURST_MESSAGES * this.burstShare();
    for (let u = this.bounds[MMTC]; u < this.bounds[3]; u++) {
      if (present[u] === 0) continue;
      this.mmtc.add(u - this.bounds[MMTC], 8 * this.parameters.mmtcMessageBytes * generator.poisson(messages));
    }
  }

  /** The URLLC packets that arrive in millisecond `ms` of a frame. */
  openMillisecond(ms: number, present: Uint8Array): void {
    const first = this.bounds[URLLC];
    for (let i = 0; i < this.phase.length; i++) {
      if (present[first + i] === 0) continue;
      const period = this.alarm[i] === 1 ? ALARM_PERIOD_MS : PACKET_PERIOD_MS;
      if ((ms + this.phase[i]) % period === 0) this.urllc.add(i, 8 * this.parameters.urllcPacketBytes);
    }
  }

  saveState(): TrafficState {
    return {
      videoBits: [...this.videoBits],
      elastic: [...this.elastic],
      urllc: this.urllc.saveState(),
      mmtc: this.mmtc.saveState(),
      phase: [...this.phase],
      alarm: [...this.alarm],
      burstFrame: this.burstFrame,
    };
  }

  loadState(state: TrafficState): void {
    this.videoBits.set(state.videoBits);
    this.elastic.set(state.elastic);
    this.urllc.loadState(state.urllc);
    this.mmtc.loadState(state.mmtc);
    this.phase.set(state.phase);
    this.alarm.set(state.alarm);
    this.burstFrame = state.burstFrame;
  }

  private feedElastic(u: number, generator: Generator): void {
    const mean = this.videoBits[u];
    if (mean === 0) {
      this.elastic[u] = FULL_BUFFER_BITS;
      return;
    }
    const sent = Math.round(mean * Math.exp(VIDEO_SPREAD * generator.normal() - VIDEO_SPREAD ** 2 / 2));
    const most = Math.round((mean / FRAME_MS) * 1000 * VIDEO_BUFFER_SECONDS);
    this.elastic[u] = Math.min(most, this.elastic[u] + sent);
  }

  private advanceBurst(generator: Generator): void {
    if (this.burstFrame < 0) {
      if (generator.uniform() < BURST_BEGINS) this.burstFrame = 0;
    } else if (++this.burstFrame >= BURST_FRAMES) this.burstFrame = -1;
  }

  /** Share of a burst's messages that falls into this frame: the density of Beta(3, 4), 60 x² (1 − x)³. */
  private burstShare(): number {
    if (this.burstFrame < 0) return 0;
    const x = (this.burstFrame + 0.5) / BURST_FRAMES;
    return (60 * x * x * (1 - x) ** 3) / BURST_FRAMES;
  }
}

/** State of a {@link MetricsHistory} as JSON. */
export interface MetricsHistoryState {
  readonly frames: readonly number[];
  readonly rates: readonly number[];
  readonly head: number;
  readonly rateHead: number;
}

/** Columns of a frame for the whole application; those of the services follow. */
export const FRAME = { p95Seconds: 0, violationShare: 1, width: 2 } as const;

/** Columns of a frame for each service. */
export const SERVICE_FRAME = {
  /** CPU of the pods that were ready, summed, mean over the step, millicores. */
  cpuMillicores: 0,
  /** Pods that were ready throughout the step. */
  readyPods: 1,
  /** Calls that arrived and were completed, per second. */
  callsIn: 2,
  callsOut: 3,
  /** Calls waiting or being served at the end of the step. */
  callsInSystem: 4,
  /** Mean wait of a call at the end of the step, seconds. */
  waitSeconds: 5,
  width: 6,
} as const;

/**
 * What the monitoring knows: a frame of metrics for each control step, which controllers see `delaySteps` steps late, and
 * the request rate of the last `rateSteps` steps beyond that. Policy and HPA read the same frames.
 */
export class MetricsHistory {
  readonly frameSize: number;
  private readonly delaySteps: number;
  private readonly frames: Float64Array;
  private readonly rates: Float64Array;
  private head = 0;
  private rateHead = 0;

  constructor(serviceCount: number, delaySteps: number, rateSteps: number) {
    this.frameSize = FRAME.width + serviceCount * SERVICE_FRAME.width;
    this.delaySteps = delaySteps;
    this.frames = new Float64Array(this.frameSize * (delaySteps + 1));
    this.rates = new Float64Array(delaySteps + rateSteps + 1);
  }

  /** Notes the request rate of a step, requests/s. */
  noteRate(requestsPerSecond: number): void {
    this.rateHead = (this.rateHead + 1) % this.rates.length;
    this.rates[this.rateHead] = requestsPerSecond;
  }

  /** Opens the frame of a new step. @returns where it begins in {@link values}. */
  nextFrame(): number {
    this.head = (this.head + 1) % (this.delaySteps + 1);
    return this.newest;
  }

  /** Where the frame of the step just over begins; controllers do not see it yet. */
  get newest(): number {
    return this.head * this.frameSize;
  }

  /** Where the newest frame that controllers see begins. */
  get visible(): number {
    return ((this.head + 1) % (this.delaySteps + 1)) * this.frameSize;
  }

  /** All frames, one after the other. */
  get values(): Float64Array {
    return this.frames;
  }

  /** Clears what every frame says of a service. */
  forgetService(s: number): void {
    const column = FRAME.width + s * SERVICE_FRAME.width;
    for (let frame = column; frame < this.frames.length; frame += this.frameSize) {
      this.frames.fill(0, frame, frame + SERVICE_FRAME.width);
    }
  }

  /** The request rate of the visible step and of the `stepsBefore` it, requests/s. */
  rate(stepsBefore: number): number {
    const index = this.rateHead - this.delaySteps - stepsBefore;
    return this.rates[index < 0 ? index + this.rates.length : index];
  }

  saveState(): MetricsHistoryState {
    return { frames: [...this.frames], rates: [...this.rates], head: this.head, rateHead: this.rateHead };
  }

  loadState(state: MetricsHistoryState): void {
    this.frames.set(state.frames);
    this.rates.set(state.rates);
    this.head = state.head;
    this.rateHead = state.rateHead;
  }
}

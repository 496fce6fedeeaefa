import type { ServiceParameters } from './application.ts';
import { limitsOf } from './service-limits.ts';

/** State of a {@link PodFleet} as JSON. */
export interface PodFleetState {
  readonly desired: readonly number[];
  readonly ready: readonly number[];
  readonly starting: readonly number[];
  readonly stopping: readonly number[];
}

/**
 * The pods of every service. A new pod serves only after its start-up delay; a pod to be removed is taken from those
 * that still start, newest first, as a ReplicaSet does, and a ready one goes on holding its resources while it stops.
 * Time moves in sub-steps.
 */
export class PodFleet {
  readonly desired: Int32Array;
  readonly ready: Int32Array;
  /** Pods that are not ready yet. */
  readonly startingTotal: Int32Array;
  /** Pods that hold resources: starting, ready and stopping. */
  readonly existing: Int32Array;
  /** Ready pods that were told to stop since the last `elapse`; their calls are still being finished. */
  readonly stoppedNow: Int32Array;
  private readonly startupSubSteps: Int32Array;
  private readonly terminationSubSteps: Int32Array;
  private readonly minReplicas: Int32Array;
  private readonly maxReplicas: Int32Array;
  private readonly subStepSeconds: number;
  private readonly width: number;
  /** Row = service; column j = pods that become ready, or are gone, after j + 1 more sub-steps. */
  private readonly starting: Int32Array;
  private readonly stopping: Int32Array;

  /** @param longestDelaySeconds of any service that it will hold, also later. */
  constructor(
    services: readonly ServiceParameters[],
    subStepSeconds: number,
    longestDelaySeconds: number = limitsOf(services).longestDelaySeconds,
  ) {
    this.subStepSeconds = subStepSeconds;
    this.startupSubSteps = Int32Array.from(services, (service) => this.subSteps(service.startupSeconds));
    this.terminationSubSteps = Int32Array.from(services, (service) => this.subSteps(service.terminationSeconds));
    this.minReplicas = Int32Array.from(services, (service) => service.minReplicas);
    this.maxReplicas = Int32Array.from(services, (service) => service.maxReplicas);
    this.width = Math.max(1, this.subSteps(longestDelaySeconds));
    this.starting = new Int32Array(services.length * this.width);
    this.stopping = new Int32Array(services.length * this.width);
    this.desired = new Int32Array(services.length);
    this.ready = new Int32Array(services.length);
    this.startingTotal = new Int32Array(services.length);
    this.existing = new Int32Array(services.length);
    this.stoppedNow = new Int32Array(services.length);
  }

  /** Forgets everything; `replicas` pods of each service are ready (clamped to the limits). */
  reset(replicas: ArrayLike<number>): void {
    this.starting.fill(0);
    this.stopping.fill(0);
    this.startingTotal.fill(0);
    this.stoppedNow.fill(0);
    for (let s = 0; s < this.desired.length; s++) {
      const count = this.clamp(s, replicas[s]);
      this.desired[s] = count;
      this.ready[s] = count;
      this.existing[s] = count;
    }
  }

  /** Another service, without pods, in the place of service `s`. */
  replaceService(s: number, service: ServiceParameters): void {
    this.startupSubSteps[s] = this.subSteps(service.startupSeconds);
    this.terminationSubSteps[s] = this.subSteps(service.terminationSeconds);
    this.minReplicas[s] = service.minReplicas;
    this.maxReplicas[s] = service.maxReplicas;
    this.starting.fill(0, s * this.width, (s + 1) * this.width);
    this.stopping.fill(0, s * this.width, (s + 1) * this.width);
    for (const counts of [this.desired, this.ready, this.startingTotal, this.existing, this.stoppedNow]) counts[s] = 0;
  }

  /** `replicas` within the limits of the service. */
  clamp(service: number, replicas: number): number {
    return Math.min(this.maxReplicas[service], Math.max(this.minReplicas[service], Math.round(replicas)));
  }

  /** Sets the desired replicas of a service (clamped): creates or stops pods. @returns whether anything changed. */
  scale(service: number, replicas: number): boolean {
    const target = this.clamp(service, replicas);
    const change = target - this.desired[service];
    if (change === 0) return false;
    this.desired[service] = target;
    if (change > 0) this.start(service, change);
    else this.stop(service, -change);
    return true;
  }

  /**
   * Takes over that `ready` pods of a real cluster serve from now on; who starts and stops them is not ours to know. Beyond
   * the service's limits is allowed.
   */
  observe(service: number, ready: number): void {
    this.stoppedNow[service] = Math.max(0, this.ready[service] - ready);
    this.startingTotal[service] = 0;
    for (const counts of [this.desired, this.ready, this.existing]) counts[service] = ready;
  }

  /** Time passes: pods whose delay is over become ready, stopping pods whose time is over are gone. */
  elapse(): void {
    const { width, starting, stopping } = this;
    for (let s = 0; s < this.desired.length; s++) {
      this.stoppedNow[s] = 0;
      if (this.existing[s] === this.ready[s]) continue;
      const row = s * width;
      this.ready[s] += starting[row];
      this.startingTotal[s] -= starting[row];
      this.existing[s] -= stopping[row];
      for (let j = 1; j < width; j++) {
        starting[row + j - 1] = starting[row + j];
        stopping[row + j - 1] = stopping[row + j];
      }
      starting[row + width - 1] = 0;
      stopping[row + width - 1] = 0;
    }
  }

  saveState(): PodFleetState {
    return {
      desired: [...this.desired],
      ready: [...this.ready],
      starting: [...this.starting],
      stopping: [...this.stopping],
    };
  }

  loadState(state: PodFleetState): void {
    this.desired.set(state.desired);
    this.ready.set(state.ready);
    this.starting.set(state.starting);
    this.stopping.set(state.stopping);
    this.stoppedNow.fill(0);
    for (let s = 0; s < this.desired.length; s++) {
      const row = s * this.width;
      const sum = (values: Int32Array): number => values.subarray(row, row + this.width).reduce((a, b) => a + b, 0);
      this.startingTotal[s] = sum(this.starting);
      this.existing[s] = this.ready[s] + this.startingTotal[s] + sum(this.stopping);
    }
  }

  private subSteps(seconds: number): number {
    return Math.ceil(seconds / this.subStepSeconds - 1e-9);
  }

  private start(service: number, count: number): void {
    const delay = this.startupSubSteps[service];
    this.existing[service] += count;
    if (delay === 0) {
      this.ready[service] += count;
      return;
    }
    this.starting[service * this.width + delay - 1] += count;
    this.startingTotal[service] += count;
  }

  private stop(service: number, count: number): void {
    const row = service * this.width;
    for (let j = this.width - 1; j >= 0 && count > 0; j--) {
      const cancelled = Math.min(count, this.starting[row + j]);
      this.starting[row + j] -= cancelled;
      this.startingTotal[service] -= cancelled;
      this.existing[service] -= cancelled;
      count -= cancelled;
    }
    this.ready[service] -= count;
    this.stoppedNow[service] += count;
    const delay = this.terminationSubSteps[service];
    if (delay === 0) this.existing[service] -= count;
    else this.stopping[row + delay - 1] += count;
  }
}

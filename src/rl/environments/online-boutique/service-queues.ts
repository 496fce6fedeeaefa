import type { ServiceParameters } from './application.ts';
import type { PodFleet } from './pod-fleet.ts';
import type { RequestFlow } from './request-flow.ts';
import { queueExponent, solveQueue } from './service-queue.ts';
import type { QueueSolution } from './service-queue.ts';

const MAX_ITERATIONS = 16;
const FIRST_SLOPE = -2;
const STEEPEST_SLOPE = 20;
const SHARE_TOLERANCE = 1e-3;
/** A saturated service's own repeated calls amplify the error of its share. */
const SATURATED_TOLERANCE = 1e-4;
const SATURATED_SHARE = 0.95;

/** State of {@link ServiceQueues} as JSON. */
export interface ServiceQueuesState {
  readonly servedShare: readonly number[];
  readonly utilisation: readonly number[];
  readonly waitingRatio: readonly number[];
  readonly waitingVariance: readonly number[];
}

/** The queues of all services: who serves what share of its calls in a sub-step, and how long calls wait. */
export class ServiceQueues {
  /** Share of its calls that each service serves in the sub-step. */
  readonly servedShare: Float64Array;
  /** Servers that were busy, summed since it was last cleared, server-seconds. */
  readonly busySeconds: Float64Array;
  /** Mean wait of the calls that arrive in the sub-step, seconds. */
  readonly waitSeconds: Float64Array;
  /** Change of the wait, seconds a second. */
  readonly waitTrend: Float64Array;
  readonly waitVariance: Float64Array;
  /** Further variance of the sum of n waits, per n·(n − 1): successive waits of one request are alike. */
  readonly waitCovariance: Float64Array;

  /** Time between two calls of one request to the same service, without queues. */
  readonly callGapSeconds: Float64Array;

  private readonly subStepSeconds: number;
  private readonly servers: Float64Array;
  private readonly serviceSeconds: Float64Array;
  private readonly serviceScv: Float64Array;
  private readonly queueScale: Float64Array;
  /** Sakasegawa's exponent by number of servers. */
  private readonly exponents: Float64Array;

  private readonly utilisation: Float64Array;
  /** Waiting calls divided by the utilisation. */
  private readonly waitingRatio: Float64Array;
  private readonly waitingVariance: Float64Array;

  /** Of the sub-step: servers of ready pods, calls they can finish, calls at hand, calls that stopping pods finish. */
  private readonly readyServers: Int32Array;
  private readonly capacity: Float64Array;
  private readonly content: Float64Array;
  private readonly drained: Float64Array;
  private readonly shareToServe: Float64Array;
  private readonly nextUtilisation: Float64Array;
  private readonly nextWaitingRatio: Float64Array;
  private readonly solution: QueueSolution = { utilisation: 0, waitingRatio: 0 };
  private readonly lastLog: Float64Array;
  private readonly lastGap: Float64Array;

  /** @param mostServers of any service that it will hold, also later. */
  constructor(
    services: readonly ServiceParameters[],
    callGapSeconds: Float64Array,
    subStepSeconds: number,
    mostServers: number,
  ) {
    this.subStepSeconds = subStepSeconds;
    this.callGapSeconds = callGapSeconds.slice();
    this.servers = Float64Array.from(services, (service) => service.serversPerPod);
    this.serviceSeconds = Float64Array.from(services, (service) => service.serviceSeconds);
    this.serviceScv = Float64Array.from(services, (service) => service.serviceScv);
    this.queueScale = Float64Array.from(services, (service) => queueScale(service));
    this.exponents = Float64Array.from({ length: mostServers + 1 }, (_, servers) => queueExponent(servers));
    this.readyServers = new Int32Array(services.length);
    const perService = (): Float64Array => new Float64Array(services.length);
    this.servedShare = perService();
    this.busySeconds = perService();
    this.waitSeconds = perService();
    this.waitTrend = perService();
    this.waitVariance = perService();
    this.waitCovariance = perService();
    this.utilisation = perService();
    this.waitingRatio = perService();
    this.waitingVariance = perService();
    this.capacity = perService();
    this.content = perService();
    this.drained = perService();
    this.shareToServe = perService();
    this.nextUtilisation = perService();
    this.nextWaitingRatio = perService();
    this.lastLog = perService();
    this.lastGap = perService();
  }

  /** Empties every queue. */
  reset(): void {
    this.servedShare.fill(1);
    this.utilisation.fill(0);
    this.waitingRatio.fill(0);
    this.waitingVariance.fill(0);
  }

  /** Another service, with an empty queue, in the place of service `s`. */
  replaceService(s: number, service: ServiceParameters): void {
    this.servers[s] = service.serversPerPod;
    this.serviceSeconds[s] = service.serviceSeconds;
    this.serviceScv[s] = service.serviceScv;
    this.queueScale[s] = queueScale(service);
    this.servedShare[s] = 1;
    const noted = [this.utilisation, this.waitingRatio, this.waitingVariance, this.busySeconds];
    for (const values of [...noted, this.waitSeconds, this.waitTrend, this.waitVariance, this.waitCovariance]) {
      values[s] = 0;
    }
  }

  /**
   * Finds the shares of its calls that each service serves in this sub-step. They depend on each other: a request that
   * is served calls the next service, perhaps the same again. From the last sub-step's shares on, by the secant method
   * in their logarithms, each service for itself.
   */
  balance(fleet: PodFleet, flow: RequestFlow): void {
    const { servedShare, shareToServe } = this;
    for (let s = 0; s < servedShare.length; s++) this.openSubStep(s, fleet);
    for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
      flow.gatherContent(servedShare, this.content);
      let worst = 0;
      for (let s = 0; s < servedShare.length; s++) {
        this.solve(s);
        const ratio = shareToServe[s] / servedShare[s];
        const error = ratio > 1 ? ratio - 1 : 1 - ratio;
        const tolerance = shareToServe[s] < SATURATED_SHARE ? SATURATED_TOLERANCE : SHARE_TOLERANCE;
        worst = Math.max(worst, error / tolerance);
      }
      if (worst < 1 || iteration === MAX_ITERATIONS - 1) break;
      for (let s = 0; s < servedShare.length; s++) this.improveShare(s, iteration);
    }
    servedShare.set(shareToServe);
  }

  /** Waits of the sub-step, from the queues before and after it. */
  close(): void {
    for (let s = 0; s < this.content.length; s++) {
      if (this.readyServers[s] > 0) this.measureWait(s);
      this.utilisation[s] = this.nextUtilisation[s];
      this.waitingRatio[s] = this.nextWaitingRatio[s];
    }
  }

  saveState(): ServiceQueuesState {
    return {
      servedShare: [...this.servedShare],
      utilisation: [...this.utilisation],
      waitingRatio: [...this.waitingRatio],
      waitingVariance: [...this.waitingVariance],
    };
  }

  loadState(state: ServiceQueuesState): void {
    this.servedShare.set(state.servedShare);
    this.utilisation.set(state.utilisation);
    this.waitingRatio.set(state.waitingRatio);
    this.waitingVariance.set(state.waitingVariance);
  }

  /** What the pods of a service can do in this sub-step. */
  private openSubStep(s: number, fleet: PodFleet): void {
    const servers = fleet.ready[s] * this.servers[s];
    this.readyServers[s] = servers;
    this.capacity[s] = (servers / this.serviceSeconds[s]) * this.subStepSeconds;
    // Stopping pods finish the calls that they are working on.
    this.drained[s] = fleet.stoppedNow[s] * this.servers[s] * this.utilisation[s];
  }

  /** Solves the queue of a service for its present content. */
  private solve(s: number): void {
    const content = this.content[s];
    const servers = this.readyServers[s];
    const drained = Math.min(content, this.drained[s]);
    solveQueue(
      content - drained,
      servers,
      this.capacity[s],
      this.exponents[servers],
      this.queueScale[s],
      this.solution,
    );
    this.nextUtilisation[s] = this.solution.utilisation;
    this.nextWaitingRatio[s] = this.solution.waitingRatio;
    const served = this.capacity[s] * this.solution.utilisation + drained;
    this.shareToServe[s] = served < content ? served / content : 1;
  }

  private improveShare(s: number, iteration: number): void {
    const log = Math.log(this.servedShare[s]);
    const gap = Math.log(this.shareToServe[s]) - log;
    let slope = iteration === 0 ? FIRST_SLOPE : (gap - this.lastGap[s]) / (log - this.lastLog[s]);
    if (!(slope < -1)) slope = -1;
    if (slope < -STEEPEST_SLOPE) slope = -STEEPEST_SLOPE;
    this.lastLog[s] = log;
    this.lastGap[s] = gap;
    const next = log - gap / slope;
    this.servedShare[s] = next < 0 ? Math.exp(next) : 1;
  }

  private measureWait(s: number): void {
    const capacity = this.capacity[s];
    const rate = capacity / this.subStepSeconds;
    const before = this.waitingRatio[s];
    const rho = this.nextUtilisation[s];
    const ratio = this.nextWaitingRatio[s];
    // The queue moves linearly between its two ends, and faster when spare servers drain it before the sub-step is over.
    const change = before - ratio;
    const spare = capacity - this.content[s] + before * this.utilisation[s];
    const moving = change > 0 && spare > change ? change / spare : 1;
    this.waitSeconds[s] = (ratio + 0.5 * moving * change) / rate;
    this.waitTrend[s] = -change / capacity;
    this.updateVariance(s);
    const flow = rho > 0.5 ? rho * rate : 0.5 * rate;
    const spread = (moving / 3 - (moving * moving) / 4) * (change / rate) * (change / rate);
    const variance = this.waitingVariance[s] / (flow * flow) + spread;
    this.waitVariance[s] = variance;
    const slack = 1 - Math.sqrt(rho);
    this.waitCovariance[s] = variance / (1 + this.callGapSeconds[s] * rate * slack * slack);
    const drained = Math.min(this.content[s], this.drained[s]);
    this.busySeconds[s] += this.readyServers[s] * rho * this.subStepSeconds + drained * this.serviceSeconds[s];
  }

  /**
   * The queue's variance relaxes towards its stationary value, for which the wait is 0 or exponential, at the speed of
   * its diffusion (moment closure after Rothkopf & Oren, 1979): a queue that grows is far more certain than a stationary
   * one of the same mean.
   */
  private updateVariance(s: number): void {
    const rho = this.nextUtilisation[s];
    const ratio = this.nextWaitingRatio[s];
    const waiting = ratio * rho;
    // Sakasegawa's waiting calls per ρ are P(wait)·K/(1 − ρ).
    const waitProbability = Math.min(1, (ratio * (1 - rho)) / this.queueScale[s]);
    const stationary = waitProbability > 0 ? waiting * waiting * (2 / waitProbability - 1) : 0;
    const diffusion = this.content[s] * (1 + this.serviceScv[s] * this.servedShare[s]);
    const sum = stationary + diffusion;
    this.waitingVariance[s] = sum > 0 ? (stationary * (this.waitingVariance[s] + diffusion)) / sum : 0;
  }
}

/** K of Sakasegawa's formula. */
function queueScale({ serviceScv }: ServiceParameters): number {
  return (1 + serviceScv) / 2;
}

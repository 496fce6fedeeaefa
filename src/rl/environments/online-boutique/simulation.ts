import type { Application } from './application.ts';
import type { LatencyMixture } from './latency-mixture.ts';
import { PodFleet } from './pod-fleet.ts';
import type { PodFleetState } from './pod-fleet.ts';
import { queueExponent, solveQueue } from './service-queue.ts';
import type { QueueSolution } from './service-queue.ts';
import { compileTopology } from './topology.ts';
import type { Topology } from './topology.ts';

/** Length of a sub-step: pods become ready and queues move on this grid. */
export const SUB_STEP_SECONDS = 5;
/** Sub-steps of a control step. */
export const SUB_STEPS = 3;
/** Length of a control step. */
export const STEP_SECONDS = SUB_STEP_SECONDS * SUB_STEPS;

/** Requests are counted in units of 2⁻²⁰, so that sums and differences of them are exact. */
const QUANTUM = 2 ** -20;
const PER_QUANTUM = 2 ** 20;

const MAX_ITERATIONS = 16;
const FIRST_SLOPE = -2;
const STEEPEST_SLOPE = 20;
const SHARE_TOLERANCE = 1e-3;
/** A saturated service's own repeated calls amplify the error of its share. */
const SATURATED_TOLERANCE = 1e-4;
const SATURATED_SHARE = 0.95;

/** Mean latencies of sub-steps that differ by less than this, relatively, count as one. */
const POOLING_LIMIT = 0.05;

/** State of a {@link Simulation} as JSON. */
export interface SimulationState {
  readonly fleet: PodFleetState;
  readonly stageRequests: readonly number[];
  readonly servedShare: readonly number[];
  readonly utilisation: readonly number[];
  readonly waitingRatio: readonly number[];
  readonly waitingVariance: readonly number[];
}

/**
 * The dynamics of an application: a fluid of requests that flows from stage to stage through the queues of the services.
 *
 * 1. Conservation: what arrives is completed or still at a stage, exactly (fixed point), per service and end to end.
 * 2. A service works on all calls at it in proportion (mean field of first come, first served); see service-queue.ts.
 * 3. A queue that is longer than a sub-step can serve carries over; what is behind it gets only what comes through.
 * 4. The latency of a request is that of the sub-step in which it arrives: the sum over its calls of network time,
 *    service time and the waits at this moment.
 *
 * `advance` allocates nothing.
 */
export class Simulation {
  readonly topology: Topology;
  readonly fleet: PodFleet;
  /** Calls that arrived at, and were completed by, each service in the last control step. */
  readonly arrivedCalls: Float64Array;
  readonly completedCalls: Float64Array;
  /** Requests completed in the last control step. */
  completedRequests = 0;
  /** Busy servers of each service, summed over the last control step, server-seconds. */
  readonly busySeconds: Float64Array;
  /** Ready pods of each service, summed over the last control step, pod-seconds. */
  readonly readySeconds: Float64Array;
  /** Mean wait of a call in the last sub-step, seconds. */
  readonly waitSeconds: Float64Array;
  /** Pods that existed, summed over the last control step, pod-seconds. */
  podSeconds = 0;

  private readonly servers: Float64Array;
  private readonly serviceSeconds: Float64Array;
  private readonly queueScale: Float64Array;
  private readonly serviceScv: Float64Array;
  private readonly stageRequests: Float64Array;
  private readonly servedShare: Float64Array;
  private readonly utilisation: Float64Array;
  /** Waiting calls divided by the utilisation at the end of the last sub-step. */
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
  /** Sakasegawa's exponent by number of servers. */
  private readonly exponents: Float64Array;
  private readonly lastLog: Float64Array;
  private readonly lastGap: Float64Array;
  /** Change of the wait, seconds a second. */
  private readonly waitTrend: Float64Array;
  private readonly waitVariance: Float64Array;
  /** Further variance of the sum of n waits, per n·(n − 1): successive waits of one request are alike. */
  private readonly waitCovariance: Float64Array;
  private readonly arrivals: Float64Array;
  /** Row = type, column = sub-step. */
  private readonly latencyMean: Float64Array;
  private readonly latencyVariance: Float64Array;

  constructor(application: Application) {
    const { services } = application;
    this.topology = compileTopology(application);
    this.fleet = new PodFleet(services, SUB_STEP_SECONDS);
    this.servers = Float64Array.from(services, (service) => service.serversPerPod);
    this.serviceSeconds = Float64Array.from(services, (service) => service.serviceSeconds);
    this.serviceScv = Float64Array.from(services, (service) => service.serviceScv);
    this.queueScale = Float64Array.from(services, (service) => (1 + service.serviceScv) / 2);
    const perService = (): Float64Array => new Float64Array(services.length);
    this.arrivedCalls = perService();
    this.completedCalls = perService();
    this.busySeconds = perService();
    this.readySeconds = perService();
    this.waitSeconds = perService();
    this.servedShare = perService();
    this.utilisation = perService();
    this.waitingRatio = perService();
    this.waitingVariance = perService();
    this.readyServers = new Int32Array(services.length);
    this.capacity = perService();
    this.content = perService();
    this.drained = perService();
    this.shareToServe = perService();
    this.nextUtilisation = perService();
    this.nextWaitingRatio = perService();
    const mostServers = Math.max(...services.map((service) => service.maxReplicas * service.serversPerPod));
    this.exponents = Float64Array.from({ length: mostServers + 1 }, (_, servers) => queueExponent(servers));
    this.lastLog = perService();
    this.lastGap = perService();
    this.waitTrend = perService();
    this.waitVariance = perService();
    this.waitCovariance = perService();
    this.stageRequests = new Float64Array(this.topology.stageService.length);
    const types = this.topology.requestTypes.length;
    this.arrivals = new Float64Array(types);
    this.latencyMean = new Float64Array(types * SUB_STEPS);
    this.latencyVariance = new Float64Array(types * SUB_STEPS);
  }

  /** Empties every queue; `replicas` pods of each service are ready. */
  reset(replicas: ArrayLike<number>): void {
    this.fleet.reset(replicas);
    for (const values of this.stateArrays()) values.fill(0);
    this.servedShare.fill(1);
  }

  /** Replicas that keep each service's utilisation at `utilisation` for `requestsPerSecond`. */
  replicasFor(requestsPerSecond: number, utilisation: number): Int32Array {
    return Int32Array.from(this.servers, (servers, s) =>
      Math.ceil((requestsPerSecond * this.topology.visits[s] * this.serviceSeconds[s]) / (servers * utilisation)),
    );
  }

  /** Writes the calls at each service, waiting or being served, into `calls`. */
  countCallsInSystem(calls: Float64Array): void {
    const { stageService } = this.topology;
    calls.fill(0);
    for (let stage = 0; stage < stageService.length; stage++) calls[stageService[stage]] += this.stageRequests[stage];
  }

  /** Requests anywhere in the application. */
  requestsInSystem(): number {
    return this.stageRequests.reduce((sum, requests) => sum + requests, 0);
  }

  /**
   * Plays one control step, over which `arrivals[t]` requests of type t arrive evenly, and adds their latencies to
   * `latencies`.
   */
  advance(arrivals: ArrayLike<number>, latencies: LatencyMixture): void {
    this.arrivedCalls.fill(0);
    this.completedCalls.fill(0);
    this.busySeconds.fill(0);
    this.readySeconds.fill(0);
    this.completedRequests = 0;
    this.podSeconds = 0;
    for (let subStep = 0; subStep < SUB_STEPS; subStep++) {
      this.splitArrivals(arrivals, subStep);
      this.balanceShares();
      this.closeQueues();
      this.moveRequests();
      this.measureLatencies(subStep);
      this.fleet.elapse();
    }
    this.addLatencies(arrivals, latencies);
  }

  saveState(): SimulationState {
    return {
      fleet: this.fleet.saveState(),
      stageRequests: [...this.stageRequests],
      servedShare: [...this.servedShare],
      utilisation: [...this.utilisation],
      waitingRatio: [...this.waitingRatio],
      waitingVariance: [...this.waitingVariance],
    };
  }

  loadState(state: SimulationState): void {
    this.fleet.loadState(state.fleet);
    this.stageRequests.set(state.stageRequests);
    this.servedShare.set(state.servedShare);
    this.utilisation.set(state.utilisation);
    this.waitingRatio.set(state.waitingRatio);
    this.waitingVariance.set(state.waitingVariance);
  }

  private stateArrays(): Float64Array[] {
    return [this.stageRequests, this.servedShare, this.utilisation, this.waitingRatio, this.waitingVariance];
  }

  /** A third of the arrivals in exact units; the last sub-step takes what rounding left. */
  private splitArrivals(arrivals: ArrayLike<number>, subStep: number): void {
    for (let type = 0; type < this.arrivals.length; type++) {
      const part = Math.floor((arrivals[type] / SUB_STEPS) * PER_QUANTUM) * QUANTUM;
      this.arrivals[type] = subStep === SUB_STEPS - 1 ? arrivals[type] - (SUB_STEPS - 1) * part : part;
    }
  }

  /** The calls that each service has to do with in this sub-step, if the shares served stay as they were. */
  private gatherContent(): void {
    const { stageService, typeStart } = this.topology;
    const { content, servedShare, stageRequests } = this;
    content.fill(0);
    for (let type = 0; type < this.arrivals.length; type++) {
      let inflow = this.arrivals[type];
      for (let stage = typeStart[type]; stage < typeStart[type + 1]; stage++) {
        const service = stageService[stage];
        const present = stageRequests[stage] + inflow;
        content[service] += present;
        inflow = present * servedShare[service];
      }
    }
  }

  /**
   * Finds the shares of its calls that each service serves in this sub-step. They depend on each other: a request that
   * is served calls the next service, perhaps the same again. From the last sub-step's shares on, by the secant method
   * in their logarithms, each service for itself.
   */
  private balanceShares(): void {
    for (let s = 0; s < this.servedShare.length; s++) this.openSubStep(s);
    for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
      this.gatherContent();
      let worst = 0;
      for (let s = 0; s < this.servedShare.length; s++) {
        this.solveService(s);
        const ratio = this.shareToServe[s] / this.servedShare[s];
        const error = ratio > 1 ? ratio - 1 : 1 - ratio;
        const tolerance = this.shareToServe[s] < SATURATED_SHARE ? SATURATED_TOLERANCE : SHARE_TOLERANCE;
        worst = Math.max(worst, error / tolerance);
      }
      if (worst < 1 || iteration === MAX_ITERATIONS - 1) break;
      for (let s = 0; s < this.servedShare.length; s++) this.improveShare(s, iteration);
    }
    this.servedShare.set(this.shareToServe);
  }

  /** What the pods of a service can do in this sub-step. */
  private openSubStep(s: number): void {
    const servers = this.fleet.ready[s] * this.servers[s];
    this.readyServers[s] = servers;
    this.capacity[s] = (servers / this.serviceSeconds[s]) * SUB_STEP_SECONDS;
    this.podSeconds += this.fleet.existing[s] * SUB_STEP_SECONDS;
    this.readySeconds[s] += this.fleet.ready[s] * SUB_STEP_SECONDS;
  }

  /** Solves the queue of a service for its present content. */
  private solveService(s: number): void {
    const content = this.content[s];
    const servers = this.readyServers[s];
    // Stopping pods finish the calls that they are working on.
    const drained = Math.min(content, this.fleet.stoppedNow[s] * this.servers[s] * this.utilisation[s]);
    const exponent = this.exponents[servers];
    solveQueue(content - drained, servers, this.capacity[s], exponent, this.queueScale[s], this.solution);
    this.nextUtilisation[s] = this.solution.utilisation;
    this.nextWaitingRatio[s] = this.solution.waitingRatio;
    this.drained[s] = drained;
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

  private closeQueues(): void {
    for (let s = 0; s < this.content.length; s++) this.closeQueue(s);
  }

  /** Waits of the sub-step, from the queue before and after it. */
  private closeQueue(s: number): void {
    const capacity = this.capacity[s];
    const rate = capacity / SUB_STEP_SECONDS;
    const content = this.content[s];
    const before = this.waitingRatio[s];
    const rho = this.nextUtilisation[s];
    const ratio = this.nextWaitingRatio[s];
    const waiting = ratio * rho;
    // The queue moves linearly between its two ends, and faster when spare servers drain it before the sub-step is over.
    const change = before - ratio;
    const spare = capacity - content + before * this.utilisation[s];
    const moving = change > 0 && spare > change ? change / spare : 1;
    this.waitSeconds[s] = (ratio + 0.5 * moving * change) / rate;
    this.waitTrend[s] = -change / capacity;
    this.updateVariance(s, rho, ratio, waiting, content);
    const flow = rho > 0.5 ? rho * rate : 0.5 * rate;
    const spread = (moving / 3 - (moving * moving) / 4) * (change / rate) * (change / rate);
    const variance = this.waitingVariance[s] / (flow * flow) + spread;
    this.waitVariance[s] = variance;
    const slack = 1 - Math.sqrt(rho);
    this.waitCovariance[s] = variance / (1 + this.topology.callGapSeconds[s] * rate * slack * slack);
    this.busySeconds[s] += this.readyServers[s] * rho * SUB_STEP_SECONDS + this.drained[s] * this.serviceSeconds[s];
    this.utilisation[s] = rho;
    this.waitingRatio[s] = ratio;
  }

  /**
   * The queue's variance relaxes towards its stationary value, for which the wait is 0 or exponential, at the speed of
   * its diffusion (moment closure after Rothkopf & Oren, 1979): a queue that grows is far more certain than a stationary
   * one of the same mean.
   */
  private updateVariance(s: number, rho: number, ratio: number, waiting: number, content: number): void {
    // Sakasegawa's waiting calls per ρ are P(wait)·K/(1 − ρ).
    const waitProbability = Math.min(1, (ratio * (1 - rho)) / this.queueScale[s]);
    const stationary = waitProbability > 0 ? waiting * waiting * (2 / waitProbability - 1) : 0;
    const diffusion = content * (1 + this.serviceScv[s] * this.servedShare[s]);
    const sum = stationary + diffusion;
    this.waitingVariance[s] = sum > 0 ? (stationary * (this.waitingVariance[s] + diffusion)) / sum : 0;
  }

  /** Lets the served share of every stage's requests move on, in exact units. */
  private moveRequests(): void {
    const { stageService, typeStart } = this.topology;
    const { servedShare, stageRequests, arrivedCalls, completedCalls } = this;
    for (let type = 0; type < this.arrivals.length; type++) {
      let inflow = this.arrivals[type];
      for (let stage = typeStart[type]; stage < typeStart[type + 1]; stage++) {
        const service = stageService[stage];
        const present = stageRequests[stage] + inflow;
        const moved = Math.floor(present * servedShare[service] * PER_QUANTUM) * QUANTUM;
        arrivedCalls[service] += inflow;
        completedCalls[service] += moved;
        stageRequests[stage] = present - moved;
        inflow = moved;
      }
      this.completedRequests += inflow;
    }
  }

  /** Mean and variance of each type's latency for the arrivals of this sub-step. */
  private measureLatencies(subStep: number): void {
    const { callsPerType, typeBaseMean, typeBaseVariance } = this.topology;
    const { waitSeconds, waitTrend, waitVariance, waitCovariance } = this;
    const serviceCount = waitSeconds.length;
    for (let type = 0, i = 0; type < this.arrivals.length; type++) {
      let mean = typeBaseMean[type];
      let variance = typeBaseVariance[type];
      for (let s = 0; s < serviceCount; s++, i++) {
        const calls = callsPerType[i];
        if (calls === 0) continue;
        mean += waitsInARow(calls, waitSeconds[s], waitTrend[s]);
        variance += calls * (waitVariance[s] + (calls - 1) * waitCovariance[s]);
      }
      this.latencyMean[type * SUB_STEPS + subStep] = mean;
      this.latencyVariance[type * SUB_STEPS + subStep] = variance;
    }
  }

  /** Adds the step's latencies; sub-steps that hardly differ are pooled. */
  private addLatencies(arrivals: ArrayLike<number>, latencies: LatencyMixture): void {
    for (let type = 0; type < this.arrivals.length; type++) {
      const first = type * SUB_STEPS;
      let sum = 0;
      let variance = 0;
      let low = Infinity;
      let high = 0;
      for (let i = first; i < first + SUB_STEPS; i++) {
        const mean = this.latencyMean[i];
        sum += mean;
        variance += this.latencyVariance[i];
        if (mean < low) low = mean;
        if (mean > high) high = mean;
      }
      if (high - low < POOLING_LIMIT * low) {
        latencies.add(arrivals[type], sum / SUB_STEPS, variance / SUB_STEPS);
        continue;
      }
      for (let i = first; i < first + SUB_STEPS; i++) {
        latencies.add(arrivals[type] / SUB_STEPS, this.latencyMean[i], this.latencyVariance[i]);
      }
    }
  }
}

/**
 * The sum of `calls` waits one after the other when the wait changes by `trend` a second: the second begins a wait
 * later, and so on: w·((1 + trend)^calls − 1)/trend.
 */
function waitsInARow(calls: number, wait: number, trend: number): number {
  if (calls === 1 || (trend < 0.002 && trend > -0.002)) return calls * wait;
  const growth = trend < -0.5 ? 0.5 : trend > 1 ? 2 : 1 + trend;
  return (wait * (Math.pow(growth, calls) - 1)) / (growth - 1);
}

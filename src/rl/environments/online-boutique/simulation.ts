import type { Application, ServiceParameters } from './application.ts';
import type { LatencyMixture } from './latency-mixture.ts';
import { PodFleet } from './pod-fleet.ts';
import type { PodFleetState } from './pod-fleet.ts';
import { RequestFlow } from './request-flow.ts';
import { limitsOf } from './service-limits.ts';
import type { ServiceLimits } from './service-limits.ts';
import { ServiceQueues } from './service-queues.ts';
import type { ServiceQueuesState } from './service-queues.ts';
import { compileTopology } from './topology.ts';
import type { Topology } from './topology.ts';

/** Length of a sub-step: pods become ready and queues move on this grid. */
export const SUB_STEP_SECONDS = 5;
/** Sub-steps of a control step. */
export const SUB_STEPS = 3;
/** Length of a control step. */
export const STEP_SECONDS = SUB_STEP_SECONDS * SUB_STEPS;

/** Mean latencies of sub-steps that differ by less than this, relatively, count as one. */
const POOLING_LIMIT = 0.05;

/** State of a {@link Simulation} as JSON. */
export interface SimulationState {
  readonly fleet: PodFleetState;
  readonly queues: ServiceQueuesState;
  readonly stageRequests: readonly number[];
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
  topology: Topology;
  readonly fleet: PodFleet;
  readonly flow: RequestFlow;
  /** Calls that arrived at, and were completed by, each service in the last control step. */
  readonly arrivedCalls: Float64Array;
  readonly completedCalls: Float64Array;
  /** Requests completed in the last control step. */
  completedRequests = 0;
  /** Ready pods of each service, summed over the last control step, pod-seconds. */
  readonly readySeconds: Float64Array;
  /** Pods that existed, summed over the last control step, pod-seconds. */
  podSeconds = 0;

  private readonly queues: ServiceQueues;
  private readonly subSteps: number;
  private readonly capacityPerPod: Float64Array;
  /** Row = type, column = sub-step. */
  private readonly latencyMean: Float64Array;
  private readonly latencyVariance: Float64Array;

  /**
   * @param application validated.
   * @param limits of services that will be put in place of others. Default: those of the application.
   * @param subSteps that one `advance` plays. Default: those of a control step.
   */
  constructor(
    application: Application,
    limits: ServiceLimits = limitsOf(application.services),
    subSteps: number = SUB_STEPS,
  ) {
    const { services } = application;
    this.subSteps = subSteps;
    this.topology = compileTopology(application);
    this.fleet = new PodFleet(services, SUB_STEP_SECONDS, limits.longestDelaySeconds);
    this.flow = new RequestFlow(this.topology);
    this.queues = new ServiceQueues(services, this.topology.callGapSeconds, SUB_STEP_SECONDS, limits.mostServers);
    this.capacityPerPod = Float64Array.from(services, callsPerSecond);
    this.arrivedCalls = new Float64Array(services.length);
    this.completedCalls = new Float64Array(services.length);
    this.readySeconds = new Float64Array(services.length);
    const types = this.topology.requestTypes.length;
    this.latencyMean = new Float64Array(types * subSteps);
    this.latencyVariance = new Float64Array(types * subSteps);
  }

  /** Busy servers of each service, summed over the last control step, server-seconds. */
  get busySeconds(): Float64Array {
    return this.queues.busySeconds;
  }

  /** Mean wait of a call at each service in the last sub-step, seconds. */
  get waitSeconds(): Float64Array {
    return this.queues.waitSeconds;
  }

  /** Change of that wait, seconds a second. */
  get waitTrend(): Float64Array {
    return this.queues.waitTrend;
  }

  /** Variance of that wait, seconds². */
  get waitVariance(): Float64Array {
    return this.queues.waitVariance;
  }

  /** Further variance of the sum of n waits of one request, per n·(n − 1). */
  get waitCovariance(): Float64Array {
    return this.queues.waitCovariance;
  }

  /** Empties every queue; `replicas` pods of each service are ready. */
  reset(replicas: ArrayLike<number>): void {
    this.fleet.reset(replicas);
    this.queues.reset();
    this.flow.stageRequests.fill(0);
  }

  /** Replicas that keep each service's utilisation at `utilisation` for `requestsPerSecond`. */
  replicasFor(requestsPerSecond: number, utilisation: number): Int32Array {
    const { visits } = this.topology;
    return Int32Array.from(this.capacityPerPod, (callsPerSecond, s) =>
      Math.ceil((requestsPerSecond * visits[s]) / (callsPerSecond * utilisation)),
    );
  }

  /** Puts another service, without pods or calls, in the place of service `s`. */
  replaceService(s: number, service: ServiceParameters): void {
    this.fleet.replaceService(s, service);
    this.queues.replaceService(s, service);
    this.capacityPerPod[s] = callsPerSecond(service);
    this.arrivedCalls[s] = 0;
    this.completedCalls[s] = 0;
    this.readySeconds[s] = 0;
  }

  /**
   * Goes on with other call trees of the same request types over the services now in place.
   * @returns the calls that were given up because nobody makes them any more.
   */
  reroute(application: Application): number {
    this.topology = compileTopology(application);
    this.queues.callGapSeconds.set(this.topology.callGapSeconds);
    return this.flow.reroute(this.topology);
  }

  /**
   * Plays one control step, over which `arrivals[t]` requests of type t arrive evenly, and adds their latencies to
   * `latencies`.
   */
  advance(arrivals: ArrayLike<number>, latencies: LatencyMixture): void {
    const { fleet, flow, queues } = this;
    this.arrivedCalls.fill(0);
    this.completedCalls.fill(0);
    this.readySeconds.fill(0);
    queues.busySeconds.fill(0);
    flow.stageArrivals.fill(0);
    this.completedRequests = 0;
    this.podSeconds = 0;
    for (let subStep = 0; subStep < this.subSteps; subStep++) {
      this.countPods();
      flow.openSubStep(arrivals, subStep, this.subSteps);
      queues.balance(fleet, flow);
      queues.close();
      this.completedRequests += flow.move(queues.servedShare, this.arrivedCalls, this.completedCalls);
      this.measureLatencies(subStep);
      fleet.elapse();
    }
    this.addLatencies(arrivals, latencies);
  }

  saveState(): SimulationState {
    return {
      fleet: this.fleet.saveState(),
      queues: this.queues.saveState(),
      stageRequests: [...this.flow.stageRequests],
    };
  }

  loadState(state: SimulationState): void {
    this.fleet.loadState(state.fleet);
    this.queues.loadState(state.queues);
    this.flow.stageRequests.set(state.stageRequests);
  }

  private countPods(): void {
    const { existing, ready } = this.fleet;
    for (let s = 0; s < ready.length; s++) {
      this.podSeconds += existing[s] * SUB_STEP_SECONDS;
      this.readySeconds[s] += ready[s] * SUB_STEP_SECONDS;
    }
  }

  /** Mean and variance of each type's latency for the arrivals of this sub-step. */
  private measureLatencies(subStep: number): void {
    const { callsPerType, typeBaseMean, typeBaseVariance } = this.topology;
    const { waitSeconds, waitTrend, waitVariance, waitCovariance } = this.queues;
    const serviceCount = waitSeconds.length;
    for (let type = 0, i = 0; type < typeBaseMean.length; type++) {
      let mean = typeBaseMean[type];
      let variance = typeBaseVariance[type];
      for (let s = 0; s < serviceCount; s++, i++) {
        const calls = callsPerType[i];
        if (calls === 0) continue;
        mean += waitsInARow(calls, waitSeconds[s], waitTrend[s]);
        variance += calls * (waitVariance[s] + (calls - 1) * waitCovariance[s]);
      }
      this.latencyMean[type * this.subSteps + subStep] = mean;
      this.latencyVariance[type * this.subSteps + subStep] = variance;
    }
  }

  /** Adds the step's latencies; sub-steps that hardly differ are pooled. */
  private addLatencies(arrivals: ArrayLike<number>, latencies: LatencyMixture): void {
    const { subSteps } = this;
    for (let type = 0; type < arrivals.length; type++) {
      const first = type * subSteps;
      let sum = 0;
      let variance = 0;
      let low = Infinity;
      let high = 0;
      for (let i = first; i < first + subSteps; i++) {
        const mean = this.latencyMean[i];
        sum += mean;
        variance += this.latencyVariance[i];
        if (mean < low) low = mean;
        if (mean > high) high = mean;
      }
      if (high - low < POOLING_LIMIT * low) {
        latencies.add(arrivals[type], sum / subSteps, variance / subSteps);
        continue;
      }
      for (let i = first; i < first + subSteps; i++) {
        latencies.add(arrivals[type] / subSteps, this.latencyMean[i], this.latencyVariance[i]);
      }
    }
  }
}

/** Calls that one pod can finish in a second. */
function callsPerSecond({ serversPerPod, serviceSeconds }: ServiceParameters): number {
  return serversPerPod / serviceSeconds;
}

/**
 * The sum of `calls` waits one after the other when the wait changes by `trend` a second: the second begins a wait
 * later, and so on: w·((1 + trend)^calls − 1)/trend.
 */
export function waitsInARow(calls: number, wait: number, trend: number): number {
  if (calls <= 1 || (trend < 0.002 && trend > -0.002)) return calls * wait;
  const growth = trend < -0.5 ? 0.5 : trend > 1 ? 2 : 1 + trend;
  return (wait * (Math.pow(growth, calls) - 1)) / (growth - 1);
}

import type { Topology } from './topology.ts';

/** Requests are counted in units of 2⁻²⁰, so that sums and differences of them are exact. */
const QUANTUM = 2 ** -20;
const PER_QUANTUM = 2 ** 20;

/**
 * Where the requests of an application are: a number for each stage of each type. In a sub-step every service serves a
 * share of the calls at it, the same of all of them, and what is served moves to the next stage within the sub-step.
 */
export class RequestFlow {
  /** Requests at each stage. */
  stageRequests: Float64Array;
  /** Requests of each type that arrive in the present sub-step. */
  readonly arrivals: Float64Array;
  /** Calls that arrived at each stage since it was last cleared. */
  stageArrivals: Float64Array;
  private topology: Topology;

  constructor(topology: Topology) {
    this.topology = topology;
    this.stageRequests = new Float64Array(topology.stageService.length);
    this.stageArrivals = new Float64Array(topology.stageService.length);
    this.arrivals = new Float64Array(topology.requestTypes.length);
  }

  /**
   * Goes on with other call trees of the same request types. Requests stay at their call; where there is no such call
   * any more they go on to the next that there is, and are completed where there is none.
   * @returns the calls that were given up that way.
   */
  reroute(topology: Topology): number {
    const before = this.topology;
    const requests = this.stageRequests;
    this.topology = topology;
    this.stageRequests = new Float64Array(topology.stageService.length);
    this.stageArrivals = new Float64Array(topology.stageService.length);
    const places = new Map(topology.stagePath.map((path, stage) => [path, stage]));
    let abandoned = 0;
    for (let type = 0; type < this.arrivals.length; type++) {
      let place: number | undefined;
      for (let stage = before.typeStart[type + 1] - 1; stage >= before.typeStart[type]; stage--) {
        const same = places.get(before.stagePath[stage]);
        place = same ?? place;
        if (same === undefined) abandoned += requests[stage];
        if (place !== undefined) this.stageRequests[place] += requests[stage];
      }
    }
    return abandoned;
  }

  /** Takes the present sub-step's part of a step's arrivals, in exact units; the last takes what rounding left. */
  openSubStep(arrivals: ArrayLike<number>, subStep: number, subSteps: number): void {
    for (let type = 0; type < this.arrivals.length; type++) {
      const part = Math.floor((arrivals[type] / subSteps) * PER_QUANTUM) * QUANTUM;
      this.arrivals[type] = subStep === subSteps - 1 ? arrivals[type] - (subSteps - 1) * part : part;
    }
  }

  /** Writes the calls that each service has at hand in this sub-step, if the services serve these shares. */
  gatherContent(servedShare: Float64Array, content: Float64Array): void {
    const { stageService, stageShare, typeStart } = this.topology;
    const { stageRequests } = this;
    content.fill(0);
    for (let type = 0; type < this.arrivals.length; type++) {
      let inflow = this.arrivals[type];
      for (let stage = typeStart[type]; stage < typeStart[type + 1]; stage++) {
        const service = stageService[stage];
        const entering = inflow * stageShare[stage];
        const present = stageRequests[stage] + entering;
        content[service] += present;
        inflow = present * servedShare[service] + (inflow - entering);
      }
    }
  }

  /**
   * Lets the served shares, and the requests that pass a call by, move on, in exact units; adds to the calls that arrived at and were completed by each service.
   * @returns the requests completed.
   */
  move(servedShare: Float64Array, arrivedCalls: Float64Array, completedCalls: Float64Array): number {
    const { stageService, stageShare, typeStart } = this.topology;
    const { stageRequests, stageArrivals } = this;
    let completed = 0;
    for (let type = 0; type < this.arrivals.length; type++) {
      let inflow = this.arrivals[type];
      for (let stage = typeStart[type]; stage < typeStart[type + 1]; stage++) {
        const service = stageService[stage];
        const entering = Math.floor(inflow * stageShare[stage] * PER_QUANTUM) * QUANTUM;
        const present = stageRequests[stage] + entering;
        const moved = Math.floor(present * servedShare[service] * PER_QUANTUM) * QUANTUM;
        stageArrivals[stage] += entering;
        arrivedCalls[service] += entering;
        completedCalls[service] += moved;
        stageRequests[stage] = present - moved;
        inflow = moved + (inflow - entering);
      }
      completed += inflow;
    }
    return completed;
  }

  /** Gives up the calls at a service whose pods are all gone. @returns their number. */
  drop(service: number): number {
    const { stageService } = this.topology;
    let dropped = 0;
    for (let stage = 0; stage < stageService.length; stage++) {
      if (stageService[stage] !== service) continue;
      dropped += this.stageRequests[stage];
      this.stageRequests[stage] = 0;
    }
    return dropped;
  }

  /** Writes the calls at each service, waiting or being served, into `calls`. */
  countCalls(calls: Float64Array): void {
    const { stageService } = this.topology;
    calls.fill(0);
    for (let stage = 0; stage < stageService.length; stage++) calls[stageService[stage]] += this.stageRequests[stage];
  }

  /** Requests anywhere in the application. */
  requestsInSystem(): number {
    return this.stageRequests.reduce((sum, requests) => sum + requests, 0);
  }
}

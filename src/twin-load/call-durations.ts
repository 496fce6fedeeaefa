import type { ServiceParameters } from '../rl/environments/online-boutique/application.ts';
import { waitsInARow } from '../rl/environments/online-boutique/simulation.ts';
import type { Topology } from '../rl/environments/online-boutique/topology.ts';

/** Waits of a call at each service, as a simulation knows them for its last sub-step; seconds, seconds². */
export interface ServiceWaits {
  readonly waitSeconds: Float64Array;
  readonly waitTrend: Float64Array;
  readonly waitVariance: Float64Array;
  readonly waitCovariance: Float64Array;
}

/**
 * How long each call of an application takes at its server: its wait, its own work, and the calls that it makes with the
 * network between.
 *
 * 1. The mean is that sum, so what a service takes itself is its mean less those of the calls that it makes, exactly.
 * 2. The calls of a whole request, with the network before the first, have the mean and variance that the simulation gives
 *    the request's type: later calls to a service wait longer while its queue grows.
 * 3. The network before a call is on its caller's side: see {@link networkSeconds}.
 */
export class CallDurations {
  /** At the server, seconds; one entry a stage of the topology. */
  readonly meanSeconds: Float64Array;
  /** Seconds²; the same at the caller's, because the network takes always alike. */
  readonly variance: Float64Array;
  /** What the caller waits longer than the server works, seconds. */
  readonly networkSeconds: Float64Array;

  private readonly topology: Topology;
  private readonly serviceSeconds: Float64Array;
  private readonly baseVariance: Float64Array;
  /** Calls that a request of the type has made before to the same service. */
  private readonly callsBefore: Float64Array;
  /** Calls to each service within a call, itself included; row = stage. */
  private readonly callsWithin: Float64Array;

  constructor(topology: Topology, services: readonly ServiceParameters[]) {
    const { stageService, stageShare, stageEnd } = topology;
    const stages = stageService.length;
    this.topology = topology;
    this.meanSeconds = new Float64Array(stages);
    this.variance = new Float64Array(stages);
    this.networkSeconds = Float64Array.from(stageService, (s) => services[s].networkSeconds);
    this.serviceSeconds = Float64Array.from(stageService, (s) => services[s].serviceSeconds);
    this.baseVariance = new Float64Array(stages);
    this.callsBefore = callsBefore(topology);
    this.callsWithin = new Float64Array(stages * services.length);
    for (let stage = 0; stage < stages; stage++) {
      if (stageShare[stage] === 0) continue;
      for (let inner = stage; inner < stageEnd[stage]; inner++) {
        const service = services[stageService[inner]];
        const share = stageShare[inner] / stageShare[stage];
        const skipped = share * (1 - share) * (service.networkSeconds + service.serviceSeconds) ** 2;
        this.baseVariance[stage] += share * service.serviceScv * service.serviceSeconds ** 2 + skipped;
        this.callsWithin[stage * services.length + stageService[inner]] += share;
      }
    }
  }

  /** Brings mean and variance up to these waits. */
  measure(waits: ServiceWaits): void {
    const { stageService, stageShare, stageEnd } = this.topology;
    for (let stage = stageService.length - 1; stage >= 0; stage--) {
      let mean = this.waitOf(stage, waits) + this.serviceSeconds[stage];
      for (let inner = stage + 1; inner < stageEnd[stage]; inner = stageEnd[inner]) {
        if (stageShare[inner] === 0) continue;
        mean += (stageShare[inner] / stageShare[stage]) * (this.networkSeconds[inner] + this.meanSeconds[inner]);
      }
      this.meanSeconds[stage] = mean;
      this.variance[stage] = this.baseVariance[stage] + this.varianceOfWaits(stage, waits);
    }
  }

  private waitOf(stage: number, { waitSeconds, waitTrend }: ServiceWaits): number {
    const service = this.topology.stageService[stage];
    const share = this.topology.stageShare[stage];
    if (share === 0) return waitSeconds[service];
    const before = this.callsBefore[stage];
    const upTo = (calls: number): number => waitsInARow(calls, waitSeconds[service], waitTrend[service]);
    return (upTo(before + share) - upTo(before)) / share;
  }

  private varianceOfWaits(stage: number, { waitVariance, waitCovariance }: ServiceWaits): number {
    let variance = 0;
    for (let s = 0, i = stage * waitVariance.length; s < waitVariance.length; s++, i++) {
      const calls = this.callsWithin[i];
      if (calls > 0) variance += calls * (waitVariance[s] + (calls - 1) * waitCovariance[s]);
    }
    return Math.max(0, variance);
  }
}

function callsBefore({ stageService, stageShare, typeStart, services }: Topology): Float64Array {
  const before = new Float64Array(stageService.length);
  for (let type = 0; type + 1 < typeStart.length; type++) {
    const made = new Float64Array(services.length);
    for (let stage = typeStart[type]; stage < typeStart[type + 1]; stage++) {
      before[stage] = made[stageService[stage]];
      made[stageService[stage]] += stageShare[stage];
    }
  }
  return before;
}

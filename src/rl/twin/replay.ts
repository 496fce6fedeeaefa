import { CoxswainError } from '../../contracts/errors.ts';
import type { ClusterRecording } from '../../contracts/cluster-metrics.ts';
import type { BinRange } from '../../contracts/stores.ts';
import type { Application, CallParameters } from '../environments/online-boutique/application.ts';
import { LatencyMixture } from '../environments/online-boutique/latency-mixture.ts';
import { Simulation, STEP_SECONDS, SUB_STEPS } from '../environments/online-boutique/simulation.ts';
import { entryFirst, isThere } from './recorded.ts';

/** What the simulator says in place of the recording; every array has one value a bin of the range, NaN = not played. */
export interface Prediction {
  readonly range: BinRange;
  readonly p95Seconds: Float32Array;
  readonly services: readonly ServicePrediction[];
}

export interface ServicePrediction {
  readonly cpuMillicores: Float32Array;
  readonly callsPerSecond: Float32Array;
  readonly ownSeconds: Float32Array;
}

/** Bins played before the range, so that queues have settled. */
const WARM_UP_BINS = 8;

/**
 * Plays the recorded arrivals with the recorded ready pods, without any draw: what the application would have shown. A
 * service that was not there in a bin is called by nobody. Bins in which the rate or a service's pods are not known are
 * played with the last that is, and have NaN, as has the bin after them.
 * @param application services in the order of {@link entryFirst}.
 */
export function replay(application: Application, recording: ClusterRecording, range: BinRange): Prediction {
  const steps = stepsPerBin(recording);
  const player = new Player(application, recording, steps);
  const length = range.to - range.from;
  const series = (): Float32Array => new Float32Array(length).fill(NaN);
  const prediction: Prediction = {
    range,
    p95Seconds: series(),
    services: application.services.map(() => ({
      cpuMillicores: series(),
      callsPerSecond: series(),
      ownSeconds: series(),
    })),
  };
  let knownBefore = false;
  for (let bin = Math.max(0, range.from - WARM_UP_BINS); bin < range.to; bin++) {
    const known = player.play(bin);
    if (bin >= range.from && known && knownBefore) player.note(bin - range.from, prediction);
    knownBefore = known;
  }
  return prediction;
}

/** Control steps of the simulator in a bin. @throws CoxswainError TWIN_UNFIT when bins are no multiple of its step. */
export function stepsPerBin({ binSeconds }: ClusterRecording): number {
  const steps = binSeconds / STEP_SECONDS;
  if (Number.isInteger(steps) && steps >= 1) return steps;
  throw new CoxswainError(
    'TWIN_UNFIT',
    `The recording has bins of ${binSeconds} s, but the simulator's step is ${STEP_SECONDS} s: record with collect.binSeconds ${STEP_SECONDS} or a multiple of it.`,
  );
}

class Player {
  private readonly application: Application;
  private readonly recording: ClusterRecording;
  private readonly steps: number;
  private readonly services;
  private readonly simulation: Simulation;
  private readonly latencies: LatencyMixture;
  private readonly arrivals: Float64Array;
  private readonly pods: Int32Array;
  private readonly cpu: Float64Array;
  private readonly calls: Float64Array;
  private readonly own: Float64Array;
  private p95 = 0;
  private rate = 0;
  private absent = '';
  private started = false;

  constructor(application: Application, recording: ClusterRecording, steps: number) {
    this.application = application;
    this.recording = recording;
    this.steps = steps;
    this.services = entryFirst(recording);
    this.simulation = new Simulation(unhindered(application, recording));
    this.latencies = new LatencyMixture(application.requests.length * SUB_STEPS * steps);
    this.arrivals = new Float64Array(application.requests.length);
    this.pods = new Int32Array(application.services.length).fill(1);
    this.cpu = new Float64Array(application.services.length);
    this.calls = new Float64Array(application.services.length);
    this.own = new Float64Array(application.services.length);
  }

  /** Plays a bin. @returns whether everything that it needs was recorded. */
  play(bin: number): boolean {
    const known = this.takeOver(bin);
    const { simulation, steps, arrivals } = this;
    this.latencies.clear();
    this.cpu.fill(0);
    this.calls.fill(0);
    for (let step = 0; step < steps; step++) {
      for (let type = 0; type < arrivals.length; type++) {
        arrivals[type] = this.rate * STEP_SECONDS * simulation.topology.typeShare[type];
      }
      simulation.advance(arrivals, this.latencies);
      this.addStep();
    }
    this.p95 = this.latencies.quantile(0.95);
    return known;
  }

  /** Writes what the bin just played showed. */
  note(place: number, { p95Seconds, services }: Prediction): void {
    p95Seconds[place] = this.p95;
    services.forEach((series, s) => {
      series.cpuMillicores[place] = this.cpu[s] / (this.steps * STEP_SECONDS);
      series.callsPerSecond[place] = this.calls[s] / (this.steps * STEP_SECONDS);
      series.ownSeconds[place] = this.own[s];
    });
  }

  private addStep(): void {
    const { simulation } = this;
    this.application.services.forEach((service, s) => {
      const pods = this.absent.includes(`/${service.name}/`) ? 0 : simulation.readySeconds[s];
      this.cpu[s] += pods * service.cpuIdleMillicores + simulation.busySeconds[s] * service.cpuBusyMillicores;
      const before = this.calls[s];
      this.calls[s] += simulation.arrivedCalls[s];
      const own = service.serviceSeconds + simulation.waitSeconds[s];
      // Weighted by the calls of each step, as a mesh's mean is.
      if (this.calls[s] > 0)
        this.own[s] = (before * (before > 0 ? this.own[s] : 0) + simulation.arrivedCalls[s] * own) / this.calls[s];
    });
  }

  /** Sets arrivals, pods and calls to those of a bin. @returns whether all of it was recorded. */
  private takeOver(bin: number): boolean {
    const { recording, services, pods, simulation } = this;
    const rate = recording.requestsPerSecond[bin];
    let known = Number.isFinite(rate);
    if (known) this.rate = rate;
    let absent = '/';
    services.forEach((service, s) => {
      const ready = service.series.readyReplicas[bin];
      if (Number.isFinite(ready)) pods[s] = Math.max(1, Math.round(ready));
      else if (isThere(service, bin)) known = false;
      else absent += `${this.application.services[s].name}/`;
    });
    if (!this.started) simulation.reset(pods);
    this.started = true;
    if (absent !== this.absent) this.leaveOut(absent);
    for (let s = 0; s < pods.length; s++) simulation.fleet.scale(s, pods[s]);
    return known;
  }

  private leaveOut(absent: string): void {
    this.absent = absent;
    const keep = (call: CallParameters): CallParameters => ({
      ...call,
      calls: call.calls?.filter(({ service }) => !absent.includes(`/${service}/`)).map(keep),
    });
    const { services, requests } = this.application;
    this.simulation.reroute({
      services,
      requests: requests.map((request) => ({ ...request, call: keep(request.call) })),
    });
  }
}

/** Pods as they were recorded: at once, and as many as there were. */
function unhindered(application: Application, recording: ClusterRecording): Application {
  const recorded = entryFirst(recording);
  return {
    ...application,
    services: application.services.map((service, s) => ({
      ...service,
      startupSeconds: 0,
      terminationSeconds: 0,
      minReplicas: 1,
      maxReplicas: recorded[s].series.readyReplicas.reduce(
        (most, ready) => (ready > most ? Math.round(ready) : most),
        1,
      ),
    })),
  };
}

import type { ClusterView } from '../../baselines/controller.ts';
import type { ServiceParameters } from './application.ts';
import type { LatencyMixture } from './latency-mixture.ts';
import { FRAME, MetricsHistory, SERVICE_FRAME } from './metrics-history.ts';
import type { MetricsHistoryState } from './metrics-history.ts';
import { STEP_SECONDS } from './simulation.ts';
import type { Simulation } from './simulation.ts';

/** State of a {@link ClusterMonitor} as JSON. */
export interface ClusterMonitorState {
  readonly history: MetricsHistoryState;
  readonly readyPods: readonly number[];
}

/**
 * Watches a simulation as a monitoring system would, and shows controllers what they may know: replicas and pods of this
 * moment, metrics as old as they are.
 */
export class ClusterMonitor {
  readonly view: ClusterView;
  /** The view's names, which change when services do. */
  private readonly names: string[];
  readonly history: MetricsHistory;
  private readonly simulation: Simulation;
  private readonly sloSeconds: number;
  private readonly cpuIdle: Float64Array;
  private readonly cpuBusy: Float64Array;
  private readonly callsInSystem: Float64Array;
  /** Row = steps ago, up to the delay; ready pods of each service when that step began. */
  private readonly readyPods: Int32Array;

  /** @param rateSteps how many steps of request rate to keep beyond the delay. */
  constructor(
    services: readonly ServiceParameters[],
    simulation: Simulation,
    options: { readonly delaySteps: number; readonly rateSteps: number; readonly sloSeconds: number },
  ) {
    this.simulation = simulation;
    this.sloSeconds = options.sloSeconds;
    this.history = new MetricsHistory(services.length, options.delaySteps, options.rateSteps);
    this.cpuIdle = Float64Array.from(services, (service) => service.cpuIdleMillicores);
    this.cpuBusy = Float64Array.from(services, (service) => service.cpuBusyMillicores);
    this.callsInSystem = new Float64Array(services.length);
    this.readyPods = new Int32Array(services.length * (options.delaySteps + 1));
    this.names = services.map((service) => service.name);
    this.view = {
      services: this.names,
      minReplicas: Int32Array.from(services, (service) => service.minReplicas),
      maxReplicas: Int32Array.from(services, (service) => service.maxReplicas),
      timeSeconds: 0,
      desiredReplicas: new Int32Array(services.length),
      readyPods: new Int32Array(services.length),
      unreadyPods: new Int32Array(services.length),
      missingPods: new Int32Array(services.length),
      cpuRequestMillicores: Float64Array.from(services, (service) => service.cpuRequestMillicores),
      cpuUsageMillicores: new Float64Array(services.length),
    };
  }

  /** Another service, of which nothing is known yet, in the place of service `s`. */
  replaceService(s: number, service: ServiceParameters): void {
    this.names[s] = service.name;
    this.cpuIdle[s] = service.cpuIdleMillicores;
    this.cpuBusy[s] = service.cpuBusyMillicores;
    this.view.minReplicas[s] = service.minReplicas;
    this.view.maxReplicas[s] = service.maxReplicas;
    this.view.cpuRequestMillicores[s] = service.cpuRequestMillicores;
    this.history.forgetService(s);
    for (let i = s; i < this.readyPods.length; i += this.cpuIdle.length) this.readyPods[i] = 0;
  }

  /** Notes who is ready when a step begins, after replicas were changed. */
  beginStep(): void {
    const { readyPods } = this;
    const { ready } = this.simulation.fleet;
    readyPods.copyWithin(ready.length, 0, readyPods.length - ready.length);
    readyPods.set(ready);
  }

  /** Takes the metrics of the step just played. */
  endStep(latencies: LatencyMixture): void {
    const { history, simulation } = this;
    history.noteRate(latencies.requests / STEP_SECONDS);
    const { values } = history;
    const frame = history.nextFrame();
    const { requests } = latencies;
    values[frame + FRAME.p95Seconds] = latencies.quantile(0.95);
    values[frame + FRAME.violationShare] = requests > 0 ? latencies.countAbove(this.sloSeconds) / requests : 0;
    simulation.flow.countCalls(this.callsInSystem);
    for (let s = 0, at = frame + FRAME.width; s < this.cpuIdle.length; s++, at += SERVICE_FRAME.width) {
      const readyPods = simulation.readySeconds[s] / STEP_SECONDS;
      const busyServers = simulation.busySeconds[s] / STEP_SECONDS;
      values[at + SERVICE_FRAME.cpuMillicores] = readyPods * this.cpuIdle[s] + busyServers * this.cpuBusy[s];
      values[at + SERVICE_FRAME.readyPods] = readyPods;
      values[at + SERVICE_FRAME.callsIn] = simulation.arrivedCalls[s] / STEP_SECONDS;
      values[at + SERVICE_FRAME.callsOut] = simulation.completedCalls[s] / STEP_SECONDS;
      values[at + SERVICE_FRAME.callsInSystem] = this.callsInSystem[s];
      values[at + SERVICE_FRAME.waitSeconds] = simulation.waitSeconds[s];
    }
  }

  /** Brings {@link view} up to this moment. */
  updateView(timeSeconds: number): void {
    const { view, history } = this;
    const { desired, ready, startingTotal } = this.simulation.fleet;
    view.timeSeconds = timeSeconds;
    view.desiredReplicas.set(desired);
    for (let s = 0, at = history.visible + FRAME.width; s < desired.length; s++, at += SERVICE_FRAME.width) {
      // The metrics cover the pods that were ready when the measured step began and still are.
      const covered = Math.min(ready[s], this.leastReady(s));
      view.readyPods[s] = covered;
      view.unreadyPods[s] = startingTotal[s] + ready[s] - covered;
      const measured = history.values[at + SERVICE_FRAME.readyPods];
      view.cpuUsageMillicores[s] =
        measured > 0 ? (history.values[at + SERVICE_FRAME.cpuMillicores] * covered) / measured : 0;
    }
  }

  /** CPU of all pods of a service that were ready, as old as the metrics are, millicores. */
  cpuUsage(s: number): number {
    const { history } = this;
    return history.values[history.visible + FRAME.width + s * SERVICE_FRAME.width + SERVICE_FRAME.cpuMillicores];
  }

  saveState(): ClusterMonitorState {
    return { history: this.history.saveState(), readyPods: [...this.readyPods] };
  }

  loadState(state: ClusterMonitorState): void {
    this.history.loadState(state.history);
    this.readyPods.set(state.readyPods);
  }

  /** Fewest ready pods at the beginning of a step since the visible one. */
  private leastReady(s: number): number {
    const { readyPods } = this;
    const { length } = this.cpuIdle;
    let least = readyPods[s];
    for (let i = s + length; i < readyPods.length; i += length) {
      if (readyPods[i] < least) least = readyPods[i];
    }
    return least;
  }
}

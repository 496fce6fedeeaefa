import type { ControlObservation } from '../../contracts/control.ts';
import type { MetricsSnapshot, ServiceMetrics } from '../../contracts/cluster-metrics.ts';
import type { ClusterView } from '../baselines/controller.ts';
import type { ServiceParameters } from '../environments/online-boutique/application.ts';
import { RATE_STEPS } from '../environments/online-boutique/boutique-observation.ts';
import { FRAME, MetricsHistory, SERVICE_FRAME } from '../environments/online-boutique/metrics-history.ts';
import type { DecisionSource } from '../environments/online-boutique/scaling-decision.ts';

/** Steps of request rate that a live policy observes, the newest included. */
export const liveRateSteps = RATE_STEPS + 1;

/**
 * Shows what was observed of a live cluster as the simulation's monitoring shows its own: the same view, history and
 * units. A function of the observation alone, so that a recorded one gives the same bits.
 *
 * Calls in the system are λ · W (Little's law) with W the own time of a call; calls out are taken for calls in, since
 * meshes count a call when it ends; the wait is what the own time exceeds service and network time by.
 */
export class LiveMonitor implements DecisionSource {
  readonly view: ClusterView;
  readonly history: MetricsHistory;
  readonly startingPods: Int32Array;
  private readonly services: readonly ServiceParameters[];

  constructor(services: readonly ServiceParameters[]) {
    const { length } = services;
    this.services = services;
    this.history = new MetricsHistory(length, 0, RATE_STEPS);
    this.startingPods = new Int32Array(length);
    this.view = {
      services: services.map(({ name }) => name),
      minReplicas: Int32Array.from(services, ({ minReplicas }) => minReplicas),
      maxReplicas: Int32Array.from(services, ({ maxReplicas }) => maxReplicas),
      timeSeconds: 0,
      desiredReplicas: new Int32Array(length),
      readyPods: new Int32Array(length),
      unreadyPods: new Int32Array(length),
      missingPods: new Int32Array(length),
      cpuRequestMillicores: new Float64Array(length),
      cpuUsageMillicores: new Float64Array(length),
    };
  }

  cpuUsage(service: number): number {
    return this.view.cpuUsageMillicores[service];
  }

  /**
   * Takes over an observation whose {@link flawsForHpa} are none.
   * @param atSeconds the moment of the step, seconds since 1970.
   */
  showCluster({ workloads, metrics }: ControlObservation, atSeconds: number): void {
    const { view } = this;
    view.timeSeconds = atSeconds;
    workloads.forEach((workload, s) => {
      if (workload === null) return;
      view.desiredReplicas[s] = workload.replicas;
      view.readyPods[s] = workload.readyPods;
      view.unreadyPods[s] = workload.unreadyPods;
      this.startingPods[s] = workload.startingPods;
      view.cpuRequestMillicores[s] = workload.cpuRequestMillicores ?? this.services[s].cpuRequestMillicores;
      view.cpuUsageMillicores[s] = metrics?.services[s].cpuMillicores ?? workload.cpuMillicores ?? 0;
    });
  }

  /** Takes over metrics whose {@link flawsForPolicy} are none, after {@link showCluster}. */
  showMetrics(metrics: MetricsSnapshot): void {
    const { history } = this;
    for (const rate of filledRates(metrics)) history.noteRate(rate);
    const frame = history.nextFrame();
    const { values } = history;
    values[frame + FRAME.p95Seconds] = metrics.p95Seconds ?? 0;
    values[frame + FRAME.violationShare] = metrics.violationShare ?? 0;
    metrics.services.forEach((service, s) => this.writeService(service, s, frame));
  }

  private writeService(metrics: ServiceMetrics, s: number, frame: number): void {
    const { serviceSeconds, networkSeconds } = this.services[s];
    const { values } = this.history;
    const at = frame + FRAME.width + s * SERVICE_FRAME.width;
    const calls = metrics.callsPerSecond!;
    const own = metrics.ownSeconds ?? metrics.meanSeconds ?? 0;
    values[at + SERVICE_FRAME.cpuMillicores] = metrics.cpuMillicores!;
    values[at + SERVICE_FRAME.readyPods] = this.view.readyPods[s];
    values[at + SERVICE_FRAME.callsIn] = calls;
    values[at + SERVICE_FRAME.callsOut] = calls;
    values[at + SERVICE_FRAME.callsInSystem] = calls * own;
    values[at + SERVICE_FRAME.waitSeconds] = Math.max(0, own - serviceSeconds - networkSeconds);
  }
}

/** The rates with gaps filled: by the rate before, the oldest ones by the first that there is. */
function filledRates({ requestsPerSecond }: MetricsSnapshot): number[] {
  let last = requestsPerSecond.find((rate) => rate !== null) ?? 0;
  return requestsPerSecond.map((rate) => (last = rate ?? last));
}

/** Why an HPA cannot decide on an observation: a sentence a service; none when it can. */
export function flawsForHpa(observation: ControlObservation, services: readonly string[]): string[] {
  return services.flatMap((service, s) => hpaFlaw(observation, s, service) ?? []);
}

/** Why an HPA cannot decide on one service; null when it can. */
export function hpaFlaw({ workloads, metrics }: ControlObservation, s: number, service: string): string | null {
  const workload = workloads[s];
  if (workload === null) return `${service}: its workload is not there`;
  const usage = metrics?.services[s].cpuMillicores ?? workload.cpuMillicores;
  return usage === null && workload.readyPods > 0 ? `${service}: its CPU usage is not known` : null;
}

/** Why the policy cannot decide on an observation: a sentence each; none when it can. */
export function flawsForPolicy(observation: ControlObservation, services: readonly string[]): string[] {
  const { metrics } = observation;
  if (metrics === null) return ['the metrics are not there'];
  return [
    ...flawsForHpa(observation, services),
    ...flawsOfRequests(metrics, liveRateSteps),
    ...metrics.services.flatMap((figures, s) => flawsOfService(figures, services[s])),
  ];
}

/** What is missing of the users' requests. */
export function flawsOfRequests(metrics: MetricsSnapshot, rateSteps: number): string[] {
  const flaws: string[] = [];
  const newest = metrics.requestsPerSecond.at(-1) ?? null;
  if (metrics.requestsPerSecond.length !== rateSteps) flaws.push('the request rates are not those that were asked for');
  if (newest === null) flaws.push('the request rate of the newest step is not known');
  if (newest !== 0 && (metrics.p95Seconds === null || metrics.violationShare === null)) {
    flaws.push("the latency of the users' requests is not known");
  }
  return flaws;
}

/** What is missing of the metrics of a service. */
export function flawsOfService(
  { cpuMillicores, callsPerSecond, ownSeconds, meanSeconds }: ServiceMetrics,
  service: string,
): string[] {
  const flaws: string[] = [];
  if (cpuMillicores === null) flaws.push(`${service}: its CPU usage is not in the metrics`);
  if (callsPerSecond === null) flaws.push(`${service}: its calls are not known`);
  else if (callsPerSecond > 0 && ownSeconds === null && meanSeconds === null) {
    flaws.push(`${service}: the time of its calls is not known`);
  }
  return flaws;
}

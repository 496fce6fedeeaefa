import type { ClusterRecording, RecordedEdge, RecordedService } from '../../../../src/contracts/cluster-metrics.ts';
import { serviceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import type { RecordingGap, ServiceSeries } from '../../../../src/contracts/cluster-metrics.ts';
import { createHpa } from '../../../../src/rl/baselines/hpa.ts';
import type { Application, ServiceParameters } from '../../../../src/rl/environments/online-boutique/application.ts';
import { ClusterMonitor } from '../../../../src/rl/environments/online-boutique/cluster-monitor.ts';
import { LatencyMixture } from '../../../../src/rl/environments/online-boutique/latency-mixture.ts';
import { Simulation, STEP_SECONDS, SUB_STEPS } from '../../../../src/rl/environments/online-boutique/simulation.ts';
import { Generator } from '../../../../src/rl/random.ts';

/** How an application is played and what its monitoring makes of it. */
export interface RecordingOptions {
  readonly bins: number;
  readonly seed?: number;
  /** Requests/s in a bin, before the Poisson draws. */
  readonly requestsPerSecond: (bin: number) => number;
  /** CPU target of the HPA, percent; null = `replicas` pods of each service all the time. */
  readonly hpaTargetPercent?: number | null;
  readonly replicas?: number;
  /** Standard deviation of the relative error of each measured value. Default 0.05. */
  readonly noise?: number;
  /** Share of bins in which a series is missing, for each service by itself. Default 0.01. */
  readonly missing?: number;
  /** A service's CPU limit, times its request; null = it has none. Default 1. */
  readonly limitRatio?: number | null;
  /** Bins in which services are not there: by name, bins [from, to). Nobody calls them then. */
  readonly absent?: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>;
}

/** Requests/s of a day in three hours: a slow swing with bursts. */
export function swing(mean: number, amplitude = 0.7): (bin: number) => number {
  return (bin) => {
    const slow = 1 - amplitude * Math.cos((2 * Math.PI * bin) / 720);
    const burst = bin % 240 > 200 ? 1.6 : 1;
    return mean * slow * burst;
  };
}

/**
 * Plays an application on traffic and records it as a cluster's monitoring does: rates, means and counts of each bin of
 * 15 s, with noise and gaps. The first bins, until queues and replicas have settled, are not recorded.
 */
export function recordApplication(application: Application, options: RecordingOptions): ClusterRecording {
  const player = new Player(application, options);
  for (let bin = -WARM_UP; bin < options.bins; bin++) player.play(bin);
  return player.recording();
}

const WARM_UP = 40;
const NAMESPACE = 'shop';

class Player {
  private readonly application: Application;
  private readonly options: RecordingOptions;
  private readonly generator: Generator;
  private readonly simulation: Simulation;
  private readonly monitor: ClusterMonitor;
  private readonly latencies: LatencyMixture;
  private readonly hpa;
  private readonly wanted: Int32Array;
  private readonly requests: Float32Array;
  private readonly p95: Float32Array;
  private readonly series: Record<ServiceSeries, Float32Array>[];
  private readonly edges = new Map<
    string,
    { calls: Float32Array; mean: Float32Array; source: number; target: number }
  >();
  private readonly startups: number[][];
  private absentNow = '';
  private started = false;

  constructor(application: Application, options: RecordingOptions) {
    this.application = application;
    this.options = options;
    this.generator = new Generator(options.seed ?? 1);
    const { services } = application;
    this.simulation = new Simulation(application);
    this.monitor = new ClusterMonitor(services, this.simulation, { delaySteps: 1, rateSteps: 4, sloSeconds: 0.5 });
    this.latencies = new LatencyMixture(application.requests.length * SUB_STEPS);
    this.hpa = options.hpaTargetPercent === null ? null : createHpa({ targetPercent: options.hpaTargetPercent ?? 60 });
    this.wanted = new Int32Array(services.length);
    this.requests = new Float32Array(options.bins);
    this.p95 = new Float32Array(options.bins);
    this.series = services.map(
      () =>
        Object.fromEntries(serviceSeries.map((name) => [name, new Float32Array(options.bins).fill(NaN)])) as Record<
          ServiceSeries,
          Float32Array
        >,
    );
    this.startups = services.map(() => []);
  }

  play(bin: number): void {
    const { simulation, monitor, options } = this;
    const rate = options.requestsPerSecond(Math.max(0, bin));
    if (!this.started) {
      const enough = simulation.replicasFor(rate, 0.6);
      simulation.reset(this.hpa === null ? enough.fill(options.replicas ?? 1) : enough);
      this.started = true;
    }
    this.route(bin);
    this.scale(bin);
    const arrivals = Float64Array.from(simulation.topology.typeShare, (share) =>
      this.generator.poisson(rate * STEP_SECONDS * share),
    );
    this.latencies.clear();
    monitor.beginStep();
    simulation.advance(arrivals, this.latencies);
    monitor.endStep(this.latencies);
    if (bin >= 0) this.record(bin, arrivals);
  }

  recording(): ClusterRecording {
    const { bins } = this.options;
    const gaps: RecordingGap[] = [];
    const services = this.application.services.map((service, s) => this.recordedService(service, s, gaps));
    const edges = [...this.edges.values()].map(({ source, target, calls, mean }): RecordedEdge => ({
      source: nameOf(this.application.services[source]),
      target: nameOf(this.application.services[target]),
      protocol: 'grpc',
      callsPerSecond: calls,
      errorRate: new Float32Array(bins),
      meanSeconds: mean,
    }));
    return {
      namespace: NAMESPACE,
      dialect: 'istio',
      startSeconds: 1_767_225_600,
      binSeconds: STEP_SECONDS,
      bins,
      entry: nameOf(this.application.services[this.simulation.topology.stageService[0]]),
      requestsPerSecond: this.requests,
      p95Seconds: this.p95,
      services,
      edges,
      gaps,
    };
  }

  /** Takes the calls to services that are not there out of the trees. */
  private route(bin: number): void {
    const absent = this.application.services.filter(({ name }) => this.isAbsent(name, bin)).map(({ name }) => name);
    if (absent.join() === this.absentNow) return;
    this.absentNow = absent.join();
    this.simulation.reroute(without(this.application, new Set(absent)));
  }

  private isAbsent(name: string, bin: number): boolean {
    return (this.options.absent?.[name] ?? []).some(([from, to]) => bin >= from && bin < to);
  }

  private scale(bin: number): void {
    const { fleet } = this.simulation;
    this.monitor.updateView(Math.max(0, bin + WARM_UP) * STEP_SECONDS);
    if (this.hpa === null) return;
    this.hpa.decide(this.monitor.view, this.wanted);
    this.wanted.forEach((replicas, s) => {
      if (fleet.scale(s, replicas) && bin > 0) this.startups[s].push(this.application.services[s].startupSeconds);
    });
  }

  private record(bin: number, arrivals: Float64Array): void {
    const { simulation } = this;
    const { topology, fleet } = simulation;
    this.requests[bin] = arrivals.reduce((a, b) => a + b, 0) / STEP_SECONDS;
    this.p95[bin] = this.noisy(this.latencies.quantile(0.95));
    const { mean, server } = this.stageTimes();
    const total = this.application.services.map(() => 0);
    const calls = this.application.services.map(() => 0);
    topology.stageService.forEach((service, stage) => {
      const count = simulation.flow.stageArrivals[stage];
      calls[service] += count;
      total[service] += count * server[stage];
      const caller = topology.stageCaller[stage];
      if (caller >= 0) this.recordCall(caller, service, bin, count, mean[stage]);
    });
    for (const edge of this.edges.values()) {
      edge.mean[bin] = edge.calls[bin] > 0 ? this.noisy(edge.mean[bin] / edge.calls[bin]) : NaN;
      edge.calls[bin] /= STEP_SECONDS;
    }
    this.application.services.forEach((service, s) => {
      if (this.isAbsent(service.name, bin)) return;
      const series = this.series[s];
      const ready = simulation.readySeconds[s] / STEP_SECONDS;
      const busy = simulation.busySeconds[s] / STEP_SECONDS;
      series.replicas[bin] = fleet.desired[s];
      series.readyReplicas[bin] = ready;
      series.cpuMillicores[bin] = this.noisy(ready * service.cpuIdleMillicores + busy * service.cpuBusyMillicores);
      series.memoryBytes[bin] = this.noisy(ready * 64 * 2 ** 20);
      series.callsPerSecond[bin] = calls[s] / STEP_SECONDS;
      series.errorRate[bin] = 0;
      if (calls[s] > 0) {
        series.meanSeconds[bin] = this.noisy(total[s] / calls[s]);
        series.ownSeconds[bin] = this.noisy(service.serviceSeconds + simulation.waitSeconds[s]);
      }
    });
  }

  /** Of each stage's call: the time that its caller waits, and the time at the server, calls that it makes included. */
  private stageTimes(): { mean: Float64Array; server: Float64Array } {
    const { topology, waitSeconds } = this.simulation;
    const count = topology.stageService.length;
    const mean = new Float64Array(count);
    const server = new Float64Array(count);
    for (let stage = count - 1; stage >= 0; stage--) {
      const service = this.application.services[topology.stageService[stage]];
      server[stage] = service.serviceSeconds + waitSeconds[topology.stageService[stage]];
      for (let child = stage + 1; child < topology.stageEnd[stage]; child = topology.stageEnd[child]) {
        server[stage] += (topology.stageShare[child] / topology.stageShare[stage]) * mean[child];
      }
      mean[stage] = server[stage] + service.networkSeconds;
    }
    return { mean, server };
  }

  private recordCall(source: number, target: number, bin: number, count: number, mean: number): void {
    const key = `${source}>${target}`;
    const { bins } = this.options;
    const edge = this.edges.get(key) ?? {
      source,
      target,
      calls: new Float32Array(bins),
      mean: new Float32Array(bins),
    };
    this.edges.set(key, edge);
    edge.calls[bin] += count;
    edge.mean[bin] += count * mean;
  }

  private recordedService(service: ServiceParameters, s: number, gaps: RecordingGap[]): RecordedService {
    const { bins, missing = 0.01, limitRatio = 1 } = this.options;
    for (let bin = 0; bin < bins; bin++) {
      if (this.generator.uniform() >= missing) continue;
      const name = serviceSeries[this.generator.integer(serviceSeries.length)];
      this.series[s][name][bin] = NaN;
      gaps.push({ what: `${name} of ${nameOf(service)}`, from: bin, to: bin + 1 });
    }
    return {
      workload: nameOf(service),
      cpuRequestMillicores: service.cpuRequestMillicores,
      cpuLimitMillicores: limitRatio === null ? null : service.cpuRequestMillicores * limitRatio,
      memoryRequestBytes: 64 * 2 ** 20,
      memoryLimitBytes: 128 * 2 ** 20,
      minReplicas: this.hpa === null ? null : service.minReplicas,
      maxReplicas: this.hpa === null ? null : service.maxReplicas,
      startupSeconds: this.startups[s].slice(0, 20),
      series: this.series[s],
    };
  }

  private noisy(value: number): number {
    return value * Math.max(0, 1 + (this.options.noise ?? 0.05) * this.generator.normal());
  }
}

function nameOf({ name }: ServiceParameters): string {
  return `${NAMESPACE}/${name}`;
}

function without(application: Application, absent: ReadonlySet<string>): Application {
  type Call = Application['requests'][number]['call'];
  const keep = (call: Call): Call => ({
    ...call,
    calls: (call.calls ?? []).filter(({ service }) => !absent.has(service)).map(keep),
  });
  return {
    ...application,
    requests: application.requests.map((request) => ({ ...request, call: keep(request.call) })),
  };
}

import type { ClusterWorkload } from '../contracts/cluster.ts';
import type { Application } from '../rl/environments/online-boutique/application.ts';
import { LatencyMixture } from '../rl/environments/online-boutique/latency-mixture.ts';
import { limitsOf } from '../rl/environments/online-boutique/service-limits.ts';
import { Simulation, SUB_STEP_SECONDS } from '../rl/environments/online-boutique/simulation.ts';
import type { Generator } from '../rl/random.ts';
import { CallDurations } from './call-durations.ts';
import { MeshSeries } from './mesh-series.ts';
import type { MeshEdge, MeshOptions } from './mesh-series.ts';
import { POD_COUNTER } from './pod-ledger.ts';
import type { LedgerPod, PodLedger } from './pod-ledger.ts';
import { reachableApplication } from './reachable-application.ts';
import type { ReachableApplication } from './reachable-application.ts';

/** Servers of a service that the queues have room for; pods beyond that stand idle. */
const MOST_SERVERS = 100_000;
const REQUEST_BYTES = 600;
const RESPONSE_BYTES = 3_000;
/** Of a pod that says no memory request, and of each call at it. */
const DEFAULT_MEMORY_BYTES = 64 * 2 ** 20;
const CALL_MEMORY_BYTES = 256 * 2 ** 10;
/** Share of its request that a pod holds without calls, and of its limit that it never exceeds. */
const RESTING_MEMORY = 0.6;
const HIGHEST_MEMORY = 0.95;
/** CPU of pods that belong to no service of the application. */
const STRANGER_MILLICORES = 1;

/** What one step was like; simulated time and whole counts, whatever the speed. */
export interface PlayedStep {
  /** Latencies of the requests that arrived and were let in. */
  readonly latencies: LatencyMixture;
  /** Users' requests that arrived. */
  readonly requests: number;
  /** Those of them that fail or are refused. */
  readonly failed: number;
  /** Those of them that were slower than the SLO or fail. */
  readonly violations: number;
  /** Pods of the application that there were, pod-seconds. */
  readonly podSeconds: number;
}

/** How an application is played. */
export interface PlayOptions extends MeshOptions {
  readonly sloSeconds: number;
  /** Simulated seconds a second. */
  readonly speed: number;
  readonly generator: Generator;
}

/**
 * Plays an application, five simulated seconds a step, on the pods of a ledger, and keeps what a mesh and cAdvisor would
 * have counted.
 *
 * 1. A request counts where it arrives, with the latency that it will have, as in the training environments.
 * 2. At speed k a simulated step takes a k-th of its time, and counters take a k-th of what happens: so rates, CPU and
 *    latencies of the series are those of the application, and only the time in which the load changes is shorter.
 * 3. A service without serving pods refuses its calls; who called it fails. What waited at it is lost.
 */
export class PlayedApplication {
  readonly mesh: MeshSeries;
  readonly simulation: Simulation;
  private readonly application: Application;
  private readonly options: PlayOptions;
  private readonly latencies: LatencyMixture;
  private readonly arrivals: Float64Array;
  private readonly callsInSystem: Float64Array;
  private readonly mostPods: Int32Array;
  private missing = new Set<string>();
  private reachable: ReachableApplication;
  private durations: CallDurations;
  private edges: readonly MeshEdge[];

  /** @param application validated. */
  constructor(application: Application, options: PlayOptions) {
    const { services, requests } = application;
    this.application = application;
    this.options = options;
    this.simulation = new Simulation(application, { ...limitsOf(services), mostServers: MOST_SERVERS }, 1);
    this.simulation.reset(services.map(({ minReplicas }) => minReplicas));
    this.latencies = new LatencyMixture(requests.length);
    this.arrivals = new Float64Array(requests.length);
    this.callsInSystem = new Float64Array(services.length);
    this.mostPods = Int32Array.from(services, ({ serversPerPod }) => Math.floor(MOST_SERVERS / serversPerPod));
    this.mesh = new MeshSeries(options, new Set(requests.map(({ call }) => call.service)));
    this.reachable = reachableApplication(application, this.missing);
    this.simulation.reroute(this.reachable.application);
    this.durations = new CallDurations(this.simulation.topology, services);
    this.edges = this.findEdges();
  }

  /** Services without a serving pod, by name. */
  get missingServices(): ReadonlySet<string> {
    return this.missing;
  }

  /** Plays the next step on the serving pods. @param requestsPerSecond mean; the requests are drawn (Poisson). */
  play(requestsPerSecond: number, ledger: PodLedger): PlayedStep {
    const { simulation, arrivals, latencies, options } = this;
    for (const pod of ledger.pods) pod.counters.settle();
    this.mesh.settle();
    const lost = this.takePods(ledger);
    const refused = this.drawArrivals(requestsPerSecond * SUB_STEP_SECONDS);
    latencies.clear();
    simulation.advance(arrivals, latencies);
    simulation.flow.countCalls(this.callsInSystem);
    const failing = this.countCalls();
    this.countPods(ledger);
    const answered = latencies.requests - failing;
    const slow =
      latencies.requests > 0 ? (latencies.countAbove(options.sloSeconds) * answered) / latencies.requests : 0;
    const failed = failing + refused + lost;
    return {
      latencies,
      requests: latencies.requests + refused,
      failed,
      violations: failed + slow,
      podSeconds: sumOf(ledger.existing) * SUB_STEP_SECONDS,
    };
  }

  /** Brings the simulation's pods up to the ledger's. @returns the users' requests that are lost by it. */
  private takePods({ serving }: PodLedger): number {
    const { simulation, application } = this;
    const missing = new Set<string>();
    application.services.forEach(({ name }, s) => {
      simulation.fleet.observe(s, Math.min(serving[s], this.mostPods[s]));
      if (serving[s] === 0) missing.add(name);
    });
    if (isSame(missing, this.missing)) return 0;
    this.missing = missing;
    this.reachable = reachableApplication(application, missing);
    simulation.reroute(this.reachable.application);
    this.durations = new CallDurations(simulation.topology, application.services);
    this.edges = this.findEdges();
    return application.services.reduce(
      (lost, { name }, s) => lost + (missing.has(name) ? simulation.flow.drop(s) : 0),
      0,
    );
  }

  /** @returns the requests that nobody is there to take. */
  private drawArrivals(requests: number): number {
    const { typeShare } = this.simulation.topology;
    let refused = 0;
    for (let type = 0; type < this.arrivals.length; type++) {
      const drawn = this.options.generator.poisson(requests * typeShare[type]);
      this.arrivals[type] = this.reachable.unreachable[type] ? 0 : drawn;
      refused += drawn - this.arrivals[type];
      if (drawn > this.arrivals[type]) {
        const { service } = this.application.requests[type].call;
        this.mesh.addRefused({ source: null, destination: service }, drawn / this.options.speed);
      }
    }
    return refused;
  }

  /** Counts the step's calls for the mesh. @returns the users' requests among them that fail. */
  private countCalls(): number {
    const { durations, edges, mesh, simulation } = this;
    const { speed } = this.options;
    const { stageCaller } = simulation.topology;
    const { stageArrivals } = simulation.flow;
    durations.measure(simulation);
    let failing = 0;
    for (let stage = 0; stage < edges.length; stage++) {
      const calls = stageArrivals[stage];
      if (calls === 0) continue;
      const { failedShare, refused } = this.reachable.fates[stage];
      const duration = {
        mean: durations.meanSeconds[stage],
        variance: durations.variance[stage],
        networkSeconds: durations.networkSeconds[stage],
      };
      mesh.addAnswered(edges[stage], 'ok', (calls * (1 - failedShare)) / speed, duration);
      mesh.addAnswered(edges[stage], 'failed', (calls * failedShare) / speed, duration);
      for (const [destination, perCall] of refused) {
        mesh.addRefused({ source: edges[stage].destination, destination }, (calls * perCall) / speed);
      }
      if (stageCaller[stage] === -1) failing += calls * failedShare;
    }
    return failing;
  }

  /** Divides what each service did among its serving pods. */
  private countPods(ledger: PodLedger): void {
    const { simulation, application } = this;
    const { speed } = this.options;
    const bytes = this.countBytes();
    const workloads = new Map(ledger.workloads.map((each) => [each.workload, each]));
    for (const pod of ledger.pods) {
      const s = pod.service;
      const serves = s !== null && pod.servingSinceMs !== null;
      const idle = s === null ? STRANGER_MILLICORES : application.services[s].cpuIdleMillicores;
      let millicoreSeconds = pod.state.phase === 'Running' ? idle * SUB_STEP_SECONDS : 0;
      if (serves) {
        const share = 1 / ledger.serving[s];
        millicoreSeconds += share * simulation.busySeconds[s] * application.services[s].cpuBusyMillicores;
        pod.counters.add(POD_COUNTER.receivedBytes, (share * bytes.received[s]) / speed);
        pod.counters.add(POD_COUNTER.sentBytes, (share * bytes.sent[s]) / speed);
      }
      pod.counters.add(POD_COUNTER.cpuSeconds, millicoreSeconds / 1000 / speed);
      pod.cpuMillicores = millicoreSeconds / SUB_STEP_SECONDS;
      const calls = serves ? this.callsInSystem[s] / ledger.serving[s] : 0;
      pod.memoryBytes = memoryOf(pod, calls, workloads.get(pod.state.workload ?? ''));
    }
  }

  private countBytes(): { readonly received: Float64Array; readonly sent: Float64Array } {
    const { stageService, stageCaller } = this.simulation.topology;
    const { stageArrivals } = this.simulation.flow;
    const received = new Float64Array(this.application.services.length);
    const sent = new Float64Array(this.application.services.length);
    for (let stage = 0; stage < stageArrivals.length; stage++) {
      const calls = stageArrivals[stage];
      received[stageService[stage]] += calls * REQUEST_BYTES;
      sent[stageService[stage]] += calls * RESPONSE_BYTES;
      if (stageCaller[stage] === -1) continue;
      received[stageCaller[stage]] += calls * RESPONSE_BYTES;
      sent[stageCaller[stage]] += calls * REQUEST_BYTES;
    }
    return { received, sent };
  }

  private findEdges(): MeshEdge[] {
    const { stageService, stageCaller, services } = this.simulation.topology;
    return Array.from(stageService, (service, stage) => ({
      source: stageCaller[stage] === -1 ? null : services[stageCaller[stage]],
      destination: services[service],
    }));
  }
}

function memoryOf({ state }: LedgerPod, calls: number, workload: ClusterWorkload | undefined): number {
  if (state.phase !== 'Running') return 0;
  const resting = RESTING_MEMORY * (workload?.memoryRequestBytes ?? DEFAULT_MEMORY_BYTES);
  const bytes = resting + calls * CALL_MEMORY_BYTES;
  const limit = workload?.memoryLimitBytes ?? null;
  return Math.round(limit === null ? bytes : Math.min(bytes, HIGHEST_MEMORY * limit));
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((value) => b.has(value));
}

function sumOf(values: Int32Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

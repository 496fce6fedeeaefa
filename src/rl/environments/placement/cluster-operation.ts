import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { Demand } from './demand.ts';
import type { DemandState } from './demand.ts';
import { imbalance, resourceShare } from './placement-cost.ts';
import { Pods } from './pods.ts';
import type { PodsState } from './pods.ts';
import { MOST_LOAD, networkMilliseconds, processingMilliseconds, referenceMilliseconds } from './request-latency.ts';
import { TARGET_LOAD } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** What is operated how. */
export interface OperationSettings {
  readonly maxReplicas: number;
  readonly fillShare: number;
  readonly contention: number;
  /** Control steps until a node fails and is repaired, on average; the first 0: none fails. */
  readonly meanUpSteps: number;
  readonly meanDownSteps: number;
}

/** State of a {@link ClusterOperation} as JSON. */
export interface OperationState {
  readonly generator: GeneratorState;
  readonly pods: PodsState;
  readonly demand: DemandState;
  readonly load: readonly number[];
  readonly nodeUse: readonly number[];
  readonly outcome: OperationOutcome;
}

/** What one control step brought. */
export interface OperationOutcome {
  latencyMilliseconds: number;
  /** The same over that of the reference. */
  latency: number;
  /** Share of the requests that found the tightest service overloaded. */
  lostShare: number;
  resources: number;
  imbalance: number;
  requestsPerSecond: number;
  /** Pods that went down with a node. */
  lostPods: number;
}

/**
 * A cluster that serves users while pods are added, removed and moved. A step:
 *
 * 1. The demand of the step meets the pods that are ready; calls to a service spread evenly over its pods.
 * 2. A service's load is its work over its pods' CPU. Above 95 % the rest is lost: that share of all requests of which
 *    the tightest service is the limit.
 * 3. Pods added before the step serve from its end on.
 * 4. Nodes fail, each with probability 1/meanUpSteps, and lose their pods; failed ones come back empty. The last
 *    working node does not fail.
 */
export class ClusterOperation {
  readonly scenario: Scenario;
  readonly pods: Pods;
  readonly demand: Demand;
  /** Work of each service over the CPU of its ready pods; 2 without any or at most. */
  readonly load: Float64Array;
  /** Share of each node's CPU that is used. */
  readonly nodeUse: Float64Array;
  readonly outcome: OperationOutcome = {
    latencyMilliseconds: 0,
    latency: 0,
    lostShare: 0,
    resources: 0,
    imbalance: 0,
    requestsPerSecond: 0,
    lostPods: 0,
  };
  private readonly settings: OperationSettings;
  private readonly referenceLatency: number;
  private generator = new Generator(0);

  constructor(scenario: Scenario, settings: OperationSettings) {
    this.scenario = scenario;
    this.settings = settings;
    this.pods = new Pods(scenario);
    this.demand = new Demand(scenario.zones);
    this.load = new Float64Array(scenario.services);
    this.nodeUse = new Float64Array(scenario.nodes);
    const { fillShare, contention } = settings;
    this.referenceLatency = referenceMilliseconds(scenario, TARGET_LOAD, TARGET_LOAD * fillShare, contention);
  }

  /** Starts an episode: replicas that suffice for the demand, spread over the nodes, and one step played with them. */
  reset(generator: Generator): void {
    this.generator = generator;
    this.demand.reset(generator.fork());
    this.pods.clear();
    for (let service = 0; service < this.scenario.services; service++) this.spread(service, this.replicasFor(service));
    this.serve();
    this.outcome.lostPods = 0;
  }

  /** Replicas that keep a service at the target load with the demand of now, within 1 … maxReplicas. */
  replicasFor(service: number): number {
    const needed = Math.ceil(this.work(service) / (TARGET_LOAD * this.scenario.podCpu[service]));
    return Math.min(this.settings.maxReplicas, Math.max(1, needed));
  }

  /** Whether a pod may be added to the node. */
  mayAdd(service: number, node: number): boolean {
    return this.pods.total[service] < this.settings.maxReplicas && this.pods.fits(service, node);
  }

  /** Whether a pod may be removed from the node: not the last of its service. */
  mayRemove(service: number, node: number): boolean {
    return this.pods.total[service] > 1 && this.pods.count(service, node) > 0;
  }

  /** One control step. */
  advance(): void {
    this.demand.advance();
    this.serve();
    this.pods.becomeReady();
    this.outcome.lostPods = this.settings.meanUpSteps > 0 ? this.failAndRepair() : 0;
  }

  saveState(): OperationState {
    return {
      generator: this.generator.saveState(),
      pods: this.pods.saveState(),
      demand: this.demand.saveState(),
      load: [...this.load],
      nodeUse: [...this.nodeUse],
      outcome: { ...this.outcome },
    };
  }

  loadState(state: OperationState): void {
    this.generator = new Generator(0);
    this.generator.loadState(state.generator);
    this.pods.loadState(state.pods);
    this.demand.loadState(state.demand);
    this.load.set(state.load);
    this.nodeUse.set(state.nodeUse);
    Object.assign(this.outcome, state.outcome);
  }

  /** CPU that the calls to a service need now, millicores. */
  private work(service: number): number {
    const { peakRequests, visits, callMilliseconds } = this.scenario;
    return this.demand.level * peakRequests * visits[service] * callMilliseconds[service];
  }

  /** Puts ready pods onto the nodes in turn, as far as they fit; adversaries take every other rank of nodes. */
  private spread(service: number, replicas: number): void {
    const { nodes, zones, services, conflicts } = this.scenario;
    const adversary = conflicts.subarray(service * services, (service + 1) * services).indexOf(1);
    let node = service % nodes;
    for (let placed = 0, tried = 0; placed < replicas && tried < nodes; node = (node + 1) % nodes) {
      const rank = Math.floor(node / zones) % 2;
      const mine = adversary < 0 || rank === (service > adversary ? 1 : 0);
      if (!mine || !this.pods.fits(service, node)) tried++;
      else {
        this.pods.addReady(service, node);
        placed++;
        tried = 0;
      }
    }
  }

  private serve(): void {
    const { scenario, pods, load, nodeUse, outcome, demand } = this;
    let servedShare = 1;
    nodeUse.fill(0);
    for (let service = 0; service < scenario.services; service++) {
      load[service] = Math.min(2, this.work(service) / (pods.totalReady[service] * scenario.podCpu[service]));
      servedShare = Math.min(servedShare, pods.totalReady[service] > 0 ? MOST_LOAD / load[service] : 0);
      this.addUse(service);
    }
    outcome.latencyMilliseconds =
      networkMilliseconds(scenario, pods, demand.userShare) +
      processingMilliseconds(scenario, pods, load, nodeUse, this.settings.contention);
    outcome.latency = outcome.latencyMilliseconds / this.referenceLatency;
    outcome.lostShare = 1 - servedShare;
    outcome.resources = resourceShare(scenario, pods);
    outcome.imbalance = imbalance(nodeUse, pods.up);
    outcome.requestsPerSecond = demand.level * scenario.peakRequests;
  }

  private addUse(service: number): void {
    const { nodes, podCpu, nodeCpu } = this.scenario;
    const used = Math.min(1, this.load[service]) * podCpu[service];
    for (let node = 0; node < nodes; node++) {
      this.nodeUse[node] += (this.pods.ready[service * nodes + node] * used) / nodeCpu[node];
    }
  }

  /** @returns pods lost. */
  private failAndRepair(): number {
    const { pods, settings, generator } = this;
    let working = pods.up.reduce((sum, up) => sum + up, 0);
    let lost = 0;
    for (let node = 0; node < this.scenario.nodes; node++) {
      const drawn = generator.uniform();
      if (pods.up[node] === 0) {
        if (drawn < 1 / settings.meanDownSteps) pods.up[node] = 1;
      } else if (drawn < 1 / settings.meanUpSteps && working > 1) {
        lost += pods.fail(node);
        working--;
      }
    }
    return lost;
  }
}

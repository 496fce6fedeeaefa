import type {
  Environment,
  EnvironmentDescription,
  EnvironmentState,
  Observation,
  Transition,
} from '../../environment.ts';
import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';
import { parameterHelp, parseParameters } from '../parameters.ts';
import type { EnvironmentKind } from '../registry.ts';
import { choiceAt, stepOutsideEpisode } from '../step-checks.ts';
import { bestFit, firstFit, spread } from './arrival-controllers.ts';
import { arrivalParameters } from './options.ts';
import type { ArrivalParameters } from './options.ts';
import { imbalance, resourceShare, rewardParts, sumOfParts } from './placement-cost.ts';
import type { PlacementCost } from './placement-cost.ts';
import { Pods } from './pods.ts';
import type { PodsState } from './pods.ts';
import { networkMilliseconds, processingMilliseconds, referenceMilliseconds } from './request-latency.ts';
import { drawScenario, TARGET_LOAD } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { boundsOfRows, feature, repeatedRows } from './table-rows.ts';

const NAME = 'placement-v1';
/** A zone's users before they are divided by the sum: this and up to 1 more. */
const LEAST_USERS = 0.1;

const nodeFeatures = [
  feature('cpuFree', 'share of the largest node', 0, 1, 'CPU of the node that is not requested'),
  feature('memoryFree', 'share of the largest node', 0, 1, 'memory of the node that is not requested'),
  feature('alike', 'pods / 8', 0, 4, 'pods of the arriving service on the node'),
  feature('userLatency', 'share of the longest', 0, 1, 'round trip from the users, on average'),
  feature('peerLatency', 'share of the longest', 0, 1, 'round trip to the services that the arriving one talks to'),
];
const podFeatures = [
  feature('podCpu', 'share of the largest node', 0, 1, 'CPU request of the arriving pod'),
  feature('podMemory', 'share of the largest node', 0, 1, 'memory request of the arriving pod'),
];
const serviceFeatures = [feature('service', '0 or 1', 0, 1, 'the service of the arriving pod (one-hot)')];
const globalFeatures = [
  feature('latency', 'share of the reference', 0, 10, 'latency of a request'),
  feature('resources', 'share', 0, 1, 'what the pods take of the cluster'),
  feature('imbalance', 'standard deviation', 0, 0.5, 'of the nodes’ requested CPU'),
];

/** What a controller that decides by rules sees. */
export interface ArrivalView {
  readonly scenario: Scenario;
  readonly pods: Pods;
  /** Share of the users in each zone. */
  readonly userShare: Float64Array;
  /** Service of the pod that is to be placed. */
  readonly arriving: number;
}

/** State of a {@link PlacementOfArrivals} as JSON. */
interface ArrivalState {
  readonly steps: number;
  readonly arriving: number;
  readonly generator: GeneratorState;
  readonly pods: PodsState;
  readonly userShare: readonly number[];
  /** Service, node and last step of every pod, one after the other. */
  readonly leases: readonly number[];
}

/**
 * Pods arrive one at a time and leave after a random time; each is to be put on a node that has room for it. Choice
 * `nodes` turns it away and is allowed only when no node has room.
 */
export class PlacementOfArrivals implements Environment {
  readonly description: EnvironmentDescription;
  private readonly parameters: ArrivalParameters;
  private readonly scenario: Scenario;
  private readonly pods: Pods;
  private readonly meanLifeSteps: number;
  private readonly referenceLatency: number;
  private readonly longestTrip: number;
  private readonly largestCpu: number;
  private readonly largestMemory: number;
  private readonly userShare: Float64Array;
  private readonly load: Float64Array;
  private readonly nodeUse: Float64Array;
  private readonly replicasSum: number;
  private readonly observation: Float32Array;
  private readonly mask: Uint8Array;
  private generator = new Generator(0);
  private leases: number[] = [];
  private arriving = 0;
  /** Steps played of the episode; −1 before the first reset. */
  private steps = -1;

  constructor(parameters: ArrivalParameters) {
    this.parameters = parameters;
    const scenario = drawScenario({ ...parameters, affinity: false });
    const { nodes, zones, services, nodeCpu, nodeMemory, podCpu, peakReplicas } = scenario;
    this.scenario = scenario;
    this.pods = new Pods(scenario);
    this.replicasSum = peakReplicas.reduce((sum, count) => sum + count, 0);
    const meanCpu = podCpu.reduce((sum, cpu, s) => sum + (cpu * peakReplicas[s]) / this.replicasSum, 0);
    this.meanLifeSteps = (parameters.fillShare * nodeCpu.reduce((sum, cpu) => sum + cpu, 0)) / meanCpu;
    this.referenceLatency = referenceMilliseconds(scenario, TARGET_LOAD, parameters.fillShare, parameters.contention);
    this.longestTrip = Math.max(...scenario.zoneMilliseconds);
    this.largestCpu = Math.max(...nodeCpu);
    this.largestMemory = Math.max(...nodeMemory);
    this.userShare = new Float64Array(zones);
    this.load = new Float64Array(services).fill(TARGET_LOAD);
    this.nodeUse = new Float64Array(nodes);
    this.description = describe(nodes, services, parameters.episodeSteps);
    this.observation = new Float32Array(this.description.observationSpace.shape[0]);
    this.mask = new Uint8Array(nodes + 1);
  }

  /** Pods and nodes as they are, for controllers that decide by rules. */
  get view(): ArrivalView {
    return { scenario: this.scenario, pods: this.pods, userShare: this.userShare, arriving: this.arriving };
  }

  reset(seed: number): Observation {
    this.generator = new Generator(seed);
    this.pods.clear();
    this.leases = [];
    this.steps = 0;
    this.drawUsers();
    this.arriving = this.drawService();
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    const { episodeSteps } = this.parameters;
    if (this.steps < 0 || this.steps >= episodeSteps) throw stepOutsideEpisode(NAME);
    const { nodes } = this.scenario;
    const node = choiceAt(NAME, action, 0, nodes + 1);
    // A node that the mask forbids takes nothing: the pod is turned away.
    const placed = node < nodes && this.pods.fits(this.arriving, node);
    // Drawn for every pod, so that those that arrive later do not depend on the actions.
    const lifeSteps = Math.max(1, Math.ceil(this.meanLifeSteps * this.generator.exponential()));
    if (placed) this.place(node, lifeSteps);
    const { reward, measures } = this.judge(placed);
    this.steps++;
    this.letGo();
    this.arriving = this.drawService();
    const seen = this.observe();
    return { ...seen, reward, terminated: false, truncated: this.steps === episodeSteps, measures };
  }

  saveState(): EnvironmentState {
    return {
      steps: this.steps,
      arriving: this.arriving,
      generator: this.generator.saveState(),
      pods: this.pods.saveState(),
      userShare: [...this.userShare],
      leases: [...this.leases],
    } satisfies ArrivalState;
  }

  loadState(state: EnvironmentState): Observation {
    const saved = state as ArrivalState;
    this.steps = saved.steps;
    this.arriving = saved.arriving;
    this.generator.loadState(saved.generator);
    this.pods.loadState(saved.pods);
    this.userShare.set(saved.userShare);
    this.leases = [...saved.leases];
    return this.observe();
  }

  private place(node: number, lifeSteps: number): void {
    this.pods.addReady(this.arriving, node);
    this.leases.push(this.arriving, node, this.steps + lifeSteps);
  }

  private judge(placed: boolean) {
    const latencyMilliseconds = this.latency();
    const cost: PlacementCost = {
      latency: latencyMilliseconds / this.referenceLatency,
      resources: resourceShare(this.scenario, this.pods),
      imbalance: imbalance(this.nodeUse, this.pods.up),
    };
    const rejected = placed ? 0 : 1;
    const parts = rewardParts(cost, this.parameters);
    const rewardRejection = -this.parameters.rejectionWeight * rejected;
    return {
      reward: sumOfParts(parts) + rewardRejection,
      measures: {
        latencyMilliseconds,
        resourceShare: cost.resources,
        imbalance: cost.imbalance,
        rejected,
        ...parts,
        rewardRejection,
      },
    };
  }

  private latency(): number {
    const { nodes, nodeCpu } = this.scenario;
    const { contention } = this.parameters;
    for (let node = 0; node < nodes; node++) this.nodeUse[node] = this.pods.requestedCpu[node] / nodeCpu[node];
    return (
      networkMilliseconds(this.scenario, this.pods, this.userShare) +
      processingMilliseconds(this.scenario, this.pods, this.load, this.nodeUse, contention)
    );
  }

  /** Pods whose time is over leave. */
  private letGo(): void {
    let kept = 0;
    for (let i = 0; i < this.leases.length; i += 3) {
      if (this.leases[i + 2] <= this.steps) this.pods.remove(this.leases[i], this.leases[i + 1]);
      else {
        this.leases.copyWithin(kept, i, i + 3);
        kept += 3;
      }
    }
    this.leases.length = kept;
  }

  /** Where the users of an episode are. */
  private drawUsers(): void {
    const { userShare } = this;
    let sum = 0;
    for (let zone = 0; zone < userShare.length; zone++) {
      userShare[zone] = LEAST_USERS + this.generator.uniform();
      sum += userShare[zone];
    }
    for (let zone = 0; zone < userShare.length; zone++) userShare[zone] /= sum;
  }

  /** Services arrive as often as their replicas are many. */
  private drawService(): number {
    let left = this.generator.integer(this.replicasSum);
    let service = 0;
    while (left >= this.scenario.peakReplicas[service]) left -= this.scenario.peakReplicas[service++];
    return service;
  }

  private observe(): Observation {
    const { scenario, pods, arriving, observation: out } = this;
    const { nodes, services } = scenario;
    const latency = this.latency();
    let free = 0;
    for (let node = 0; node < nodes; node++) {
      this.writeNode(node, node * nodeFeatures.length);
      this.mask[node] = pods.fits(arriving, node) ? 1 : 0;
      free += this.mask[node];
    }
    this.mask[nodes] = free === 0 ? 1 : 0;
    let at = nodes * nodeFeatures.length;
    out[at++] = scenario.podCpu[arriving] / this.largestCpu;
    out[at++] = scenario.podMemory[arriving] / this.largestMemory;
    for (let service = 0; service < services; service++) out[at++] = service === arriving ? 1 : 0;
    out[at++] = Math.min(10, latency / this.referenceLatency);
    out[at++] = resourceShare(scenario, pods);
    out[at++] = imbalance(this.nodeUse, pods.up);
    return { observation: out, actionMask: this.mask };
  }

  private writeNode(node: number, at: number): void {
    const { scenario, pods, arriving, observation: out } = this;
    const { zones, nodeZone, zoneMilliseconds } = scenario;
    let userLatency = 0;
    for (let zone = 0; zone < zones; zone++) {
      userLatency += this.userShare[zone] * zoneMilliseconds[zone * zones + nodeZone[node]];
    }
    out[at] = (scenario.nodeCpu[node] - pods.requestedCpu[node]) / this.largestCpu;
    out[at + 1] = (scenario.nodeMemory[node] - pods.requestedMemory[node]) / this.largestMemory;
    out[at + 2] = Math.min(4, pods.count(arriving, node) / 8);
    out[at + 3] = userLatency / this.longestTrip;
    out[at + 4] = peerMilliseconds(scenario, pods, arriving, node) / this.longestTrip;
  }
}

/** Round trip between a node and the services that `service` calls or is called by, weighed by calls; 0 without any. */
function peerMilliseconds(scenario: Scenario, pods: Pods, service: number, node: number): number {
  const { zones, nodeZone, zoneMilliseconds } = scenario;
  let [sum, weight] = [0, 0];
  for (const { caller, callee, perRequest } of scenario.calls) {
    if (caller !== service && callee !== service) continue;
    const peer = caller === service ? callee : caller;
    for (let zone = 0; zone < zones; zone++) {
      const count = perRequest * pods.readyInZone[peer * zones + zone];
      sum += count * zoneMilliseconds[nodeZone[node] * zones + zone];
      weight += count;
    }
  }
  return weight > 0 ? sum / weight : 0;
}

function describe(nodes: number, services: number, episodeSteps: number): EnvironmentDescription {
  const podAt = nodes * nodeFeatures.length;
  const serviceAt = podAt + podFeatures.length;
  const globalAt = serviceAt + services;
  const { low, high } = boundsOfRows([
    [nodeFeatures, nodes],
    [podFeatures, 1],
    [serviceFeatures, services],
    [globalFeatures, 1],
  ]);
  return {
    name: NAME,
    observationSpace: { kind: 'box', shape: [low.length], low, high },
    actionSpace: { kind: 'discrete', n: nodes + 1 },
    actionMaskSize: nodes + 1,
    maxEpisodeSteps: episodeSteps,
    observationTable: [
      ...repeatedRows(nodeFeatures, 0, nodes),
      ...repeatedRows(podFeatures, podAt, 1),
      ...repeatedRows(serviceFeatures, serviceAt, services),
      ...repeatedRows(globalFeatures, globalAt, 1),
    ],
    actionTable: [
      {
        index: '0',
        name: 'node',
        unit: 'choice',
        low: 0,
        high: nodes,
        meaning: `0 … ${nodes - 1} = put the pod on that node, ${nodes} = turn it away (only when no node has room)`,
      },
    ],
  };
}

/** Placing pods that arrive one at a time. */
export const placementV1: EnvironmentKind = {
  name: NAME,
  summary: 'Put each arriving pod on a node: latency between zones, packing of CPU and memory, balance.',
  parameters: parameterHelp(arrivalParameters),
  create: (parameters = {}) => new PlacementOfArrivals(parseParameters(NAME, arrivalParameters, parameters)),
  baselines: {
    'first fit': (environment) => firstFit(environment as PlacementOfArrivals),
    'best fit': (environment) => bestFit(environment as PlacementOfArrivals),
    spread: (environment) => spread(environment as PlacementOfArrivals),
  },
};

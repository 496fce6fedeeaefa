import type { SpaceRow } from '../../environment.ts';
import type { ClusterOperation } from './cluster-operation.ts';
import { DAY_STEPS } from './demand.ts';
import { boundsOfRows, feature, repeatedRows } from './table-rows.ts';

const upFeature = feature('up', '0 or 1', 0, 1, '1 = the node works');
const nodeFeatures = [
  feature('cpuFree', 'share of the largest node', 0, 1, 'CPU of the node that is not requested'),
  feature('memoryFree', 'share of the largest node', 0, 1, 'memory of the node that is not requested'),
  feature('cpuUsed', 'share', 0, 1, 'CPU of the node that was used in the step'),
  feature('userLatency', 'share of the longest', 0, 1, 'round trip from the users, on average'),
];
const serviceFeatures = [
  feature('replicas', 'share of maxReplicas', 0, 1, 'pods that serve in the next step'),
  feature('load', 'share', 0, 2, 'work over the CPU of the pods that served; 2 at most'),
];
const placeFeatures = [
  feature('pods', 'share of maxReplicas', 0, 1, 'pods of a service on a node, service by service'),
];
const globalFeatures = [
  feature('demand', 'share of the peak', 0, 4, 'requests of the users'),
  feature('trend', 'ln of the ratio', -2, 2, 'demand against five steps earlier'),
  feature('timeSine', 'sine', -1, 1, 'time of day on a circle of 24 h'),
  feature('timeCosine', 'cosine', -1, 1, 'time of day on a circle of 24 h'),
  feature('latency', 'share of the reference', 0, 10, 'latency of a request'),
  feature('lost', 'share', 0, 1, 'requests that were lost'),
];

/** Writes and describes what an operator of the cluster sees. */
export class OperationObservation {
  readonly table: readonly SpaceRow[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly values: Float32Array;
  private readonly operation: ClusterOperation;
  private readonly maxReplicas: number;
  private readonly showsUp: boolean;
  private readonly largestCpu: number;
  private readonly largestMemory: number;
  private readonly longestTrip: number;

  /** @param showsUp whether it says which nodes work. */
  constructor(operation: ClusterOperation, maxReplicas: number, showsUp: boolean) {
    const { nodes, services, nodeCpu, nodeMemory, zoneMilliseconds } = operation.scenario;
    this.operation = operation;
    this.maxReplicas = maxReplicas;
    this.showsUp = showsUp;
    this.largestCpu = Math.max(...nodeCpu);
    this.largestMemory = Math.max(...nodeMemory);
    this.longestTrip = Math.max(...zoneMilliseconds);
    const parts = [
      [showsUp ? [upFeature, ...nodeFeatures] : nodeFeatures, nodes],
      [serviceFeatures, services],
      [placeFeatures, services * nodes],
      [globalFeatures, 1],
    ] as const;
    ({ low: this.low, high: this.high } = boundsOfRows(parts));
    let at = 0;
    this.table = parts.flatMap(([features, count]) => {
      const rows = repeatedRows(features, at, count);
      at += features.length * count;
      return rows;
    });
    this.values = new Float32Array(at);
  }

  /** Brings {@link values} up to date. */
  write(): void {
    const { nodes, services } = this.operation.scenario;
    let at = 0;
    for (let node = 0; node < nodes; node++, at += nodeFeatures.length) {
      if (this.showsUp) this.values[at++] = this.operation.pods.up[node];
      this.writeNode(node, at);
    }
    for (let service = 0; service < services; service++, at += serviceFeatures.length) this.writeService(service, at);
    const { ready, starting } = this.operation.pods;
    for (let i = 0; i < ready.length; i++) this.values[at++] = (ready[i] + starting[i]) / this.maxReplicas;
    this.writeGlobals(at);
  }

  private writeNode(node: number, at: number): void {
    const { values } = this;
    const { scenario, pods, nodeUse, demand } = this.operation;
    const { zones, nodeZone, zoneMilliseconds } = scenario;
    let userLatency = 0;
    for (let zone = 0; zone < zones; zone++) {
      userLatency += demand.userShare[zone] * zoneMilliseconds[zone * zones + nodeZone[node]];
    }
    values[at] = (scenario.nodeCpu[node] - pods.requestedCpu[node]) / this.largestCpu;
    values[at + 1] = (scenario.nodeMemory[node] - pods.requestedMemory[node]) / this.largestMemory;
    values[at + 2] = Math.min(1, nodeUse[node]);
    values[at + 3] = userLatency / this.longestTrip;
  }

  private writeService(service: number, at: number): void {
    const { pods, load } = this.operation;
    this.values[at] = pods.total[service] / this.maxReplicas;
    this.values[at + 1] = load[service];
  }

  private writeGlobals(at: number): void {
    const { values } = this;
    const { demand, outcome } = this.operation;
    const day = (2 * Math.PI * demand.step) / DAY_STEPS;
    values[at] = Math.min(4, demand.level);
    values[at + 1] = Math.max(-2, Math.min(2, demand.trend));
    values[at + 2] = Math.sin(day);
    values[at + 3] = Math.cos(day);
    values[at + 4] = Math.min(10, outcome.latency);
    values[at + 5] = outcome.lostShare;
  }
}

import type { Scenario } from './scenario.ts';

/** State of {@link Pods} as JSON. */
export interface PodsState {
  readonly ready: readonly number[];
  readonly starting: readonly number[];
  readonly up: readonly number[];
}

/** Which pods are on which nodes. Rows are services, columns nodes. */
export class Pods {
  /** Pods that serve. */
  readonly ready: Int32Array;
  /** Pods that hold their resources but do not serve yet. */
  readonly starting: Int32Array;
  /** Pods of each service, ready and starting. */
  readonly total: Int32Array;
  readonly totalReady: Int32Array;
  /** Row = service, column = zone. */
  readonly readyInZone: Int32Array;
  /** Requests of the pods of each node, millicores and mebibytes. */
  readonly requestedCpu: Float64Array;
  readonly requestedMemory: Float64Array;
  /** Pods of each node. */
  readonly onNode: Int32Array;
  /** 1 = the node works. */
  readonly up: Uint8Array;
  private readonly scenario: Scenario;

  constructor(scenario: Scenario) {
    const { services, nodes, zones } = scenario;
    this.scenario = scenario;
    this.ready = new Int32Array(services * nodes);
    this.starting = new Int32Array(services * nodes);
    this.total = new Int32Array(services);
    this.totalReady = new Int32Array(services);
    this.readyInZone = new Int32Array(services * zones);
    this.requestedCpu = new Float64Array(nodes);
    this.requestedMemory = new Float64Array(nodes);
    this.onNode = new Int32Array(nodes);
    this.up = new Uint8Array(nodes).fill(1);
  }

  /** Removes every pod; all nodes work. */
  clear(): void {
    for (const counts of [this.ready, this.starting, this.total, this.totalReady, this.readyInZone, this.onNode]) {
      counts.fill(0);
    }
    this.requestedCpu.fill(0);
    this.requestedMemory.fill(0);
    this.up.fill(1);
  }

  /** Pods of a service on a node. */
  count(service: number, node: number): number {
    const at = service * this.scenario.nodes + node;
    return this.ready[at] + this.starting[at];
  }

  /** Whether a pod of the service may be put on the node: it works, has room, lies in an allowed zone, without conflict. */
  fits(service: number, node: number): boolean {
    const { nodeCpu, nodeMemory, podCpu, podMemory, nodeZone, allowedZones, zones } = this.scenario;
    return (
      this.up[node] === 1 &&
      this.requestedCpu[node] + podCpu[service] <= nodeCpu[node] &&
      this.requestedMemory[node] + podMemory[service] <= nodeMemory[node] &&
      allowedZones[service * zones + nodeZone[node]] === 1 &&
      !this.conflictsOn(service, node)
    );
  }

  /** Adds a pod that serves at once. */
  addReady(service: number, node: number): void {
    this.countReady(service, node, 1);
    this.hold(service, node, 1);
  }

  /** Adds a pod that serves after the next {@link becomeReady}. */
  addStarting(service: number, node: number): void {
    this.starting[service * this.scenario.nodes + node]++;
    this.hold(service, node, 1);
  }

  /** Removes a pod from a node, one that still starts if there is one. */
  remove(service: number, node: number): void {
    const at = service * this.scenario.nodes + node;
    if (this.starting[at] > 0) this.starting[at]--;
    else this.countReady(service, node, -1);
    this.hold(service, node, -1);
  }

  /** Everything that starts is ready. */
  becomeReady(): void {
    const { services, nodes } = this.scenario;
    for (let service = 0, at = 0; service < services; service++) {
      for (let node = 0; node < nodes; node++, at++) {
        if (this.starting[at] === 0) continue;
        this.countReady(service, node, this.starting[at]);
        this.starting[at] = 0;
      }
    }
  }

  /** A node stops working and loses its pods. @returns how many. */
  fail(node: number): number {
    const lost = this.onNode[node];
    for (let service = 0; service < this.scenario.services; service++) {
      while (this.count(service, node) > 0) this.remove(service, node);
    }
    this.up[node] = 0;
    return lost;
  }

  saveState(): PodsState {
    return { ready: [...this.ready], starting: [...this.starting], up: [...this.up] };
  }

  loadState(state: PodsState): void {
    const { nodes } = this.scenario;
    this.clear();
    state.ready.forEach((count, at) => {
      for (let i = 0; i < count; i++) this.addReady(Math.floor(at / nodes), at % nodes);
    });
    state.starting.forEach((count, at) => {
      for (let i = 0; i < count; i++) this.addStarting(Math.floor(at / nodes), at % nodes);
    });
    this.up.set(state.up);
  }

  private conflictsOn(service: number, node: number): boolean {
    const { services, conflicts } = this.scenario;
    for (let other = 0; other < services; other++) {
      if (conflicts[service * services + other] === 1 && this.count(other, node) > 0) return true;
    }
    return false;
  }

  private countReady(service: number, node: number, change: number): void {
    const { nodes, zones, nodeZone } = this.scenario;
    this.ready[service * nodes + node] += change;
    this.totalReady[service] += change;
    this.readyInZone[service * zones + nodeZone[node]] += change;
  }

  /** Requests are multiples of 1/4, so that sums and differences of them are exact. */
  private hold(service: number, node: number, change: number): void {
    this.total[service] += change;
    this.onNode[node] += change;
    this.requestedCpu[node] += change * this.scenario.podCpu[service];
    this.requestedMemory[node] += change * this.scenario.podMemory[service];
  }
}

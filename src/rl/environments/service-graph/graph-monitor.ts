import { normalTail } from '../online-boutique/latency-mixture.ts';
import { SERVICE_FRAME } from '../online-boutique/metrics-history.ts';
import { STEP_SECONDS } from '../online-boutique/simulation.ts';
import type { Simulation } from '../online-boutique/simulation.ts';
import { EDGE_FRAME, NODE_FRAME } from './call-frames.ts';
import type { CallFrames } from './call-frames.ts';
import type { Instance } from './instance.ts';

/** 95th percentile of the standard normal distribution. */
const Z_95 = 1.6448536269514722;

/** State of a {@link GraphMonitor} as JSON: of each frame the values that are not 0, index and value in turn. */
export interface GraphMonitorState {
  readonly frames: readonly (readonly number[])[];
  readonly head: number;
}

/**
 * Watches the calls between services as a mesh's telemetry does: rate, latency and errors of every edge, seen
 * `delaySteps` steps late. The latency of a call is that of the called service and of all that it calls in turn; a
 * lognormal distribution with the mean and variance of the edge's calls gives percentile and errors.
 */
export class GraphMonitor implements CallFrames {
  private readonly simulation: Simulation;
  private readonly slots: number;
  private readonly timeoutSeconds: number;
  private readonly frameSize: number;
  private readonly frames: Float64Array;
  private readonly steps: number;
  private head = 0;

  private readonly serviceScv: Float64Array;
  private readonly serviceSeconds: Float64Array;
  private readonly networkSeconds: Float64Array;
  private readonly memoryIdle: Float64Array;
  private readonly memoryPerCall: Float64Array;
  private readonly memoryLimit: Float64Array;

  /** Of each stage: its edge (−1: users call), the stage of its caller, its share of the caller's calls. */
  private stageEdge = new Int32Array(0);
  private stageParent = new Int32Array(0);
  private shareOfParent = new Float64Array(0);
  /** Latency of a call of each stage with all calls that it makes in turn. */
  private stageMean = new Float64Array(0);
  private stageVariance = new Float64Array(0);
  /** Edges along which calls may go. */
  private edges = new Int32Array(0);
  /** Of each edge in the step: calls, and the sums of their latencies and squared latencies. */
  private readonly calls: Float64Array;
  private readonly latencySum: Float64Array;
  private readonly squareSum: Float64Array;

  /** @param timeoutSeconds a call that takes longer is an error. */
  constructor(simulation: Simulation, slots: number, delaySteps: number, timeoutSeconds: number) {
    this.simulation = simulation;
    this.slots = slots;
    this.timeoutSeconds = timeoutSeconds;
    this.steps = delaySteps + 1;
    const edges = slots * slots;
    this.frameSize = edges * EDGE_FRAME.width + slots * NODE_FRAME.width;
    this.frames = new Float64Array(this.frameSize * this.steps);
    const perSlot = (): Float64Array => new Float64Array(slots);
    this.serviceScv = perSlot();
    this.serviceSeconds = perSlot();
    this.networkSeconds = perSlot();
    this.memoryIdle = perSlot();
    this.memoryPerCall = perSlot();
    this.memoryLimit = perSlot().fill(1);
    this.calls = new Float64Array(edges);
    this.latencySum = new Float64Array(edges);
    this.squareSum = new Float64Array(edges);
  }

  get values(): Float64Array {
    return this.frames;
  }

  get visible(): number {
    return ((this.head + 1) % this.steps) * this.frameSize;
  }

  get nodesAt(): number {
    return this.slots * this.slots * EDGE_FRAME.width;
  }

  /** Forgets every step. */
  reset(): void {
    this.frames.fill(0);
    this.head = 0;
  }

  /** Takes the place of whatever was known of the slot. */
  enter({ slot, service }: Instance): void {
    this.forget(slot);
    this.serviceScv[slot] = service.serviceScv;
    this.serviceSeconds[slot] = service.serviceSeconds;
    this.networkSeconds[slot] = service.networkSeconds;
    this.memoryIdle[slot] = service.memoryIdleMebibytes;
    this.memoryPerCall[slot] = service.memoryPerCallMebibytes;
    this.memoryLimit[slot] = service.memoryLimitMebibytes;
  }

  /** Clears what every frame says of a slot and of the edges at it. */
  forget(slot: number): void {
    const { slots, frames } = this;
    const { width } = EDGE_FRAME;
    for (let frame = 0; frame < frames.length; frame += this.frameSize) {
      for (let other = 0; other < slots; other++) {
        frames.fill(0, frame + (slot * slots + other) * width, frame + (slot * slots + other + 1) * width);
        frames.fill(0, frame + (other * slots + slot) * width, frame + (other * slots + slot + 1) * width);
      }
      const node = frame + this.nodesAt + slot * NODE_FRAME.width;
      frames.fill(0, node, node + NODE_FRAME.width);
    }
  }

  /** Follows the simulation's new call trees. */
  reroute(): void {
    const { stageCaller, stageService, stageShare, stageEnd } = this.simulation.topology;
    const count = stageService.length;
    this.stageEdge = new Int32Array(count);
    this.stageParent = new Int32Array(count).fill(-1);
    this.shareOfParent = new Float64Array(count);
    this.stageMean = new Float64Array(count);
    this.stageVariance = new Float64Array(count);
    for (let stage = 0; stage < count; stage++) {
      const caller = stageCaller[stage];
      this.stageEdge[stage] = caller < 0 ? -1 : caller * this.slots + stageService[stage];
      for (let child = stage + 1; child < stageEnd[stage]; child = stageEnd[child]) {
        this.stageParent[child] = stage;
        this.shareOfParent[child] = stageShare[stage] > 0 ? stageShare[child] / stageShare[stage] : 0;
      }
    }
    this.edges = Int32Array.from(new Set(this.stageEdge)).filter((edge) => edge >= 0);
  }

  /** Takes the metrics of the step just played. @param nodeFrame where the cluster's metrics of it begin in `metrics`. */
  endStep(metrics: Float64Array, nodeFrame: number): void {
    this.head = (this.head + 1) % this.steps;
    const frame = this.head * this.frameSize;
    this.frames.fill(0, frame, frame + this.frameSize);
    this.sumLatencies();
    this.gatherCalls(frame);
    for (let i = 0; i < this.edges.length; i++) this.noteEdge(this.edges[i], frame);
    for (let slot = 0, at = nodeFrame; slot < this.slots; slot++, at += SERVICE_FRAME.width) {
      const pods = metrics[at + SERVICE_FRAME.readyPods];
      if (pods > 0) this.noteMemory(slot, frame, metrics[at + SERVICE_FRAME.callsInSystem] / pods);
    }
  }

  saveState(): GraphMonitorState {
    const frames = Array.from({ length: this.steps }, (_, step) => {
      const frame = this.frames.subarray(step * this.frameSize, (step + 1) * this.frameSize);
      const pairs: number[] = [];
      frame.forEach((value, index) => {
        if (value !== 0) pairs.push(index, value);
      });
      return pairs;
    });
    return { frames, head: this.head };
  }

  loadState(state: GraphMonitorState): void {
    this.frames.fill(0);
    state.frames.forEach((pairs, step) => {
      for (let i = 0; i < pairs.length; i += 2) this.frames[step * this.frameSize + pairs[i]] = pairs[i + 1];
    });
    this.head = state.head;
  }

  /** Latency of each stage's call with its inner calls: children come after their parent, so backwards. */
  private sumLatencies(): void {
    const { stageMean, stageVariance, stageParent, shareOfParent } = this;
    const { stageService } = this.simulation.topology;
    const { waitSeconds, waitVariance } = this.simulation;
    stageMean.fill(0);
    stageVariance.fill(0);
    for (let stage = stageService.length - 1; stage >= 0; stage--) {
      const service = stageService[stage];
      const seconds = this.serviceSeconds[service];
      const mean = stageMean[stage] + this.networkSeconds[service] + seconds + waitSeconds[service];
      const variance = stageVariance[stage] + this.serviceScv[service] * seconds * seconds + waitVariance[service];
      stageMean[stage] = mean;
      stageVariance[stage] = variance;
      const parent = stageParent[stage];
      if (parent < 0) continue;
      const share = shareOfParent[stage];
      stageMean[parent] += share * mean;
      stageVariance[parent] += share * (variance + (1 - share) * mean * mean);
    }
  }

  /** Adds up the calls of every edge and how long they took, and the calls that each node makes. */
  private gatherCalls(frame: number): void {
    const { stageEdge, stageMean, stageVariance, calls, latencySum, squareSum } = this;
    const { stageArrivals } = this.simulation.flow;
    const { stageCaller } = this.simulation.topology;
    const outAt = frame + this.nodesAt + NODE_FRAME.callsOutPerSecond;
    for (let i = 0; i < this.edges.length; i++) {
      calls[this.edges[i]] = 0;
      latencySum[this.edges[i]] = 0;
      squareSum[this.edges[i]] = 0;
    }
    for (let stage = 0; stage < stageEdge.length; stage++) {
      const edge = stageEdge[stage];
      const count = stageArrivals[stage];
      if (edge < 0 || count === 0) continue;
      const mean = stageMean[stage];
      calls[edge] += count;
      latencySum[edge] += count * mean;
      squareSum[edge] += count * (stageVariance[stage] + mean * mean);
      this.frames[outAt + stageCaller[stage] * NODE_FRAME.width] += count / STEP_SECONDS;
    }
  }

  private noteEdge(edge: number, frame: number): void {
    const calls = this.calls[edge];
    if (calls === 0) return;
    const mean = this.latencySum[edge] / calls;
    const variance = Math.max(0, this.squareSum[edge] / calls - mean * mean);
    const spread = Math.log(1 + variance / (mean * mean));
    const deviation = Math.sqrt(spread);
    const location = Math.log(mean) - 0.5 * spread;
    const at = frame + edge * EDGE_FRAME.width;
    this.frames[at + EDGE_FRAME.callsPerSecond] = calls / STEP_SECONDS;
    this.frames[at + EDGE_FRAME.p95Seconds] = Math.exp(location + Z_95 * deviation);
    const distance = Math.log(this.timeoutSeconds) - location;
    this.frames[at + EDGE_FRAME.errorShare] =
      deviation > 0 ? Math.max(0, normalTail(distance / deviation)) : distance < 0 ? 1 : 0;
  }

  private noteMemory(slot: number, frame: number, callsPerPod: number): void {
    const used = this.memoryIdle[slot] + this.memoryPerCall[slot] * callsPerPod;
    const at = frame + this.nodesAt + slot * NODE_FRAME.width + NODE_FRAME.memoryShare;
    this.frames[at] = Math.min(1, used / this.memoryLimit[slot]);
  }
}

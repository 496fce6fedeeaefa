import type { GraphParts } from '../../graph-layout.ts';
import type { ClusterMonitor } from '../online-boutique/cluster-monitor.ts';
import { FRAME, SERVICE_FRAME } from '../online-boutique/metrics-history.ts';
import type { PodFleet } from '../online-boutique/pod-fleet.ts';
import { EDGE, GLOBAL, NODE } from './description.ts';
import { EDGE_FRAME, NODE_FRAME } from './graph-monitor.ts';
import type { GraphMonitor } from './graph-monitor.ts';

/** What the observation is made from. */
export interface GraphObservationInput {
  readonly slots: number;
  readonly parts: GraphParts;
  readonly fleet: PodFleet;
  readonly monitor: ClusterMonitor;
  readonly graphMonitor: GraphMonitor;
  /** Who is in each slot; 0 = nobody. */
  readonly identities: Int32Array;
  /** mTLS share of the edge at source × slots + target. */
  readonly mtls: Uint8Array;
}

/** Writes the observation; see `description.ts`. @param dayShare time of day, 0 … 1. */
export function writeGraphObservation(input: GraphObservationInput, dayShare: number, out: Float32Array): void {
  const { parts } = input;
  let pods = 0;
  for (let slot = 0; slot < input.slots; slot++) {
    pods += input.fleet.existing[slot];
    out[parts.identities + slot] = input.identities[slot];
    writeNode(input, slot, out, parts.nodes + slot * NODE.width);
  }
  out.fill(0, parts.edges, parts.globals);
  writeEdges(input, out, parts.edges);
  const { values, visible } = input.monitor.history;
  const angle = 2 * Math.PI * dayShare;
  out[parts.globals + GLOBAL.cost] = Math.min(2, Math.log(1 + pods) / 8);
  out[parts.globals + GLOBAL.violations] = values[visible + FRAME.violationShare];
  out[parts.globals + GLOBAL.timeSine] = Math.sin(angle);
  out[parts.globals + GLOBAL.timeCosine] = Math.cos(angle);
}

function writeNode(input: GraphObservationInput, slot: number, out: Float32Array, at: number): void {
  if (input.identities[slot] === 0) {
    out.fill(0, at, at + NODE.width);
    return;
  }
  const { fleet, monitor, graphMonitor } = input;
  const { values } = monitor.history;
  const frame = monitor.history.visible + FRAME.width + slot * SERVICE_FRAME.width;
  const node = graphMonitor.visible + graphMonitor.nodesAt + slot * NODE_FRAME.width;
  const request = Math.max(1, values[frame + SERVICE_FRAME.readyPods]) * monitor.view.cpuRequestMillicores[slot];
  out[at + NODE.pods] = Math.min(2, Math.log(1 + fleet.existing[slot]) / 4);
  out[at + NODE.desired] = Math.min(2, Math.log(1 + fleet.desired[slot]) / 4);
  out[at + NODE.cpu] = Math.min(3, values[frame + SERVICE_FRAME.cpuMillicores] / request);
  out[at + NODE.memory] = graphMonitor.values[node + NODE_FRAME.memoryShare];
  out[at + NODE.trafficIn] = logRate(values[frame + SERVICE_FRAME.callsIn]);
  out[at + NODE.trafficOut] = logRate(graphMonitor.values[node + NODE_FRAME.callsOutPerSecond]);
}

/** An edge is there when calls went along it in the step that controllers see. */
function writeEdges({ slots, graphMonitor, mtls }: GraphObservationInput, out: Float32Array, edgesAt: number): void {
  const { values } = graphMonitor;
  let frame = graphMonitor.visible;
  for (let edge = 0; edge < slots * slots; edge++, frame += EDGE_FRAME.width) {
    const calls = values[frame + EDGE_FRAME.callsPerSecond];
    if (calls === 0) continue;
    const at = edgesAt + edge * EDGE.width;
    const target = edge % slots;
    out[at + EDGE.source] = (edge - target) / slots;
    out[at + EDGE.target] = target;
    out[at + EDGE.active] = 1;
    out[at + EDGE.rate] = logRate(calls);
    out[at + EDGE.p95] = Math.min(2, Math.log(1 + 100 * values[frame + EDGE_FRAME.p95Seconds]) / 8);
    out[at + EDGE.errors] = values[frame + EDGE_FRAME.errorShare];
    out[at + EDGE.mtls] = mtls[edge];
  }
}

function logRate(callsPerSecond: number): number {
  return Math.min(3, Math.log(1 + callsPerSecond) / 8);
}

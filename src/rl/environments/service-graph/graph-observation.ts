import type { ClusterView } from '../../baselines/controller.ts';
import type { GraphParts } from '../../graph-layout.ts';
import { FRAME, SERVICE_FRAME } from '../online-boutique/metrics-history.ts';
import type { MetricsHistory } from '../online-boutique/metrics-history.ts';
import { EDGE_FRAME, NODE_FRAME } from './call-frames.ts';
import type { CallFrames } from './call-frames.ts';
import { EDGE, GLOBAL, NODE } from './description.ts';

/** What the observation is made from, slot by slot. */
export interface GraphObservationInput {
  readonly view: ClusterView;
  readonly history: MetricsHistory;
  readonly calls: CallFrames;
  /** Pods that hold resources: starting, ready and stopping. */
  readonly existingPods: Int32Array;
  /** Who is in each slot; 0 = nobody. */
  readonly identities: Int32Array;
  /** mTLS share of the edge at source × slots + target. */
  readonly mtls: Uint8Array | Float64Array;
}

/**
 * Writes the observation; see `description.ts`.
 * @param dayShare time of day, 0 … 1.
 */
export function writeGraphObservation(
  input: GraphObservationInput,
  parts: GraphParts,
  dayShare: number,
  out: Float32Array,
): void {
  const { existingPods, identities, history } = input;
  let pods = 0;
  for (let slot = 0; slot < identities.length; slot++) {
    pods += existingPods[slot];
    out[parts.identities + slot] = identities[slot];
    writeNode(input, slot, out, parts.nodes + slot * NODE.width);
  }
  out.fill(0, parts.edges, parts.globals);
  writeEdges(input, out, parts.edges);
  const angle = 2 * Math.PI * dayShare;
  out[parts.globals + GLOBAL.cost] = Math.min(2, Math.log(1 + pods) / 8);
  out[parts.globals + GLOBAL.violations] = history.values[history.visible + FRAME.violationShare];
  out[parts.globals + GLOBAL.timeSine] = Math.sin(angle);
  out[parts.globals + GLOBAL.timeCosine] = Math.cos(angle);
}

function writeNode(input: GraphObservationInput, slot: number, out: Float32Array, at: number): void {
  const { view, history, calls, existingPods, identities } = input;
  if (identities[slot] === 0) {
    out.fill(0, at, at + NODE.width);
    return;
  }
  const { values } = history;
  const frame = history.visible + FRAME.width + slot * SERVICE_FRAME.width;
  const node = calls.visible + calls.nodesAt + slot * NODE_FRAME.width;
  const request = Math.max(1, values[frame + SERVICE_FRAME.readyPods]) * view.cpuRequestMillicores[slot];
  out[at + NODE.pods] = Math.min(2, Math.log(1 + existingPods[slot]) / 4);
  out[at + NODE.desired] = Math.min(2, Math.log(1 + view.desiredReplicas[slot]) / 4);
  out[at + NODE.cpu] = Math.min(3, values[frame + SERVICE_FRAME.cpuMillicores] / request);
  out[at + NODE.memory] = calls.values[node + NODE_FRAME.memoryShare];
  out[at + NODE.trafficIn] = logRate(values[frame + SERVICE_FRAME.callsIn]);
  out[at + NODE.trafficOut] = logRate(calls.values[node + NODE_FRAME.callsOutPerSecond]);
}

/** An edge is there when calls went along it in the step that controllers see. */
function writeEdges({ calls, mtls, identities }: GraphObservationInput, out: Float32Array, edgesAt: number): void {
  const { values } = calls;
  const slots = identities.length;
  let frame = calls.visible;
  for (let edge = 0; edge < slots * slots; edge++, frame += EDGE_FRAME.width) {
    const callsPerSecond = values[frame + EDGE_FRAME.callsPerSecond];
    if (callsPerSecond === 0) continue;
    const at = edgesAt + edge * EDGE.width;
    const target = edge % slots;
    out[at + EDGE.source] = (edge - target) / slots;
    out[at + EDGE.target] = target;
    out[at + EDGE.active] = 1;
    out[at + EDGE.rate] = logRate(callsPerSecond);
    out[at + EDGE.p95] = Math.min(2, Math.log(1 + 100 * values[frame + EDGE_FRAME.p95Seconds]) / 8);
    out[at + EDGE.errors] = values[frame + EDGE_FRAME.errorShare];
    out[at + EDGE.mtls] = mtls[edge];
  }
}

function logRate(callsPerSecond: number): number {
  return Math.min(3, Math.log(1 + callsPerSecond) / 8);
}

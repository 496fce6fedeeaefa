import type { CallEdge, MetricsSnapshot, ServiceMetrics } from '../../contracts/cluster-metrics.ts';
import type { ControlObservation, SlotMemory } from '../../contracts/control.ts';
import { EDGE_FRAME, NODE_FRAME } from '../environments/service-graph/call-frames.ts';
import type { CallFrames } from '../environments/service-graph/call-frames.ts';
import type { GraphService } from '../environments/service-graph/graph-application.ts';
import type { GraphDecisionSource } from '../environments/service-graph/graph-decision.ts';
import { emptySlot } from '../environments/service-graph/routes.ts';
import { LiveMonitor } from './live-monitor.ts';

/** Metrics with all that policies on graphs look at. */
export type GraphSnapshot = MetricsSnapshot & Required<Pick<MetricsSnapshot, 'graph'>>;

const MEBIBYTE = 2 ** 20;

/**
 * Shows what was observed of a live cluster slot by slot, as the simulation shows its graph. A newcomer that is not
 * measured yet is seen without calls and may not be changed. Where nobody tells of mutual TLS, calls between services
 * with sidecars are taken to be under it, as in the simulation.
 * @param services in the order of the observation.
 */
export function liveGraph(
  { workloads }: ControlObservation,
  metrics: GraphSnapshot,
  atSeconds: number,
  occupants: SlotMemory['occupants'],
  services: readonly GraphService[],
): GraphDecisionSource {
  const monitor = new LiveMonitor(occupants.map((occupant) => (occupant ? services[occupant.service] : emptySlot)));
  const bySlot = {
    ...metrics,
    services: occupants.map((occupant) => shown(occupant && metrics.services[occupant.service])),
  };
  const workloadOf = occupants.map((occupant) => occupant && workloads[occupant.service]);
  monitor.showCluster({ metrics: bySlot, workloads: workloadOf }, atSeconds);
  monitor.showMetrics(bySlot);
  const graph = new CallsBySlot(metrics.graph.edges, occupants, services);
  occupants.forEach((occupant, slot) => {
    if (occupant === null) return;
    const limit = workloadOf[slot]!.memoryLimitBytes ?? services[occupant.service].memoryLimitMebibytes * MEBIBYTE;
    graph.noteMemory(slot, (metrics.graph.podMemoryBytes[occupant.service] ?? 0) / limit);
  });
  return {
    view: monitor.view,
    history: monitor.history,
    calls: graph,
    mtls: graph.mtls,
    existingPods: Int32Array.from(workloadOf, (workload) =>
      workload === null ? 0 : workload.readyPods + workload.unreadyPods + (workload.stoppingPods ?? 0),
    ),
    identities: Int32Array.from(occupants, (occupant) => occupant?.identity ?? 0),
    scalable: Uint8Array.from(occupants, (occupant) => (occupant?.measured ? 1 : 0)),
  };
}

const silence: ServiceMetrics = {
  cpuMillicores: 0,
  memoryBytes: null,
  callsPerSecond: 0,
  errorRate: null,
  meanSeconds: null,
  ownSeconds: null,
  p50Seconds: null,
  p95Seconds: null,
  p99Seconds: null,
  receivedBytesPerSecond: null,
  sentBytesPerSecond: null,
};

/** What is not known of an empty slot, or of a newcomer, is 0. */
function shown(metrics: ServiceMetrics | null): ServiceMetrics {
  if (metrics === null) return silence;
  return {
    ...metrics,
    cpuMillicores: metrics.cpuMillicores ?? 0,
    callsPerSecond: metrics.callsPerSecond ?? 0,
  };
}

/** The calls between slots in the frame of a simulation. */
class CallsBySlot implements CallFrames {
  readonly values: Float64Array;
  readonly visible = 0;
  readonly nodesAt: number;
  /** Share of calls under mutual TLS, by source × slots + target. */
  readonly mtls: Float64Array;

  constructor(edges: readonly CallEdge[], occupants: SlotMemory['occupants'], services: readonly GraphService[]) {
    const slots = occupants.length;
    this.nodesAt = slots * slots * EDGE_FRAME.width;
    this.values = new Float64Array(this.nodesAt + slots * NODE_FRAME.width);
    this.mtls = new Float64Array(slots * slots);
    const slotOf = new Map(occupants.map((occupant, slot) => [occupant?.service, slot]));
    for (const edge of edges) {
      const [source, target] = [slotOf.get(edge.source), slotOf.get(edge.target)];
      // In the simulation nobody calls itself.
      if (source === undefined || edge.source === edge.target) continue;
      this.values[this.nodesAt + source * NODE_FRAME.width + NODE_FRAME.callsOutPerSecond] += edge.callsPerSecond;
      if (target === undefined) continue;
      const sidecars = services[edge.source].sidecar && services[edge.target].sidecar;
      this.noteEdge(edge, source * slots + target);
      this.mtls[source * slots + target] = edge.mutualTlsShare ?? (sidecars ? 1 : 0);
    }
  }

  noteMemory(slot: number, share: number): void {
    this.values[this.nodesAt + slot * NODE_FRAME.width + NODE_FRAME.memoryShare] = Math.min(1, share);
  }

  private noteEdge({ callsPerSecond, p95Seconds, errorRate }: CallEdge, place: number): void {
    const at = place * EDGE_FRAME.width;
    this.values[at + EDGE_FRAME.callsPerSecond] = callsPerSecond;
    this.values[at + EDGE_FRAME.p95Seconds] = p95Seconds ?? 0;
    this.values[at + EDGE_FRAME.errorShare] = errorRate;
  }
}

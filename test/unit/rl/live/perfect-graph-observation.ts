import type { CallEdge, ServiceMetrics } from '../../../../src/contracts/cluster-metrics.ts';
import type { ControlObservation } from '../../../../src/contracts/control.ts';
import type { ClusterMonitor } from '../../../../src/rl/environments/online-boutique/cluster-monitor.ts';
import { FRAME, SERVICE_FRAME } from '../../../../src/rl/environments/online-boutique/metrics-history.ts';
import type { Simulation } from '../../../../src/rl/environments/online-boutique/simulation.ts';
import { EDGE_FRAME, NODE_FRAME } from '../../../../src/rl/environments/service-graph/call-frames.ts';
import type { GraphService } from '../../../../src/rl/environments/service-graph/graph-application.ts';
import type { GraphMonitor } from '../../../../src/rl/environments/service-graph/graph-monitor.ts';
import type { ServiceGraph } from '../../../../src/rl/environments/service-graph/service-graph.ts';
import { unknownFigures } from './service-figures.ts';

/** What of a simulation its monitoring shows: an agent sees nothing else. */
interface Inside {
  readonly monitor: ClusterMonitor;
  readonly graphMonitor: GraphMonitor;
  readonly simulation: Simulation;
  readonly mtls: Uint8Array;
}

const MEBIBYTE = 2 ** 20;

/**
 * What a simulated graph would tell if it were a live cluster, and Prometheus and API server were perfect. Versions of a
 * service are no workloads of their own: the application must try none.
 * @param services in the order of the observation.
 */
export function perfectGraphObservation(
  environment: ServiceGraph,
  services: readonly GraphService[],
): ControlObservation {
  const { monitor, simulation } = environment as unknown as Inside;
  const { history, view } = monitor;
  const { values, visible } = history;
  const { fleet } = simulation;
  const slots = slotsOf(environment, services);
  return {
    metrics: {
      endSeconds: view.timeSeconds,
      stepSeconds: 15,
      requestsPerSecond: [history.rate(0)],
      p95Seconds: values[visible + FRAME.p95Seconds],
      violationShare: values[visible + FRAME.violationShare],
      services: slots.map((slot): ServiceMetrics => {
        if (slot === null) return unknownFigures;
        const at = visible + FRAME.width + slot * SERVICE_FRAME.width;
        const callsPerSecond = values[at + SERVICE_FRAME.callsIn];
        return {
          ...unknownFigures,
          cpuMillicores: values[at + SERVICE_FRAME.cpuMillicores],
          callsPerSecond,
          ownSeconds: callsPerSecond > 0 ? values[at + SERVICE_FRAME.callsInSystem] / callsPerSecond : null,
        };
      }),
      graph: { edges: edgesOf(environment, slots), podMemoryBytes: memoryOf(environment, slots, services) },
      missing: [],
    },
    workloads: slots.map((slot) =>
      slot === null
        ? null
        : {
            replicas: view.desiredReplicas[slot],
            readyPods: view.readyPods[slot],
            unreadyPods: view.unreadyPods[slot],
            startingPods: fleet.startingTotal[slot],
            stoppingPods: fleet.existing[slot] - fleet.ready[slot] - fleet.startingTotal[slot],
            memoryLimitBytes: null,
            cpuRequestMillicores: view.cpuRequestMillicores[slot],
            cpuMillicores: null,
          },
    ),
  };
}

/** The slot of each service; null while it is not there. */
export function slotsOf({ instances }: ServiceGraph, services: readonly GraphService[]): (number | null)[] {
  return services.map(({ name }) => instances.find(({ base }) => base === name)?.slot ?? null);
}

function edgesOf(environment: ServiceGraph, slots: readonly (number | null)[]): CallEdge[] {
  const { graphMonitor, mtls } = environment as unknown as Inside;
  const { values, visible } = graphMonitor;
  const { length } = environment.view.services;
  return slots.flatMap((from, source) =>
    slots.flatMap((to, target): CallEdge[] => {
      if (from === null || to === null) return [];
      const at = visible + (from * length + to) * EDGE_FRAME.width;
      const callsPerSecond = values[at + EDGE_FRAME.callsPerSecond];
      if (callsPerSecond === 0) return [];
      return [
        {
          ...{ source, target, callsPerSecond },
          p95Seconds: values[at + EDGE_FRAME.p95Seconds],
          errorRate: values[at + EDGE_FRAME.errorShare],
          mutualTlsShare: mtls[from * length + to],
        },
      ];
    }),
  );
}

function memoryOf(
  environment: ServiceGraph,
  slots: readonly (number | null)[],
  services: readonly GraphService[],
): (number | null)[] {
  const { graphMonitor } = environment as unknown as Inside;
  const { values, visible, nodesAt } = graphMonitor;
  return slots.map((slot, s) => {
    if (slot === null) return null;
    const share = values[visible + nodesAt + slot * NODE_FRAME.width + NODE_FRAME.memoryShare];
    return share * services[s].memoryLimitMebibytes * MEBIBYTE;
  });
}

/** True when the pods of a slot that the metrics are about are those that are there now. */
export function isSettledSlot(environment: ServiceGraph, slot: number): boolean {
  const { history, view } = (environment as unknown as Inside).monitor;
  const at = history.visible + FRAME.width + slot * SERVICE_FRAME.width;
  return Math.max(1, history.values[at + SERVICE_FRAME.readyPods]) === Math.max(1, view.readyPods[slot]);
}

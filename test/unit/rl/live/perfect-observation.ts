import type { ControlObservation } from '../../../../src/contracts/control.ts';
import type { ClusterMonitor } from '../../../../src/rl/environments/online-boutique/cluster-monitor.ts';
import { FRAME, SERVICE_FRAME } from '../../../../src/rl/environments/online-boutique/metrics-history.ts';
import type { OnlineBoutique } from '../../../../src/rl/environments/online-boutique/online-boutique.ts';
import type { Simulation } from '../../../../src/rl/environments/online-boutique/simulation.ts';
import { liveRateSteps } from '../../../../src/rl/live/live-monitor.ts';
import { unknownFigures } from './service-figures.ts';

/** What of a simulation its monitoring shows: an agent sees nothing else. */
interface Inside {
  readonly monitor: ClusterMonitor;
  readonly simulation: Simulation;
}

/** What a simulated cluster would tell if it were a live one, and Prometheus and API server were perfect. */
export function perfectObservation(environment: OnlineBoutique): ControlObservation {
  const { monitor, simulation } = environment as unknown as Inside;
  const { history, view } = monitor;
  const { values, visible } = history;
  const services = view.services.map((_, s) => {
    const at = visible + FRAME.width + s * SERVICE_FRAME.width;
    const calls = values[at + SERVICE_FRAME.callsIn];
    return {
      ...unknownFigures,
      cpuMillicores: values[at + SERVICE_FRAME.cpuMillicores],
      callsPerSecond: calls,
      errorRate: 0,
      // Little's law, the other way round.
      ownSeconds: calls > 0 ? values[at + SERVICE_FRAME.callsInSystem] / calls : null,
    };
  });
  return {
    metrics: {
      endSeconds: view.timeSeconds,
      stepSeconds: 15,
      requestsPerSecond: Array.from({ length: liveRateSteps }, (_, i) => history.rate(liveRateSteps - 1 - i)),
      p95Seconds: values[visible + FRAME.p95Seconds],
      violationShare: values[visible + FRAME.violationShare],
      services,
      missing: [],
    },
    workloads: view.services.map((_, s) => ({
      replicas: view.desiredReplicas[s],
      readyPods: view.readyPods[s],
      unreadyPods: view.unreadyPods[s],
      startingPods: simulation.fleet.startingTotal[s],
      cpuRequestMillicores: view.cpuRequestMillicores[s],
      cpuMillicores: null,
    })),
  };
}

/** True when the pods that the metrics are about are those that are there now: then CPU by pod is measured the same way. */
export function isSettled(environment: OnlineBoutique): boolean {
  const { history, view } = (environment as unknown as Inside).monitor;
  return view.services.every((_, s) => {
    const at = history.visible + FRAME.width + s * SERVICE_FRAME.width;
    return history.values[at + SERVICE_FRAME.readyPods] === view.readyPods[s];
  });
}

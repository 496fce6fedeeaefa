import { CoxswainError } from '../../../contracts/errors.ts';
import type { FittedApplications } from '../../twin/twin.ts';
import { onlineBoutiqueScaling, onlineBoutiqueTask } from '../online-boutique/scaling.ts';
import { parseOnlineBoutiqueParameters } from '../online-boutique/options.ts';
import type { ScalingKind } from '../scaling-environment.ts';
import { everyService } from '../service-graph/graph-application.ts';
import type { GraphApplication } from '../service-graph/graph-application.ts';
import { parseServiceGraphParameters, serviceGraphParameters } from '../service-graph/options.ts';
import type { CompleteParameters } from '../service-graph/options.ts';
import { serviceGraphScaling, serviceGraphTask } from '../service-graph/scaling.ts';

/** The services of a recorded cluster, all of them all the time: online-boutique with the fitted application. */
export const twinScaling: ScalingKind = {
  name: 'twin',
  needsTwin: true,
  settings: (given) => onlineBoutiqueScaling.settings(given),
  task(given, trace, hpaTargetPercent, twin) {
    return onlineBoutiqueTask({
      ...parseOnlineBoutiqueParameters(given),
      trace,
      application: fitted('twin', twin).application,
      ...(hpaTargetPercent === null ? {} : { hpaTargetPercent }),
    });
  },
};

/**
 * The services of a recorded cluster as a graph: those that were there only part of the time come and go, as often as
 * they did. By default there are slots for all of them, and pods for the most replicas of each.
 */
export const twinGraphScaling: ScalingKind = {
  name: 'twin-graph',
  needsTwin: true,
  settings: (given) => serviceGraphScaling.settings(given),
  task(given, trace, _hpaTargetPercent, twin, startsAtSeconds) {
    const { graph, changesPerHour } = fitted('twin-graph', twin);
    return serviceGraphTask({
      ...twinGraphParameters(graph, { changesPerHour, ...given }),
      trace,
      startsAtSeconds,
      application: graph,
    });
  },
};

/**
 * The parameters of a twin's graph: by default slots for all of its services, and pods for the most replicas of each.
 * @throws CoxswainError ENVIRONMENT_INVALID naming the parameter.
 */
export function twinGraphParameters(
  graph: GraphApplication,
  given: Readonly<Record<string, unknown>>,
): CompleteParameters {
  const services = everyService(graph);
  const nodes = within(services.length, serviceGraphParameters.nodes);
  const mostPods = services.reduce((sum, { maxReplicas }) => sum + maxReplicas, 0);
  const podQuota = within(mostPods, serviceGraphParameters.podQuota);
  return parseServiceGraphParameters({ nodes, podQuota, ...given });
}

function within(value: number, { low, high }: { readonly low: number; readonly high: number }): number {
  return Math.min(high, Math.max(low, value));
}

function fitted(name: string, twin: FittedApplications | null): FittedApplications {
  if (twin !== null) return twin;
  throw new CoxswainError('ENVIRONMENT_INVALID', withoutTwin(name));
}

/** What to do about an environment that needs a twin where none is fitted. */
export function withoutTwin(name: string): string {
  return `environment.name "${name}" needs a twin fitted to a recording of a cluster: set collect.source.kind to "cluster", or name an environment of its own.`;
}

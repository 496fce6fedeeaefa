import { CoxswainError } from '../../contracts/errors.ts';
import type { Application } from '../environments/online-boutique/application.ts';
import { onlineBoutiqueApplication } from '../environments/online-boutique/online-boutique-application.ts';
import { boutiqueGraph } from '../environments/service-graph/boutique-graph.ts';
import type { GraphApplication } from '../environments/service-graph/graph-application.ts';
import { decodeTwin } from './twin-bytes.ts';

/** Environments whose policies can steer a cluster: their observations are metrics that a cluster has. */
export const steerableEnvironments = ['online-boutique', 'twin', 'service-graph', 'twin-graph'] as const;

/** What policies steer: services that are always there, or a graph, some of whose services come and go. */
export type SteeredApplication = Application | GraphApplication;

/**
 * The application that policies of an environment were trained on: its services in the order of the observation, with
 * their bounds and requests.
 * @param twin bytes of the fitted twin; null for an environment that needs none.
 * @throws CoxswainError ENVIRONMENT_INVALID when policies of this environment cannot steer a cluster, or the twin is
 * missing; ARTIFACT_CORRUPT when the bytes are no twin.
 */
export function applicationOf(environmentName: string, twin: Uint8Array | null): SteeredApplication {
  if (environmentName === 'online-boutique') return onlineBoutiqueApplication;
  if (environmentName === 'service-graph') return boutiqueGraph;
  if (environmentName !== 'twin' && environmentName !== 'twin-graph') {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `A policy trained in "${environmentName}" cannot steer a cluster; environments that can: ${steerableEnvironments.join(', ')}.`,
    );
  }
  if (twin === null) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      'The policy was trained in a fitted twin, but the twin is missing: train again from a recording of the cluster.',
    );
  }
  const { application, graph } = decodeTwin(twin);
  return environmentName === 'twin' ? application : graph;
}

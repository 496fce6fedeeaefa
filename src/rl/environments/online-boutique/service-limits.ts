import type { ServiceParameters } from './application.ts';

/** The longest delays and the most servers of any service that a simulation will ever hold. */
export interface ServiceLimits {
  readonly longestDelaySeconds: number;
  readonly mostServers: number;
}

/** The limits of these services alone. */
export function limitsOf(services: readonly ServiceParameters[]): ServiceLimits {
  return {
    longestDelaySeconds: Math.max(...services.flatMap((each) => [each.startupSeconds, each.terminationSeconds])),
    mostServers: Math.max(...services.map((each) => each.maxReplicas * each.serversPerPod)),
  };
}

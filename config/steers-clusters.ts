import type { Environment } from './setting.ts';

/** True where a control worker is of use: namespaces that may be touched, and a Prometheus, are configured. */
export function steersClusters(environment: Environment = process.env): boolean {
  return Boolean(environment.COXSWAIN_CLUSTER_NAMESPACES && environment.COXSWAIN_PROMETHEUS_URL);
}

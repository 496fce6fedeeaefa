import type { ServiceMetrics } from '../../../../src/contracts/cluster-metrics.ts';
import type { ObservedWorkload } from '../../../../src/contracts/control.ts';

/** Of a service that nobody measures. */
export const unknownFigures: ServiceMetrics = {
  cpuMillicores: null,
  memoryBytes: null,
  callsPerSecond: null,
  errorRate: null,
  meanSeconds: null,
  ownSeconds: null,
  p50Seconds: null,
  p95Seconds: null,
  p99Seconds: null,
  receivedBytesPerSecond: null,
  sentBytesPerSecond: null,
};

/** All that policies look at. */
export const someFigures: ServiceMetrics = {
  ...unknownFigures,
  ...{ cpuMillicores: 100, callsPerSecond: 10, errorRate: 0, meanSeconds: 0.05, ownSeconds: 0.03 },
};

export const someWorkload: ObservedWorkload = {
  ...{ replicas: 2, readyPods: 2, unreadyPods: 0, startingPods: 0 },
  ...{ cpuRequestMillicores: 200, cpuMillicores: 100 },
};

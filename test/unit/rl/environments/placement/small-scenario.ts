import type { Scenario } from '../../../../../src/rl/environments/placement/scenario.ts';

/** Two zones 4 ms apart with two nodes each; users call `web`, which calls `store` twice. */
export const smallScenario: Scenario = {
  nodes: 4,
  zones: 2,
  services: 2,
  nodeZone: Int32Array.of(0, 1, 0, 1),
  nodeCpu: Float64Array.of(1000, 1000, 2000, 2000),
  nodeMemory: Float64Array.of(2000, 2000, 4000, 1000),
  zoneMilliseconds: Float64Array.of(0.5, 4, 4, 0.5),
  podCpu: Float64Array.of(500, 250),
  podMemory: Float64Array.of(250, 1000),
  visits: Float64Array.of(1, 2),
  callMilliseconds: Float64Array.of(10, 1),
  peakReplicas: Int32Array.of(2, 2),
  calls: [{ caller: 0, callee: 1, perRequest: 2 }],
  conflicts: new Uint8Array(4),
  allowedZones: new Uint8Array(4).fill(1),
  peakRequests: 60,
};

import type { ParameterTable, ParameterValues } from '../parameters.ts';

const scenarioParameters = {
  nodes: { low: 2, high: 32, whole: true, default: 8, meaning: 'Nodes of the cluster' },
  zones: { low: 1, high: 8, whole: true, default: 3, meaning: 'Zones that the nodes lie in, one after the other' },
  services: { low: 2, high: 16, whole: true, default: 6, meaning: 'Services' },
  scenarioSeed: {
    low: 0,
    high: 4294967295,
    whole: true,
    default: 1,
    meaning: 'Seed of the cluster, the services and their calls, which stay the same in all episodes',
  },
} as const satisfies ParameterTable;

const rewardParameters = {
  latencyWeight: {
    low: 0,
    high: 1000,
    default: 1,
    meaning: 'Weight of the latency, as a multiple of that of pods spread over all nodes',
  },
  resourceWeight: { low: 0, high: 1000, default: 1, meaning: 'Weight of the share of the cluster that is taken' },
  balanceWeight: { low: 0, high: 1000, default: 0.5, meaning: 'Weight of the imbalance of the nodes' },
  contention: {
    low: 0,
    high: 10,
    default: 0.5,
    meaning: 'How much slower a call is on a node whose CPU is used up, as a share',
  },
} as const satisfies ParameterTable;

/** The parameters of placement-v1. */
export const arrivalParameters = {
  ...scenarioParameters,
  episodeSteps: { low: 1, high: 100_000, whole: true, default: 200, meaning: 'Steps (arriving pods) of an episode' },
  fillShare: {
    low: 0.05,
    high: 2,
    default: 0.65,
    meaning: 'Share of the cluster’s CPU that the pods request once as many leave as arrive',
  },
  ...rewardParameters,
  rejectionWeight: { low: 0, high: 1000, default: 2, meaning: 'Price of a pod that finds no node' },
} as const satisfies ParameterTable;

const operationParameters = {
  ...scenarioParameters,
  episodeSteps: { low: 1, high: 100_000, whole: true, default: 240, meaning: 'Control steps (1 min) of an episode' },
  fillShare: {
    low: 0.05,
    high: 1,
    default: 0.5,
    meaning: 'Share of the cluster’s CPU that the pods of the daily peak request',
  },
  maxReplicas: { low: 1, high: 64, whole: true, default: 16, meaning: 'Pods of a service at most' },
  ...rewardParameters,
  lossWeight: { low: 0, high: 1000, default: 5, meaning: 'Weight of the share of the requests that is lost' },
} as const satisfies ParameterTable;

/** The parameters of placement-v2. */
export const scalingParameters = operationParameters;

/** The parameters of placement-v3. */
export const movingParameters = {
  ...operationParameters,
  moveWeight: { low: 0, high: 1000, default: 0.02, meaning: 'Price of moving a pod' },
  meanUpSteps: {
    low: 0,
    high: 1e6,
    default: 500,
    meaning: 'Control steps until a node fails, on average; 0 = never',
  },
  meanDownSteps: { low: 1, high: 1e6, default: 30, meaning: 'Control steps that a failed node is down, on average' },
} as const satisfies ParameterTable;

/** A value for each parameter of placement-v1. */
export type ArrivalParameters = ParameterValues<typeof arrivalParameters>;
/** A value for each parameter of placement-v2. */
export type ScalingParameters = ParameterValues<typeof scalingParameters>;
/** A value for each parameter of placement-v3. */
export type MovingParameters = ParameterValues<typeof movingParameters>;

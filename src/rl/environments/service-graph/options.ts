import { parseParameters } from '../parameters.ts';
import type { ParameterTable, ParameterValues } from '../parameters.ts';
import type { GraphApplication } from './graph-application.ts';

/** The parameters of a service graph. */
export const serviceGraphParameters = {
  nodes: { low: 11, high: 20, whole: true, default: 20, meaning: 'Slots for services' },
  episodeSteps: { low: 1, high: 100_000, whole: true, default: 240, meaning: 'Control steps (15 s) of an episode' },
  changesPerHour: {
    low: 0,
    high: 240,
    default: 12,
    meaning: 'Features and new versions that come or go in an hour, on average; with 0 nothing but the eleven services',
  },
  podQuota: { low: 20, high: 100_000, whole: true, default: 240, meaning: 'Desired replicas of all services together' },
  rampEpisodes: {
    low: 0,
    high: 1,
    default: 0,
    meaning: 'Share of training episodes that begin shortly before one of the steepest rises of the rate',
  },
  rateJitter: {
    low: 0,
    high: 3,
    default: 0,
    meaning: 'Each training episode multiplies the trace by e^u, u uniform in ± this',
  },
  sloSeconds: { low: 0.001, high: 3600, default: 0.5, meaning: 'A request slower than this violates the SLO, seconds' },
  timeoutSeconds: {
    low: 0.001,
    high: 3600,
    default: 1,
    meaning: 'A call between services that takes longer is an error, seconds',
  },
  metricsDelaySteps: {
    low: 0,
    high: 20,
    whole: true,
    default: 1,
    meaning: 'Age of the metrics beyond the step just over, control steps',
  },
  maxChange: { low: 1, high: 7, whole: true, default: 7, meaning: 'Changes beyond this many replicas are masked' },
  violationPrice: {
    low: 0,
    high: 1e6,
    default: 60,
    meaning: 'Price of one percentage point of requests above the SLO, pods',
  },
  violationSaturation: {
    low: 1e-4,
    high: 1e6,
    default: 0.05,
    meaning: 'Share of a step’s requests at which the charge for violations saturates',
  },
  actionPrice: {
    low: 0,
    high: 1e6,
    default: 0,
    meaning: 'Price of changing one service’s replicas once, pods over one control step',
  },
} as const satisfies ParameterTable;

/** A value for each. */
export type CompleteParameters = ParameterValues<typeof serviceGraphParameters>;

/** The options that a RunSpec may give: all but the trace and the application. */
export type ServiceGraphParameters = Partial<CompleteParameters>;

/** What a service graph is made of. Everything has a default. */
export interface ServiceGraphOptions extends ServiceGraphParameters {
  /**
   * Requests per control step (15 s): one part of a recording. Arrivals are Poisson draws around these counts. Default: a
   * generated week.
   */
  readonly trace?: Float32Array | Float64Array;
  /** When the trace begins, seconds since some midnight (UTC where policies shall steer a cluster). Default 0. */
  readonly startsAtSeconds?: number;
  /** Default: Online Boutique with features that come and go. */
  readonly application?: GraphApplication;
}

/** Checks parameters and fills in the defaults. @throws CoxswainError ENVIRONMENT_INVALID naming the parameter. */
export function parseServiceGraphParameters(given: Readonly<Record<string, unknown>>): CompleteParameters {
  return parseParameters('service-graph', serviceGraphParameters, given);
}

import { CoxswainError } from '../../../contracts/errors.ts';
import type { Application } from './application.ts';

/** What an Online Boutique environment is made of. Everything but `trace` has a default. */
export interface OnlineBoutiqueOptions {
  /** Requests per control step (15 s): one part of a recording. Arrivals are Poisson draws around these counts. */
  readonly trace: Float32Array | Float64Array;
  /** Default: the eleven services of Online Boutique. */
  readonly application?: Application;
  /** Control steps of an episode; the window starts where the seed says. Default 240 (one hour). */
  readonly episodeSteps?: number;
  /** Share of `reset`s that begin shortly before one of the steepest rises of the trace. Default 0: none is preferred. */
  readonly rampEpisodes?: number;
  /**
   * Each `reset` multiplies the trace by e^u, u uniform in ±rateJitter, so that an agent meets every shape of traffic at
   * many sizes. Default 0: as recorded.
   */
  readonly rateJitter?: number;
  /** A request slower than this violates the SLO, seconds. Default 0.5. */
  readonly sloSeconds?: number;
  /** Age of the metrics that controllers see, in control steps beyond the one just over. Default 1 (15–30 s old). */
  readonly metricsDelaySteps?: number;
  /**
   * What an action's change is added to: the desired replicas of this moment, or those that the HPA proposes for this
   * step, so that doing nothing is following the HPA. Default `current`.
   */
  readonly actionBase?: ActionBase;
  /** Changes beyond this many replicas are masked, 1 … 7. Default 7. */
  readonly maxChange?: number;
  /**
   * No action may leave a service with fewer replicas than its measured CPU usage needs at this multiple of
   * `hpaTargetPercent`. 0 = no such limit. Default 0.
   */
  readonly maxTargetRatio?: number;
  /** No action may give a service more replicas than its CPU usage needs at this multiple of the target. Default 0: no limit. */
  readonly minTargetRatio?: number;
  /** CPU target of the HPA behind `actionBase: 'hpa'`, percent. Default 60. */
  readonly hpaTargetPercent?: number;
  /** Price of one percentage point of requests above the SLO, in pods. Default 60. */
  readonly violationPrice?: number;
  /**
   * The share of a step's requests above the SLO that is charged saturates here: c·(1 − e^(−share/c)). A step in deep
   * overload then costs little more than one in trouble, and the reward varies far less. Large = linear. Default 0.05.
   */
  readonly violationSaturation?: number;
  /** Price of changing one service's replicas once, in pods over one control step. Default 0. */
  readonly actionPrice?: number;
}

/** See `actionBase`. */
export type ActionBase = 'current' | 'hpa';

/** The options that a RunSpec may give: all but the trace and the application. */
export type OnlineBoutiqueParameters = Omit<OnlineBoutiqueOptions, 'trace' | 'application'>;

/** All options, with defaults filled in. */
export type CompleteParameters = Required<OnlineBoutiqueParameters>;

export const defaultParameters: CompleteParameters = {
  episodeSteps: 240,
  rampEpisodes: 0,
  rateJitter: 0,
  sloSeconds: 0.5,
  metricsDelaySteps: 1,
  actionBase: 'current',
  maxChange: 7,
  maxTargetRatio: 0,
  minTargetRatio: 0,
  hpaTargetPercent: 60,
  violationPrice: 60,
  violationSaturation: 0.05,
  actionPrice: 0,
};

/** Each parameter and what it means, for people and for the registry. */
export const parameterHelp: Readonly<Record<keyof CompleteParameters, string>> = {
  episodeSteps: 'Control steps (15 s) of an episode, 1 … 100 000. Default 240, one hour.',
  rampEpisodes:
    'Share of training episodes that begin shortly before one of the steepest rises of the rate, 0 … 1. Default 0.',
  rateJitter: 'Each training episode multiplies the trace by e^u, u uniform in ± this, 0 … 3. Default 0.',
  sloSeconds: 'A request slower than this violates the SLO, seconds. Default 0.5.',
  metricsDelaySteps: 'Age of the metrics beyond the step just over, control steps, 0 … 20. Default 1.',
  actionBase: 'What a change is added to: `current` replicas or the `hpa`’s proposal. Default `current`.',
  maxChange: 'Changes beyond this many replicas are masked, 1 … 7. Default 7.',
  maxTargetRatio:
    'No action may leave fewer replicas than the CPU usage needs at this multiple of hpaTargetPercent; 0 = no limit. Default 0.',
  minTargetRatio:
    'No action may give more replicas than the CPU usage needs at this multiple of hpaTargetPercent; 0 = no limit. Default 0.',
  hpaTargetPercent: 'CPU target of the HPA behind actionBase `hpa`, percent, 1 … 1000. Default 60.',
  violationPrice: 'Price of one percentage point of requests above the SLO, pods. Default 60.',
  violationSaturation: 'Share of a step’s requests at which the charge for violations saturates. Default 0.05.',
  actionPrice: 'Price of changing one service’s replicas once, pods over one control step. Default 0.',
};

interface Range {
  readonly low: number;
  readonly high: number;
  readonly whole: boolean;
}

const ranges: Readonly<Record<Exclude<keyof CompleteParameters, 'actionBase'>, Range>> = {
  episodeSteps: { low: 1, high: 100_000, whole: true },
  rampEpisodes: { low: 0, high: 1, whole: false },
  rateJitter: { low: 0, high: 3, whole: false },
  sloSeconds: { low: 0.001, high: 3600, whole: false },
  metricsDelaySteps: { low: 0, high: 20, whole: true },
  maxChange: { low: 1, high: 7, whole: true },
  maxTargetRatio: { low: 0, high: 10, whole: false },
  minTargetRatio: { low: 0, high: 10, whole: false },
  hpaTargetPercent: { low: 1, high: 1000, whole: true },
  violationPrice: { low: 0, high: 1e6, whole: false },
  violationSaturation: { low: 1e-4, high: 1e6, whole: false },
  actionPrice: { low: 0, high: 1e6, whole: false },
};

/**
 * Checks parameters from a RunSpec; what is not given stays out, so that a caller can tell.
 * @throws CoxswainError ENVIRONMENT_INVALID naming the parameter, its value and what is allowed.
 */
export function parseOnlineBoutiqueParameters(input: Readonly<Record<string, unknown>>): OnlineBoutiqueParameters {
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(defaultParameters, name)) {
      throw invalid(`unknown parameter "${name}"; there are: ${Object.keys(defaultParameters).join(', ')}`);
    }
    if (name === 'actionBase') {
      if (value !== 'current' && value !== 'hpa')
        throw invalid(`actionBase must be "current" or "hpa", not ${show(value)}`);
    } else checkRange(name, value, ranges[name as keyof typeof ranges]);
  }
  return { ...input } as OnlineBoutiqueParameters;
}

function checkRange(name: string, value: unknown, { low, high, whole }: Range): void {
  if (typeof value === 'number' && value >= low && value <= high && (!whole || Number.isInteger(value))) return;
  throw invalid(`${name} must be a ${whole ? 'whole ' : ''}number from ${low} to ${high}, not ${show(value)}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function invalid(message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `online-boutique: ${message}.`);
}

/** @throws CoxswainError ENVIRONMENT_INVALID when the trace is shorter than an episode or holds anything but counts ≥ 0. */
export function validateTrace(trace: Float32Array | Float64Array, episodeSteps: number): void {
  if (trace.length < episodeSteps) {
    throw invalid(`the trace has ${trace.length} bins, fewer than the ${episodeSteps} steps of an episode`);
  }
  const bad = trace.findIndex((count) => !(count >= 0 && count <= 1e9));
  if (bad >= 0) throw invalid(`bin ${bad} of the trace is ${trace[bad]}; allowed are counts from 0 to 1e9`);
}

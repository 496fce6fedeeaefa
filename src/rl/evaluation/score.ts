import type { EpisodeMeasures } from './evaluate.ts';

/** The one score by which weights, the HPA's target and fixed counts are chosen; see docs. Lower is better. */
export interface ScoreRule {
  /** Share of requests that may be slower than the SLO without penalty, as a fraction. */
  readonly violationAllowance: number;
  /** Pod-hours per hour that one percentage point of violations above the allowance costs. */
  readonly violationPrice: number;
}

/** Mean pods over the episodes plus the price of violations above the allowance. Lower is better. */
export declare function scoreOf(measures: readonly EpisodeMeasures[], rule?: Partial<ScoreRule>): number;

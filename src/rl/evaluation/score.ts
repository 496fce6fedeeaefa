import type { EpisodeMeasures } from './evaluate.ts';

/** The one score by which weights, the HPA's target and fixed counts are chosen. */
export interface ScoreRule {
  /** Share of requests that may be slower than the SLO without penalty, as a fraction. Default 0. */
  readonly violationAllowance: number;
  /** Price of one percentage point of violations above the allowance, in pods. Default 30. */
  readonly violationPrice: number;
}

export const defaultScoreRule: ScoreRule = { violationAllowance: 0, violationPrice: 30 };

/**
 * Mean number of pods over the episodes, plus the price of the share of requests above the SLO, in pods; lower is
 * better. It is the gate's currency: pod-seconds and violations, nothing else.
 */
export function scoreOf(measures: readonly EpisodeMeasures[], rule: Partial<ScoreRule> = {}): number {
  const { violationAllowance, violationPrice } = { ...defaultScoreRule, ...rule };
  const excess = Math.max(0, meanViolationRate(measures) - violationAllowance);
  return meanPods(measures) + violationPrice * 100 * excess;
}

/** Pods that existed at a time, on average. */
export function meanPods(measures: readonly EpisodeMeasures[]): number {
  return mean(measures, ({ podSeconds, seconds }) => podSeconds / seconds);
}

/** Mean over episodes of the share of requests above the SLO. */
export function meanViolationRate(measures: readonly EpisodeMeasures[]): number {
  return mean(measures, ({ sloViolationRate }) => sloViolationRate);
}

function mean(measures: readonly EpisodeMeasures[], value: (measures: EpisodeMeasures) => number): number {
  return measures.reduce((sum, episode) => sum + value(episode), 0) / measures.length;
}

import type { Interval } from './statistics/paired-bootstrap.ts';

/** Margins of the promotion rule; the fields of the RunSpec's `evaluate.gate`. */
export interface GateRule {
  /** Allowed rise of the share of requests above the SLO, as a fraction (0.001 = 0.1 percentage points). */
  readonly maxViolationRateIncrease: number;
  /** Allowed rise of pod-seconds relative to the HPA's, as a fraction (0 = must be below). */
  readonly maxPodSecondsIncrease: number;
}

/** Policy − calibrated HPA on the held-out part. */
export interface GateDifferences {
  /** Difference of the violation rates, as a fraction. */
  readonly sloViolationRate: Interval;
  /** Difference of pod-seconds relative to the HPA's, as a fraction. */
  readonly podSecondsRelative: Interval;
}

/**
 * Passed when the upper bounds of both differences stay below their margins. The reasons say the numbers either way:
 * one sentence a measure, the measure that failed first.
 */
export function judgeGate(
  differences: GateDifferences,
  rule: GateRule,
): { readonly passed: boolean; readonly reasons: readonly string[] } {
  const verdicts = [
    judge('SLO violations', 'percentage points', differences.sloViolationRate, rule.maxViolationRateIncrease),
    judge('pod-seconds', '%', differences.podSecondsRelative, rule.maxPodSecondsIncrease),
  ];
  const inOrder = verdicts.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  return { passed: verdicts.every(({ passed }) => passed), reasons: inOrder.map(({ reason }) => reason) };
}

function judge(measure: string, unit: string, difference: Interval, margin: number) {
  const passed = difference.high < margin;
  const percent = (value: number): string => `${value > 0 ? '+' : ''}${(100 * value).toFixed(3)}`;
  const interval = `${percent(difference.mean)} ${unit} (${percent(difference.low)} … ${percent(difference.high)})`;
  const verdict = passed ? 'is below the margin of' : 'is not below the margin of';
  return {
    passed,
    reason: `Difference in ${measure} to the calibrated HPA: ${interval}; the upper bound ${verdict} ${percent(margin)}.`,
  };
}

import type { Interval } from './statistics/paired-bootstrap.ts';

/** Margins of the promotion rule; the same fields as GateSpec. */
export interface GateRule {
  readonly maxViolationRateIncrease: number;
  readonly maxPodSecondsIncrease: number;
}

/** Policy − calibrated HPA on the held-out part. */
export interface GateDifferences {
  /** Difference of the violation rates, as a fraction. */
  readonly sloViolationRate: Interval;
  /** Difference of pod-seconds relative to the HPA's, as a fraction. */
  readonly podSecondsRelative: Interval;
}

/** Passed when both upper bounds stay below their margins; the reasons say the numbers either way. */
export declare function judgeGate(
  differences: GateDifferences,
  rule: GateRule,
): { readonly passed: boolean; readonly reasons: readonly string[] };

/** A rule of the environment contract that was broken. */
export interface ContractViolation {
  readonly rule: string;
  readonly message: string;
}

/** What the lint can find. */
export type FindingKind =
  | 'dead-observation'
  | 'constant-reward'
  | 'dead-action'
  | 'duplicate-choice'
  | 'imitation-reward'
  | 'drowning-penalty'
  | 'reward-parts'
  | 'ignored-seed';

/** Something that an agent would learn badly from, although the contract is kept. */
export interface EnvironmentFinding {
  readonly kind: FindingKind;
  readonly where: string;
  readonly what: string;
  readonly why: string;
  readonly advice: string;
  /** Why it is so on purpose; null when nobody has said so. */
  readonly accepted: string | null;
}

/** The result of a check. */
export interface EnvironmentReport {
  readonly name: string;
  readonly seed: number;
  /** Steps that were played for the lint; 0 when a rule was broken, since then there is nothing to go by. */
  readonly steps: number;
  /** Rules that were looked at, and those that were not, with the reason. */
  readonly rules: readonly { readonly title: string; readonly notLookedAt: string | null }[];
  readonly violations: readonly ContractViolation[];
  readonly findings: readonly EnvironmentFinding[];
  /** Time of one step on this machine, microseconds: the fastest of some stretches; null when none was played. */
  readonly microsecondsPerStep: number | null;
}

/** What `coxswain env` shows; src/rl/environment-check makes it. */

/** An environment in a list. */
export interface EnvironmentSummary {
  readonly name: string;
  readonly summary: string;
  /** Elements of an observation. */
  readonly observationSize: number;
  /** The action space in words, for example `MultiDiscrete([15] × 11), masked`. */
  readonly actionSpace: string;
  /** Steps after which an episode is truncated; null when it never is. */
  readonly maxEpisodeSteps: number | null;
  /** Each parameter and what it means. */
  readonly parameters: Readonly<Record<string, string>>;
}

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

/** The result of `coxswain env check`. */
export interface EnvironmentReport {
  readonly name: string;
  readonly seed: number;
  /** Steps that were played for the lint. */
  readonly steps: number;
  /** Rules that were checked; empty when the environment could not be made. */
  readonly rules: readonly string[];
  readonly violations: readonly ContractViolation[];
  readonly findings: readonly EnvironmentFinding[];
  /** Time of one step on this machine, microseconds; the fastest of some stretches. */
  readonly microsecondsPerStep: number;
}

/** How `coxswain env check` looks at an environment. */
export interface EnvironmentCheckOptions {
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Steps that are played for the lint. Default 2 000. */
  readonly steps?: number;
  /** Everything random in the check follows from it, uint32. Default 1. */
  readonly seed?: number;
}

/** The registered environments, as the command sees them. */
export interface EnvironmentCatalogue {
  list(): readonly EnvironmentSummary[];
  /** @throws CoxswainError REQUEST_INVALID when no environment has the name, ENVIRONMENT_INVALID for bad parameters. */
  check(name: string, options?: EnvironmentCheckOptions): EnvironmentReport;
}

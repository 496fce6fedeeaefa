import type { Environment, Observation } from '../environment.ts';
import type { FindingKind } from '../environment-check/report.ts';

/** What a simple controller would do now: one whole number per head, or the box's elements. Changes nothing. */
export type BaselineDecision = (seen: Observation) => ArrayLike<number>;

/** A finding of the lint that is so on purpose. */
export interface AcceptedFinding {
  readonly kind: FindingKind;
  /** Which places it is accepted at. */
  readonly where: RegExp;
  readonly reason: string;
}

/** A kind of environment that a RunSpec can name. */
export interface EnvironmentKind {
  readonly name: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  /** Each parameter of `create` and what it means, with unit and default. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Makes one environment. @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  create(parameters?: Readonly<Record<string, unknown>>): Environment;
  /** Simple controllers by name, for an environment that `create` made: `env check` asks whether the reward imitates one. */
  readonly baselines?: Readonly<Record<string, (environment: Environment) => BaselineDecision>>;
  /** What `env check` finds here and may find. */
  readonly acceptedFindings?: readonly AcceptedFinding[];
}

import type { Environment } from '../environment.ts';

/** A kind of environment that a RunSpec can name. */
export interface EnvironmentKind {
  readonly name: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  /** Each parameter of `create` and what it means, with unit and default. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Makes one environment. @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  create(parameters?: Readonly<Record<string, unknown>>): Environment;
}

import type { Environment, EnvironmentDescription } from '../environment.ts';
import type { BaselineDecision } from '../environments/registry.ts';
import type { Experience } from './experience.ts';
import type { EnvironmentFinding } from './report.ts';

/** What a lint looks at. */
export interface LintSubject {
  readonly description: EnvironmentDescription;
  /** An instance to play with; lints load the states that they need. */
  readonly environment: Environment;
  readonly experience: Experience;
  /** Simple controllers of {@link environment}, by name. */
  readonly baselines: Readonly<Record<string, BaselineDecision>>;
  /** Everything random in a lint follows from it. */
  readonly seed: number;
}

/** A finding before anybody has said whether it is so on purpose. */
export type Finding = Omit<EnvironmentFinding, 'accepted'>;

/** Looks for one kind of defect. */
export type Lint = (subject: LintSubject) => Finding[];

import type { Environment } from '../environment.ts';
import type { AcceptedFinding, EnvironmentKind } from '../environments/registry.ts';
import { actionLint } from './action-lint.ts';
import { contractRules } from './contract.ts';
import type { ContractSubject } from './contract.ts';
import { gatherExperience } from './experience.ts';
import { imitationLint } from './imitation-lint.ts';
import type { Lint } from './lint-subject.ts';
import { observationLint } from './observation-lint.ts';
import type { ContractViolation, EnvironmentFinding, EnvironmentReport } from './report.ts';
import { constantRewardLint, drowningPenaltyLint, rewardPartsLint } from './reward-lint.ts';
import { seedLint } from './seed-lint.ts';

/** How an environment is looked at. */
export interface EnvironmentCheckOptions {
  /** Parameters of the environment. Default none. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Steps that are played for the lint. Default 2 000. */
  readonly steps?: number;
  /** Everything random in the check follows from it, uint32. Default 1. */
  readonly seed?: number;
}

/** Seeds that every rule of the contract is checked with. */
const CONTRACT_SEEDS = 3;
/** Steps of the contract's episodes. */
const CONTRACT_STEPS = 1000;

const lints: readonly Lint[] = [
  observationLint,
  constantRewardLint,
  drowningPenaltyLint,
  rewardPartsLint,
  actionLint,
  imitationLint,
  seedLint,
];

/**
 * Holds an environment to its contract and, when it keeps it, looks for what an agent would learn badly from.
 * @throws CoxswainError ENVIRONMENT_INVALID when the parameters are wrong.
 */
export function checkEnvironment(kind: EnvironmentKind, options: EnvironmentCheckOptions = {}): EnvironmentReport {
  const { parameters = {}, steps = 2000, seed = 1 } = options;
  const create = (): Environment => kind.create(parameters);
  create();
  const seeds = Array.from({ length: CONTRACT_SEEDS }, (_, index) => (seed + index) >>> 0);
  const { rules, violations } = checkContract({ create, seeds, maxSteps: Math.min(steps, CONTRACT_STEPS) });
  const report = { name: kind.name, seed, rules, violations };
  if (violations.length > 0) return { ...report, steps: 0, findings: [], microsecondsPerStep: null };
  const { findings, microsecondsPerStep } = lint(kind, create(), steps, seed);
  return { ...report, steps, findings, microsecondsPerStep };
}

function checkContract(subject: ContractSubject): Pick<EnvironmentReport, 'rules' | 'violations'> {
  const violations: ContractViolation[] = [];
  const rules = contractRules.map(({ title, check }) => {
    try {
      return { title, notLookedAt: check(subject) };
    } catch (error) {
      violations.push({ rule: title, message: error instanceof Error ? error.message : String(error) });
      return { title, notLookedAt: null };
    }
  });
  return { rules, violations };
}

/** Runs every lint over one experience. */
function lint(
  { baselines: factories = {}, acceptedFindings = [] }: EnvironmentKind,
  environment: Environment,
  steps: number,
  seed: number,
): Pick<EnvironmentReport, 'findings' | 'microsecondsPerStep'> {
  const entries = Object.entries(factories).map(([name, decide]) => [name, decide(environment)] as const);
  const baselines = Object.fromEntries(entries);
  const experience = gatherExperience(environment, Object.values(baselines), steps, seed);
  const subject = { description: environment.description, environment, experience, baselines, seed };
  const findings = lints
    .flatMap((look) => look(subject))
    .map((found) => ({
      ...found,
      accepted: reasonFor(found, acceptedFindings),
    }));
  const { microsecondsPerStep } = experience;
  return { findings, microsecondsPerStep: Number.isFinite(microsecondsPerStep) ? microsecondsPerStep : null };
}

function reasonFor(
  { kind, where }: Pick<EnvironmentFinding, 'kind' | 'where'>,
  accepted: readonly AcceptedFinding[],
): string | null {
  return accepted.find((entry) => entry.kind === kind && entry.where.test(where))?.reason ?? null;
}

import type { ControlState, FallbackReason, FallbackSpec, FallbackState } from '../../contracts/control.ts';

/** What a step found out. */
export interface StepFacts {
  readonly at: Date;
  /** True when the observation was complete. */
  readonly observed: boolean;
  /** Whether the policy answered; null when it was not asked. */
  readonly answered: boolean | null;
  /** Users' requests of the step and those above the SLO; null when that is not known. */
  readonly traffic: { readonly requests: number; readonly violations: number } | null;
}

/** Steps in a row without a complete observation after which the fallback takes over. */
const stepsWithoutObservation = 2;

/** The state of a loop that begins. */
export function firstState(deployment: string, mode: ControlState['mode'], step: number): ControlState {
  return {
    deployment,
    mode,
    paused: false,
    step,
    fallback: null,
    stepsWithoutObservation: 0,
    stepsWithoutPolicy: 0,
    nativeAutoscalers: false,
    budget: [],
  };
}

/**
 * What a control loop carries on after a step, with the switch to the fallback where there is a reason for one.
 *
 * 1. The policy is dismissed at the first step without its answer, at the second in a row without a complete
 *    observation, and at the step in which the error budget is exceeded: the fallback acts within two steps.
 * 2. A switch stays until somebody resumes the policy.
 * 3. The error budget counts from the last resumption, and the last change of the mode, on, over full windows only.
 * 4. In shadow mode only a policy that gives no answer is dismissed: what the services do there, and whether anybody sees
 *    it, is not its doing, and nobody's replicas wait for it.
 */
export function afterStep(state: ControlState, facts: StepFacts, spec: FallbackSpec): ControlState {
  const { errorBudget } = spec;
  const next: ControlState = {
    ...state,
    step: state.step + 1,
    stepsWithoutObservation: facts.observed ? 0 : state.stepsWithoutObservation + 1,
    stepsWithoutPolicy: facts.answered === false ? state.stepsWithoutPolicy + 1 : 0,
    budget: facts.traffic === null ? state.budget : [...state.budget, facts.traffic].slice(-errorBudget.windowSteps),
  };
  const found = state.fallback === null ? reasonOf(next, errorBudget) : null;
  const fallback = found === null ? state.fallback : fallbackOf(found, state.step, facts.at);
  const nativeAutoscalers = spec.controller === 'native' && state.mode === 'live' && fallback !== null;
  return { ...next, fallback, nativeAutoscalers };
}

/** A switch to the fallback. */
export function fallbackOf(
  [reason, detail]: readonly [FallbackReason, string],
  sinceStep: number,
  at: Date,
): FallbackState {
  return { reason, detail, sinceStep, at: at.toISOString() };
}

function reasonOf(
  { mode, stepsWithoutObservation: blind, stepsWithoutPolicy, budget }: ControlState,
  { violationShare, windowSteps }: FallbackSpec['errorBudget'],
): readonly [FallbackReason, string] | null {
  if (stepsWithoutPolicy > 0) return ['policy-unavailable', 'The policy gave no answer.'];
  if (mode === 'shadow') return null;
  if (blind >= stepsWithoutObservation) {
    return ['observations-missing', `${blind} steps in a row had no complete observation.`];
  }
  const share = violationShareOf(budget);
  if (budget.length < windowSteps || share <= violationShare) return null;
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  return [
    'error-budget',
    `${percent(share)} of the requests of the last ${windowSteps} steps violated the SLO; ${percent(violationShare)} are allowed.`,
  ];
}

/** Share of the requests that violated the SLO; 0 without requests. */
export function violationShareOf(budget: ControlState['budget']): number {
  const requests = budget.reduce((sum, step) => sum + step.requests, 0);
  return requests === 0 ? 0 : budget.reduce((sum, step) => sum + step.violations, 0) / requests;
}

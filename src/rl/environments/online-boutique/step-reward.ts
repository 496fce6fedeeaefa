/** What a step of scaling services costs in pods. */
export interface StepPrices {
  /** Price of one percentage point of requests above the SLO, pods. */
  readonly violationPrice: number;
  /** Share of a step's requests above the SLO at which the charge saturates. */
  readonly violationSaturation: number;
  /** Price of changing one service's replicas once, pods over one control step. */
  readonly actionPrice: number;
}

/** What happened in a step, as far as it costs something. */
export interface StepOutcome {
  /** Pods that existed on average. */
  readonly pods: number;
  /** Share of the step's requests above the SLO. */
  readonly violationShare: number;
  /** Requests of the step over the mean of all steps. */
  readonly relativeRequests: number;
  /** Services whose desired replicas changed. */
  readonly actions: number;
}

/** Reward of one pod over one step. */
const REWARD_PER_POD = 0.02;

/** −0.02 · (pods + violationPrice · percentage points + actionPrice · actions); the points saturate within a step. */
export function stepReward(outcome: StepOutcome, prices: StepPrices): number {
  const { violationPrice, violationSaturation, actionPrice } = prices;
  const charged = -violationSaturation * Math.expm1(-outcome.violationShare / violationSaturation);
  const points = 100 * charged * outcome.relativeRequests;
  return -REWARD_PER_POD * (outcome.pods + violationPrice * points + actionPrice * outcome.actions);
}

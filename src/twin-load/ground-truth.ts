import { LatencyMixture } from '../rl/environments/online-boutique/latency-mixture.ts';
import { STEP_SECONDS, SUB_STEP_SECONDS, SUB_STEPS } from '../rl/environments/online-boutique/simulation.ts';
import type { PlayedStep } from './played-application.ts';

/** Steps that are kept: two simulated hours. */
const keptSteps = 480;

/** What happened in a control step of 15 simulated seconds. */
export interface StepTruth {
  /** Its end, simulated seconds since the beginning. */
  readonly endSeconds: number;
  readonly requestsPerSecond: number;
  /** Of the requests that were answered; null without one. */
  readonly p95Seconds: number | null;
  /** Share of the requests that were slower than the SLO or failed, 0 … 1. */
  readonly violationShare: number;
  /** Mean of the pods that there were. */
  readonly pods: number;
}

/** Sums since the beginning. */
export interface Totals {
  requests: number;
  failed: number;
  violations: number;
  podSeconds: number;
}

/** What really happened, for tests and demos to hold against what was measured. */
export class GroundTruth {
  readonly totals: Totals = { requests: 0, failed: 0, violations: 0, podSeconds: 0 };
  readonly #steps: StepTruth[] = [];
  readonly #latencies: LatencyMixture;
  #open: Totals & { subSteps: number } = emptyStep();
  #played = 0;

  /** @param requestTypes of the application. */
  constructor(requestTypes: number) {
    this.#latencies = new LatencyMixture(requestTypes * SUB_STEPS);
  }

  /** Simulated seconds played. */
  get seconds(): number {
    return this.#played * SUB_STEP_SECONDS;
  }

  /** Oldest first. */
  get steps(): readonly StepTruth[] {
    return this.#steps;
  }

  add(step: PlayedStep): void {
    for (const sums of [this.totals, this.#open]) {
      sums.requests += step.requests;
      sums.failed += step.failed;
      sums.violations += step.violations;
      sums.podSeconds += step.podSeconds;
    }
    this.#latencies.append(step.latencies);
    this.#played++;
    if (++this.#open.subSteps === SUB_STEPS) this.#closeStep();
  }

  #closeStep(): void {
    const { requests, violations, podSeconds } = this.#open;
    this.#steps.push({
      endSeconds: this.seconds,
      requestsPerSecond: requests / STEP_SECONDS,
      p95Seconds: this.#latencies.requests > 0 ? this.#latencies.quantile(0.95) : null,
      violationShare: requests > 0 ? violations / requests : 0,
      pods: podSeconds / STEP_SECONDS,
    });
    if (this.#steps.length > keptSteps) this.#steps.shift();
    this.#latencies.clear();
    this.#open = emptyStep();
  }
}

function emptyStep(): Totals & { subSteps: number } {
  return { requests: 0, failed: 0, violations: 0, podSeconds: 0, subSteps: 0 };
}

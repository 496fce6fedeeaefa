import { isFrozen } from './guard-rules.ts';
import type { GuardRules, WorkloadLimits } from './guard-rules.ts';

/** A workload as it stands when the guard decides. */
export interface WorkloadState {
  /** `namespace/name` */
  readonly workload: string;
  /** Replicas that its scale asks for now. */
  readonly replicas: number;
  /** When its replicas were last changed, by whomever; null = never seen. */
  readonly changedAt: Date | null;
  /** Pods that its disruption budgets allow to go now; null = no budget. */
  readonly disruptionsAllowed: number | null;
  /** Who else sets its replicas (an HPA, a ScaledObject, another field manager); null = nobody. */
  readonly owner: string | null;
}

/** What the guard knows at a decision. */
export interface GuardContext {
  readonly at: Date;
  /** Length of a control step. */
  readonly stepSeconds: number;
  /** Control steps since the observation was complete. */
  readonly observationAgeSteps: number;
  readonly workloads: readonly WorkloadState[];
  /** Further pods that the quota of a namespace has room for; a namespace without quota is absent. */
  readonly podsLeft: Readonly<Record<string, number>>;
  /** Pod-hours used in the budget's window so far. */
  readonly podHoursUsed: number;
}

/** What a policy wants. */
export interface ProposedScale {
  readonly workload: string;
  readonly replicas: number;
}

/** Why something was not done, or not as far. */
export type GuardReason =
  | 'not-allowed'
  | 'unknown-workload'
  | 'not-a-number'
  | 'stale-observation'
  | 'frozen'
  | 'owned'
  | 'bounds'
  | 'step-size'
  | 'cool-down'
  | 'disruption-budget'
  | 'quota'
  | 'pod-hours';

/** What the guard lets through for one workload. */
export interface GuardedScale {
  readonly workload: string;
  /** Replicas before; null when the workload is not there. */
  readonly before: number | null;
  readonly proposed: number;
  /** What may be asked for; equal to `before` when nothing may change. */
  readonly permitted: number | null;
  /** In the order in which they took something away; empty when the proposal passed as it was. */
  readonly reasons: readonly { readonly reason: GuardReason; readonly detail: string }[];
}

/**
 * Holds proposals to the rules.
 *
 * 1. A permitted change goes in the direction of the proposal, no further than it, and never beyond bounds, step size,
 *    disruption budgets, quota or pod-hours.
 * 2. Where nothing may change, `permitted` is what there is: the guard never acts by itself, also not on a workload that
 *    stands outside its bounds.
 * 3. Room that several workloads share (quota, pod-hours) is given in the order of the proposals.
 */
export function guardProposals(
  proposals: readonly ProposedScale[],
  rules: GuardRules,
  context: GuardContext,
): GuardedScale[] {
  const shared = new SharedRoom(rules, context);
  return proposals.map((proposal) => {
    const limits = rules.workloads.find(({ workload }) => workload === proposal.workload);
    const state = context.workloads.find(({ workload }) => workload === proposal.workload);
    return new Ruling(proposal, limits, state).decide(rules, context, shared);
  });
}

/** The decision about one workload, rule after rule. */
class Ruling {
  private readonly proposal: ProposedScale;
  private readonly limits: WorkloadLimits | undefined;
  private readonly state: WorkloadState | undefined;
  private readonly reasons: { reason: GuardReason; detail: string }[] = [];
  private target: number;

  constructor(proposal: ProposedScale, limits: WorkloadLimits | undefined, state: WorkloadState | undefined) {
    this.proposal = proposal;
    this.limits = limits;
    this.state = state;
    this.target = state ? proposal.replicas : 0;
  }

  decide(rules: GuardRules, context: GuardContext, shared: SharedRoom): GuardedScale {
    const { limits, state, proposal } = this;
    if (!limits) return this.refused('not-allowed', 'it is not on the allow-list');
    if (!state) return this.refused('unknown-workload', 'it is not there');
    if (!Number.isInteger(proposal.replicas) || proposal.replicas < 0) {
      return this.refused('not-a-number', `${proposal.replicas} is no number of replicas`);
    }
    if (this.target === state.replicas) return this.result();
    const standstill = standstillOf(rules, context, state);
    if (standstill) return this.refused(...standstill);
    this.applyLimits(limits, state, context);
    if (this.target > state.replicas) this.takeShared(shared, state);
    return this.result();
  }

  private applyLimits(limits: WorkloadLimits, state: WorkloadState, { at }: GuardContext): void {
    const { minReplicas, maxReplicas, maxStepUp, maxStepDown, coolDownUpSeconds, coolDownDownSeconds } = limits;
    const { replicas, changedAt, disruptionsAllowed } = state;
    const up = this.target > replicas;
    this.limitTo(
      up ? Math.min(this.target, maxReplicas) : Math.max(this.target, minReplicas),
      'bounds',
      `${minReplicas} … ${maxReplicas} are allowed`,
    );
    this.limitTo(
      up ? Math.min(this.target, replicas + maxStepUp) : Math.max(this.target, replicas - maxStepDown),
      'step-size',
      `${up ? maxStepUp : maxStepDown} at once are allowed`,
    );
    const coolDown = up ? coolDownUpSeconds : coolDownDownSeconds;
    const since = changedAt === null ? Infinity : (at.getTime() - changedAt.getTime()) / 1000;
    if (since < coolDown) {
      this.limitTo(replicas, 'cool-down', `changed ${Math.round(since)} s ago, and ${coolDown} s must pass`);
    }
    if (!up && disruptionsAllowed !== null) {
      const least = replicas - disruptionsAllowed;
      this.limitTo(Math.max(this.target, least), 'disruption-budget', `${disruptionsAllowed} pods may go now`);
    }
  }

  private takeShared(shared: SharedRoom, { workload, replicas }: WorkloadState): void {
    const wanted = this.target - replicas;
    const { granted, reason, detail } = shared.take(workload, wanted);
    this.limitTo(replicas + granted, reason, detail);
  }

  /** Moves the target towards what there is, never past it and never away from it. */
  private limitTo(target: number, reason: GuardReason, detail: string): void {
    const { replicas } = this.state!;
    const up = this.target > replicas;
    const limited = up ? Math.max(replicas, target) : Math.min(replicas, target);
    if (limited === this.target) return;
    this.target = limited;
    this.reasons.push({ reason, detail });
  }

  private refused(reason: GuardReason, detail: string): GuardedScale {
    this.reasons.push({ reason, detail });
    this.target = this.state?.replicas ?? 0;
    return this.result();
  }

  private result(): GuardedScale {
    const before = this.state?.replicas ?? null;
    return {
      workload: this.proposal.workload,
      before,
      proposed: this.proposal.replicas,
      permitted: before === null ? null : this.target,
      reasons: this.reasons,
    };
  }
}

/** Why nothing at all may change for a workload now; null when it may. */
function standstillOf(
  { maxObservationAgeSteps, frozen }: GuardRules,
  { observationAgeSteps, at }: GuardContext,
  { owner }: WorkloadState,
): [GuardReason, string] | null {
  // Written so that an age that is no number counts as too old.
  if (!(observationAgeSteps <= maxObservationAgeSteps)) {
    return [
      'stale-observation',
      `the observation is ${observationAgeSteps} steps old, ${maxObservationAgeSteps} are allowed`,
    ];
  }
  if (isFrozen(frozen, at)) return ['frozen', 'these hours are frozen'];
  if (owner !== null) return ['owned', `${owner} sets its replicas`];
  return null;
}

/** What several workloads draw on. */
class SharedRoom {
  private readonly podsLeft: Map<string, number>;
  private podHourPods: number;

  constructor({ podHours }: GuardRules, { podsLeft, podHoursUsed, stepSeconds, workloads }: GuardContext) {
    this.podsLeft = new Map(Object.entries(podsLeft));
    const running = workloads.reduce((sum, { replicas }) => sum + replicas, 0);
    // Pods that one more step can pay for, beyond those that are there.
    this.podHourPods =
      podHours === null ? Infinity : Math.floor(((podHours.budget - podHoursUsed) * 3600) / stepSeconds) - running;
  }

  take(workload: string, wanted: number): { granted: number; reason: GuardReason; detail: string } {
    const [namespace] = workload.split('/');
    const quota = Math.max(0, this.podsLeft.get(namespace) ?? Infinity);
    const hours = Math.max(0, this.podHourPods);
    const granted = Math.min(wanted, quota, hours);
    this.podHourPods -= granted;
    if (this.podsLeft.has(namespace)) this.podsLeft.set(namespace, quota - granted);
    return quota <= hours
      ? { granted, reason: 'quota', detail: `the quota of ${namespace} has room for ${quota} more pods` }
      : { granted, reason: 'pod-hours', detail: `the pod-hours that are left pay for ${hours} more pods` };
  }
}

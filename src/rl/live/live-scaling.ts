import type { ControlObservation } from '../../contracts/control.ts';
import { createHpa } from '../baselines/hpa.ts';
import type { Hpa, HpaState } from '../baselines/hpa.ts';
import type { Application } from '../environments/online-boutique/application.ts';
import { defaultParameters, parseOnlineBoutiqueParameters } from '../environments/online-boutique/options.ts';
import type { CompleteParameters } from '../environments/online-boutique/options.ts';
import { ScalingDecision } from '../environments/online-boutique/scaling-decision.ts';
import { flawsForHpa, flawsForPolicy, LiveMonitor } from './live-monitor.ts';

/** What a policy is trained for, beside its weights. */
export interface LiveScalingOptions {
  readonly application: Application;
  /** Parameters of the environment, as a spec gives them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** CPU target of the HPA: of the one that actions are relative to, and of the fallback. */
  readonly hpaTargetPercent: number;
}

/** What can be decided on an observation. */
export interface LiveDecision {
  /** The HPA's wish, replicas by service; null when the observation does not allow one. */
  readonly hpaReplicas: readonly number[] | null;
  /** What to ask the policy; null when the observation is not complete. */
  readonly question: { readonly observation: Float32Array; readonly mask: Uint8Array } | null;
  /** Why not; empty when there is a question. */
  readonly flaws: readonly string[];
  /** State for the next step. */
  readonly hpa: HpaState;
  /** Replicas that the policy's answer means. @throws CoxswainError ENVIRONMENT_INVALID for what is no answer. */
  replicasOf(action: ArrayLike<number>): number[];
}

/**
 * Decides on observations of a live cluster as an agent does in its simulation (online-boutique, twin): a pure function
 * of the observation, the moment and the HPA's state, so that a record can be computed again, bit for bit.
 */
export class LiveScaling {
  readonly services: readonly string[];
  /** Bounds of each service's replicas that the policy was trained with. */
  readonly limits: Application['services'];
  readonly sloSeconds: number;
  private readonly parameters: CompleteParameters;

  /** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  constructor({ application, parameters, hpaTargetPercent }: LiveScalingOptions) {
    this.limits = application.services;
    this.services = application.services.map(({ name }) => name);
    this.parameters = { ...defaultParameters, ...parseOnlineBoutiqueParameters(parameters), hpaTargetPercent };
    this.sloSeconds = this.parameters.sloSeconds;
  }

  /**
   * @param atSeconds the moment of the step, seconds since 1970.
   * @param hpaState after the step before; null = none.
   */
  decide(observation: ControlObservation, atSeconds: number, hpaState: HpaState | null): LiveDecision {
    const { parameters } = this;
    const monitor = new LiveMonitor(this.limits);
    const hpa = createHpa({ targetPercent: parameters.hpaTargetPercent });
    if (hpaState !== null) hpa.loadState(hpaState);
    const relative = parameters.actionBase === 'hpa';
    const decision = new ScalingDecision(monitor, parameters, relative ? hpa : null);
    const hpaFlaws = flawsForHpa(observation, this.services);
    if (hpaFlaws.length > 0) return undecided(hpaFlaws, hpa, null);

    monitor.showCluster(observation, atSeconds);
    const flaws = flawsForPolicy(observation, this.services);
    if (flaws.length > 0) return undecided(flaws, hpa, wishOf(hpa, monitor));
    monitor.showMetrics(observation.metrics!);
    decision.prepare();
    return {
      hpaReplicas: relative ? [...decision.base] : wishOf(hpa, monitor),
      question: { observation: decision.observation, mask: decision.mask },
      flaws: [],
      hpa: hpa.saveState(),
      replicasOf: (action) => {
        const replicas = new Int32Array(this.services.length);
        decision.replicasOf(action, replicas);
        return [...replicas];
      },
    };
  }
}

function wishOf(hpa: Hpa, { view }: LiveMonitor): number[] {
  const replicas = new Int32Array(view.services.length);
  hpa.decide(view, replicas);
  return [...replicas];
}

function undecided(flaws: readonly string[], hpa: Hpa, hpaReplicas: number[] | null): LiveDecision {
  return {
    hpaReplicas,
    question: null,
    flaws,
    hpa: hpa.saveState(),
    replicasOf: () => {
      throw new Error('There was no question.');
    },
  };
}

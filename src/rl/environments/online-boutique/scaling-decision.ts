import { CoxswainError } from '../../../contracts/errors.ts';
import type { ClusterView } from '../../baselines/controller.ts';
import type { Hpa, HpaState } from '../../baselines/hpa.ts';
import { observationSize, writeObservation } from './boutique-observation.ts';
import type { ObservationInput } from './boutique-observation.ts';
import type { MetricsHistory } from './metrics-history.ts';
import { changeOf, CHOICES, maskService } from './replica-actions.ts';
import type { CompleteParameters } from './options.ts';

/** What is known at the moment of a decision, of a simulation or of a live cluster. Its arrays change under it. */
export interface DecisionSource {
  readonly view: ClusterView;
  readonly history: MetricsHistory;
  /** Pods of each service that are not ready yet. */
  readonly startingPods: Int32Array;
  /** CPU of all pods of a service that were ready, as old as the metrics are, millicores. */
  cpuUsage(service: number): number;
}

/** The parameters of an environment that its decisions depend on. */
export type DecisionParameters = Pick<
  CompleteParameters,
  'sloSeconds' | 'maxChange' | 'maxTargetRatio' | 'minTargetRatio' | 'hpaTargetPercent'
>;

/**
 * How services are scaled by an agent: what it observes, what its choices are added to, which of them are allowed, and
 * what they mean. The same for the simulation that it learns in and for the cluster that it steers.
 */
export class ScalingDecision {
  readonly observation: Float32Array;
  readonly mask: Uint8Array;
  /** Replicas that an action's changes are added to. */
  readonly base: Int32Array;
  private readonly source: DecisionSource;
  private readonly parameters: DecisionParameters;
  private readonly hpa: Hpa | null;
  /** Replicas that an action may lead to. */
  private readonly low: Int32Array;
  private readonly high: Int32Array;
  private readonly input: ObservationInput;

  /** @param hpa whose proposals actions are relative to; null = relative to the desired replicas of the moment. */
  constructor(source: DecisionSource, parameters: DecisionParameters, hpa: Hpa | null) {
    const { length } = source.view.services;
    this.source = source;
    this.parameters = parameters;
    this.hpa = hpa;
    this.observation = new Float32Array(observationSize(length));
    this.mask = new Uint8Array(length * CHOICES);
    this.base = new Int32Array(length);
    this.low = new Int32Array(length);
    this.high = new Int32Array(length);
    const { view, history, startingPods } = source;
    this.input = { view, history, sloSeconds: parameters.sloSeconds, startingPods, base: this.base };
  }

  /** Forgets what the HPA has seen. */
  reset(): void {
    this.hpa?.reset();
  }

  /** Brings base, observation and mask up to the source's moment. Once a control step: the HPA counts its calls. */
  prepare(): void {
    if (this.hpa === null) this.base.set(this.source.view.desiredReplicas);
    else this.hpa.decide(this.source.view, this.base);
    this.observe();
  }

  /** Writes the replicas that an action means. @throws CoxswainError ENVIRONMENT_INVALID for a choice that there is not. */
  replicasOf(action: ArrayLike<number>, replicas: Int32Array): void {
    for (let s = 0; s < this.base.length; s++) {
      const wanted = this.base[s] + changeChosen(action, s);
      replicas[s] = Math.max(this.low[s], Math.min(this.high[s], wanted));
    }
  }

  saveHpa(): HpaState | null {
    return this.hpa === null ? null : this.hpa.saveState();
  }

  /** Goes on from a saved state; the source has been brought to its moment before. */
  load(hpa: HpaState | null, base: ArrayLike<number>): void {
    if (hpa !== null) this.hpa?.loadState(hpa);
    this.base.set(base);
    this.observe();
  }

  private observe(): void {
    writeObservation(this.input, this.observation);
    for (let s = 0; s < this.base.length; s++) {
      this.boundReplicas(s);
      maskService(this.mask, s, this.base[s], this.low[s], this.high[s]);
    }
  }

  /** The replicas that an action may lead to; what the base itself proposes always is among them. */
  private boundReplicas(s: number): void {
    const { maxChange, maxTargetRatio, minTargetRatio, hpaTargetPercent } = this.parameters;
    const { view } = this.source;
    const base = this.base[s];
    const load = (100 * this.source.cpuUsage(s)) / (view.cpuRequestMillicores[s] * hpaTargetPercent);
    let low = Math.max(view.minReplicas[s], base - maxChange);
    let high = Math.min(view.maxReplicas[s], base + maxChange);
    if (maxTargetRatio > 0) low = Math.max(low, Math.ceil(load / maxTargetRatio));
    if (minTargetRatio > 0) high = Math.min(high, Math.ceil(load / minTargetRatio));
    this.low[s] = Math.min(base, low);
    this.high[s] = Math.max(base, high);
  }
}

function changeChosen(action: ArrayLike<number>, s: number): number {
  const choice = action[s];
  if (choice >= 0 && choice < CHOICES && Number.isInteger(choice)) return changeOf(choice);
  throw new CoxswainError('ENVIRONMENT_INVALID', `online-boutique: action ${s} must be 0 … 14, not ${choice}.`);
}

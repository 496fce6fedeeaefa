import { graphParts } from '../../graph-layout.ts';
import type { GraphParts } from '../../graph-layout.ts';
import { changeOf, CHOICES, maskService } from '../online-boutique/replica-actions.ts';
import { choiceAt } from '../step-checks.ts';
import { graphLayout } from './description.ts';
import { writeGraphObservation } from './graph-observation.ts';
import type { GraphObservationInput } from './graph-observation.ts';
import type { CompleteParameters } from './options.ts';

/** What is known at the moment of a decision, of a simulated graph or of a live one. Its arrays change under it. */
export interface GraphDecisionSource extends GraphObservationInput {
  /** 1 where the replicas of a slot may be changed. */
  readonly scalable: Uint8Array;
}

/** The parameters of an environment that its decisions depend on. */
export type GraphDecisionParameters = Pick<CompleteParameters, 'nodes' | 'maxChange' | 'podQuota'>;

/**
 * How a graph's services are scaled by an agent: what it observes, which choices are allowed, and what they mean. The same
 * for the simulation that it learns in and for the cluster that it steers.
 */
export class GraphDecision {
  readonly observation: Float32Array;
  readonly mask: Uint8Array;
  private readonly source: GraphDecisionSource;
  private readonly parameters: GraphDecisionParameters;
  private readonly parts: GraphParts;
  private readonly wanted: Int32Array;

  constructor(source: GraphDecisionSource, parameters: GraphDecisionParameters) {
    this.source = source;
    this.parameters = parameters;
    this.parts = graphParts(graphLayout(parameters.nodes));
    this.observation = new Float32Array(this.parts.size);
    this.mask = new Uint8Array(parameters.nodes * CHOICES);
    this.wanted = new Int32Array(parameters.nodes);
  }

  /** Brings observation and mask up to the source's moment. @param dayShare time of day, 0 … 1. */
  prepare(dayShare: number): void {
    const { source, parameters } = this;
    writeGraphObservation(source, this.parts, dayShare, this.observation);
    const { desiredReplicas, minReplicas, maxReplicas } = source.view;
    const { maxChange } = parameters;
    let free = parameters.podQuota;
    for (let slot = 0; slot < desiredReplicas.length; slot++) free -= desiredReplicas[slot];
    const growth = Math.min(maxChange, Math.max(0, free));
    for (let slot = 0; slot < desiredReplicas.length; slot++) {
      const base = desiredReplicas[slot];
      if (source.scalable[slot] === 0) maskService(this.mask, slot, base, base, base);
      else {
        const low = Math.max(minReplicas[slot], base - maxChange);
        maskService(this.mask, slot, base, low, Math.min(maxReplicas[slot], base + growth));
      }
    }
  }

  /** Writes the replicas that an action means. @throws CoxswainError ENVIRONMENT_INVALID for a choice that there is not. */
  replicasOf(action: ArrayLike<number>, replicas: Int32Array): void {
    const { desiredReplicas } = this.source.view;
    const { maxChange } = this.parameters;
    for (let slot = 0; slot < this.wanted.length; slot++) {
      const change = changeOf(choiceAt('service-graph', action, slot, CHOICES));
      this.wanted[slot] = desiredReplicas[slot] + Math.max(-maxChange, Math.min(maxChange, change));
    }
    this.permit(this.wanted, replicas);
  }

  /**
   * Writes what of wanted replicas is done, within the limits of each service: first what shrinks, then what grows, slot by
   * slot while the quota lasts.
   */
  permit(wanted: ArrayLike<number>, replicas: Int32Array): void {
    const { view, scalable } = this.source;
    const { desiredReplicas } = view;
    let free = this.parameters.podQuota;
    for (let slot = 0; slot < desiredReplicas.length; slot++) {
      const shrinks = scalable[slot] === 1 && wanted[slot] < desiredReplicas[slot];
      replicas[slot] = shrinks ? this.within(slot, wanted[slot]) : desiredReplicas[slot];
      free -= replicas[slot];
    }
    free = Math.max(0, free);
    for (let slot = 0; slot < desiredReplicas.length; slot++) {
      const base = desiredReplicas[slot];
      if (scalable[slot] === 0 || wanted[slot] <= base) continue;
      replicas[slot] = this.within(slot, Math.min(wanted[slot], base + free));
      free -= replicas[slot] - base;
    }
  }

  /** Within the limits of a slot's service, and what there is outside of them. */
  private within(slot: number, replicas: number): number {
    const { desiredReplicas, minReplicas, maxReplicas } = this.source.view;
    const base = desiredReplicas[slot];
    const high = Math.max(base, maxReplicas[slot]);
    return Math.min(high, Math.max(Math.min(base, minReplicas[slot]), Math.round(replicas)));
  }
}

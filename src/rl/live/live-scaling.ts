import type { ControlObservation, SlotMemory } from '../../contracts/control.ts';
import type { HpaState } from '../baselines/hpa.ts';
import { everyService } from '../environments/service-graph/graph-application.ts';
import type { SteeredApplication } from '../twin/application-of.ts';
import { GraphScaling } from './graph-scaling.ts';
import { ServiceScaling } from './service-scaling.ts';

/** What a policy is trained for, beside its weights. */
export interface LiveScalingOptions {
  /** The environment and its parameters, as a spec gives them. */
  readonly environment: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> };
  readonly application: SteeredApplication;
  /** CPU target of the HPA: of the one that actions are relative to, and of the fallback. */
  readonly hpaTargetPercent: number;
}

/** What is carried from step to step. Plain JSON. */
export interface LiveMemory {
  readonly hpa: HpaState | null;
  /** Of policies on graphs. */
  readonly slots?: SlotMemory;
}

/** What can be decided on an observation. */
export interface LiveDecision {
  /** The HPA's wish, replicas by service; null when the observation does not allow one. */
  readonly hpaReplicas: readonly (number | null)[] | null;
  /** What to ask the policy; null when the observation is not complete. */
  readonly question: { readonly observation: Float32Array; readonly mask: Uint8Array } | null;
  /** Why not; empty when there is a question. */
  readonly flaws: readonly string[];
  /** What people should know all the same, a sentence each. */
  readonly notes: readonly string[];
  /** For the next step. */
  readonly memory: LiveMemory & { readonly hpa: HpaState };
  /** Replicas that the policy's answer means, by service. @throws CoxswainError ENVIRONMENT_INVALID for what is no answer. */
  replicasOf(action: ArrayLike<number>): (number | null)[];
}

/**
 * Decides on observations of a live cluster as an agent does in its simulation: a pure function of the observation, the
 * moment and what is remembered, so that a record can be computed again, bit for bit.
 */
export interface LiveScaling {
  readonly sloSeconds: number;
  /** Steps of request rate that it looks at, the newest included. */
  readonly rateSteps: number;
  /** Whether it looks at the calls between services. */
  readonly seesCalls: boolean;
  /**
   * @param atSeconds the moment of the step, seconds since 1970.
   * @param memory after the step before; null = none.
   */
  decide(observation: ControlObservation, atSeconds: number, memory: LiveMemory | null): LiveDecision;
}

/** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
export function createLiveScaling(options: LiveScalingOptions): LiveScaling {
  const { application } = options;
  return 'features' in application
    ? new GraphScaling({ ...options, graph: application })
    : new ServiceScaling({ ...options, application });
}

/** A service that a policy steers, with the bounds of its replicas that it was trained with. */
export interface SteeredService {
  readonly name: string;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Whether it may be missing at times. */
  readonly comesAndGoes: boolean;
}

/** The services of an application, in the order in which observations and decisions have them. */
export function steeredServices(application: SteeredApplication): SteeredService[] {
  const always = application.services.length;
  const services = 'features' in application ? everyService(application) : application.services;
  return services.map(({ name, minReplicas, maxReplicas }, place) => ({
    ...{ name, minReplicas, maxReplicas },
    comesAndGoes: place >= always,
  }));
}

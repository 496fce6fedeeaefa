import type { GraphService } from './graph-application.ts';

/**
 * `starting`: its pods start, nobody calls it. `serving`: it gets its share of the calls. `draining`: nobody calls it any
 * more, it finishes what it has.
 */
export type Phase = 'starting' | 'serving' | 'draining';

/** A version of a service in its slot, as JSON. */
export interface InstanceState {
  readonly slot: number;
  readonly identity: number;
  /** The service that the calls name. */
  readonly base: string;
  /** Counts from 1. */
  readonly version: number;
  /** What the service time is multiplied by. */
  readonly slowness: number;
  readonly sidecar: boolean;
  /** The feature that it belongs to; null for a service that is always there. */
  readonly feature: string | null;
  readonly phase: Phase;
  /** Share of the calls to the service that this version gets. */
  readonly share: number;
  /** Steps until its share changes; 0 unless it is a version on trial. */
  readonly stepsLeft: number;
}

/** A version of a service in its slot. */
export interface Instance extends InstanceState {
  readonly service: GraphService;
}

/** The version of `base` that this state describes, under its own name. */
export function instantiate(state: InstanceState, base: GraphService): Instance {
  const name = state.version === 1 ? base.name : `${base.name}-v${state.version}`;
  // A service's network time includes two proxies; without a sidecar there is at most one.
  const networkSeconds = state.sidecar || !base.sidecar ? base.networkSeconds : base.networkSeconds / 2;
  const serviceSeconds = base.serviceSeconds * state.slowness;
  return { ...state, service: { ...base, name, networkSeconds, serviceSeconds, sidecar: state.sidecar } };
}

/** The part of an instance that JSON keeps. */
export function savedInstance({ service: _service, ...state }: Instance): InstanceState {
  return state;
}

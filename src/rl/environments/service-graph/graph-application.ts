import type { CallParameters, RequestParameters, ServiceParameters } from '../online-boutique/application.ts';

/** A service of a changing application. */
export interface GraphService extends ServiceParameters {
  /** Memory limit of a pod, mebibytes. */
  readonly memoryLimitMebibytes: number;
  /** Memory of a pod without calls, mebibytes. */
  readonly memoryIdleMebibytes: number;
  /** Further memory of each call at a pod, waiting or being served, mebibytes. */
  readonly memoryPerCallMebibytes: number;
  /** Whether its pods have a mesh sidecar. A call is under mutual TLS when both of its ends have one. */
  readonly sidecar: boolean;
  /** Whether new versions of it are tried on a part of the traffic. */
  readonly canaries: boolean;
}

/** Something that the application offers at times: further services, and the calls that lead to them. */
export interface Feature {
  readonly name: string;
  readonly services: readonly GraphService[];
  readonly calls: readonly FeatureCall[];
  /** Hours of the day between which it is offered, 0 … 24; absent: it comes and goes at any time. */
  readonly hours?: readonly [from: number, to: number];
}

/** A call that `caller` makes in these types of requests, after its others. */
export interface FeatureCall {
  readonly requests: readonly string[];
  readonly caller: string;
  readonly call: CallParameters;
}

/** An application whose services come and go. Pure data. */
export interface GraphApplication {
  /** Services that are always there. */
  readonly services: readonly GraphService[];
  /** Requests and their calls to those. */
  readonly requests: readonly RequestParameters[];
  readonly features: readonly Feature[];
}

/** Every service that may ever be there. */
export function everyService({ services, features }: GraphApplication): GraphService[] {
  return [...services, ...features.flatMap((feature) => feature.services)];
}

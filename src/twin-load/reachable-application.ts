import type { Application, CallParameters } from '../rl/environments/online-boutique/application.ts';

/** An application of which some services cannot be reached, and what that does to its calls. */
export interface ReachableApplication {
  /** The calls that are still made, each by the share of requests that get so far. */
  readonly application: Application;
  /** One a stage of the topology of `application`, in its order. */
  readonly fates: readonly CallFate[];
  /** One a request type: nobody answers users at all. */
  readonly unreachable: readonly boolean[];
}

/** What becomes of a call that reaches its service. */
export interface CallFate {
  /** Share that fails, because the call makes one that fails. */
  readonly failedShare: number;
  /** Calls that it makes to services that cannot be reached, by service. */
  readonly refused: ReadonlyMap<string, number>;
}

/**
 * Leaves services without pods out: a call to one is refused at once, who made it makes no further calls and fails, and
 * so do all above it.
 */
export function reachableApplication(application: Application, missing: ReadonlySet<string>): ReachableApplication {
  const fates: CallFate[] = [];
  const unreachable: boolean[] = [];
  const requests = application.requests.map((request) => {
    const isMissing = missing.has(request.call.service);
    // The first call stays in its place, so that the types keep their stages; no request is sent to it.
    const cut = isMissing ? deadEnd(request.call) : cutCall(request.call, missing);
    fates.push(...cut.fates);
    unreachable.push(isMissing);
    return { ...request, call: cut.call };
  });
  return { application: { services: application.services, requests }, fates, unreachable };
}

interface CutCall {
  readonly call: CallParameters;
  /** Its own and those of the calls within, in the order of the stages. */
  readonly fates: readonly CallFate[];
}

function cutCall({ service, calls = [] }: CallParameters, missing: ReadonlySet<string>): CutCall {
  const refused = new Map<string, number>();
  const inner: CallParameters[] = [];
  const fates: CallFate[] = [];
  // Share of the calls that have not failed so far.
  let going = 1;
  for (const call of calls) {
    for (let time = 0; time < (call.times ?? 1) && going > 0; time++) {
      const made = going * (call.share ?? 1);
      if (missing.has(call.service)) {
        refused.set(call.service, (refused.get(call.service) ?? 0) + made);
        going -= made;
        continue;
      }
      const cut = cutCall(call, missing);
      inner.push({ ...cut.call, share: made });
      fates.push(...cut.fates);
      going -= made * cut.fates[0].failedShare;
    }
  }
  return { call: { service, calls: inner }, fates: [{ failedShare: 1 - going, refused }, ...fates] };
}

function deadEnd({ service }: CallParameters): CutCall {
  return { call: { service }, fates: [{ failedShare: 1, refused: new Map() }] };
}

import type { Application, CallParameters, ServiceParameters } from '../online-boutique/application.ts';
import type { GraphApplication } from './graph-application.ts';
import type { Instance } from './instance.ts';

/** What an empty slot holds: a service that never has pods and that nobody calls. */
export const emptySlot: ServiceParameters = {
  name: '',
  serversPerPod: 1,
  serviceSeconds: 1,
  serviceScv: 0,
  networkSeconds: 0,
  startupSeconds: 0,
  terminationSeconds: 0,
  cpuRequestMillicores: 1,
  cpuIdleMillicores: 0,
  cpuBusyMillicores: 0,
  minReplicas: 0,
  maxReplicas: 0,
};

/**
 * The application as it is now: the services slot by slot, and the call trees over the versions that serve or drain. A
 * call to a service becomes one call to each of its versions, with their shares.
 */
export function currentRoutes(
  application: GraphApplication,
  slots: number,
  instances: readonly Instance[],
): Application {
  const services = Array.from({ length: slots }, () => emptySlot);
  for (const { slot, service } of instances) services[slot] = service;
  const versions = versionsByBase(instances);
  const added = featureCalls(application, versions);
  const requests = application.requests.map((request) => {
    const route = (call: CallParameters, calls: CallParameters[]): CallParameters[] => {
      const inner: CallParameters[] = [];
      for (const each of call.calls ?? []) route(each, inner);
      for (const each of added.get(`${request.name} ${call.service}`) ?? []) route(each, inner);
      for (const { service, share } of versions.get(call.service) ?? []) {
        calls.push({ service: service.name, times: call.times, share: (call.share ?? 1) * share, calls: inner });
      }
      return calls;
    };
    return { ...request, call: route(request.call, [])[0] };
  });
  return { services, requests };
}

/** Of each service the versions that get calls or still have some. */
function versionsByBase(instances: readonly Instance[]): ReadonlyMap<string, readonly Instance[]> {
  const versions = new Map<string, Instance[]>();
  for (const instance of instances) {
    if (instance.phase === 'starting') continue;
    const others = versions.get(instance.base);
    if (others) others.push(instance);
    else versions.set(instance.base, [instance]);
  }
  return versions;
}

/** The calls that features add, by request and caller. */
function featureCalls(
  { features }: GraphApplication,
  versions: ReadonlyMap<string, readonly Instance[]>,
): ReadonlyMap<string, readonly CallParameters[]> {
  const added = new Map<string, CallParameters[]>();
  for (const { services, calls } of features) {
    if (!services.every(({ name }) => versions.has(name))) continue;
    for (const { requests, caller, call } of calls) {
      for (const request of requests) {
        const key = `${request} ${caller}`;
        added.set(key, [...(added.get(key) ?? []), call]);
      }
    }
  }
  return added;
}

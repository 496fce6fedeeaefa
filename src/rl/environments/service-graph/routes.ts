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
  const requests = application.requests.map((request) => {
    const route = (call: CallParameters): CallParameters[] => {
      const added = featureCalls(application, instances, request.name, call.service);
      const calls = [...(call.calls ?? []), ...added].flatMap(route);
      return versionsOf(instances, call.service).map((version) => ({
        service: version.service.name,
        times: call.times,
        share: (call.share ?? 1) * version.share,
        calls,
      }));
    };
    return { ...request, call: route(request.call)[0] };
  });
  return { services, requests };
}

/** Versions that get calls or still have some. */
function versionsOf(instances: readonly Instance[], base: string): Instance[] {
  return instances.filter((instance) => instance.base === base && instance.phase !== 'starting');
}

function featureCalls(
  application: GraphApplication,
  instances: readonly Instance[],
  request: string,
  caller: string,
): CallParameters[] {
  const routed = application.features.filter(({ services }) =>
    services.every(({ name }) => versionsOf(instances, name).length > 0),
  );
  return routed
    .flatMap((feature) => feature.calls)
    .filter((call) => call.caller === caller && call.requests.includes(request))
    .map(({ call }) => call);
}

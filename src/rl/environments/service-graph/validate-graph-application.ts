import { CoxswainError } from '../../../contracts/errors.ts';
import type { CallParameters } from '../online-boutique/application.ts';
import { validateApplication } from '../online-boutique/validate-application.ts';
import { everyService } from './graph-application.ts';
import type { Feature, FeatureCall, GraphApplication, GraphService } from './graph-application.ts';

/**
 * Checks an application whose services come and go, and gives it back.
 * @param slots for services.
 * @throws CoxswainError ENVIRONMENT_INVALID naming what is wrong.
 */
export function validateGraphApplication(application: GraphApplication, slots: number): GraphApplication {
  const { services, requests, features } = application;
  validateApplication({ services, requests });
  if (services.length > slots) {
    throw invalid(`${services.length} services are always there, but there are only ${slots} nodes`);
  }
  const every = everyService(application);
  const asRequest = ({ call }: FeatureCall, index: number) => ({ name: `feature call ${index}`, weight: 1, call });
  validateApplication({
    services: every,
    requests: [...requests, ...features.flatMap((feature) => feature.calls).map(asRequest)],
  });
  every.forEach(validateMemory);
  for (const { name, call } of requests) {
    const entry = services.find((service) => service.name === call.service);
    if (entry?.canaries !== false) throw invalid(`request "${name}": users call one version of "${call.service}" only`);
  }
  for (const feature of features) validateFeature(feature, application);
  for (const { name } of every) refuseCycles(features, name, []);
  return application;
}

function validateMemory(service: GraphService): void {
  const { name, memoryIdleMebibytes, memoryLimitMebibytes, memoryPerCallMebibytes } = service;
  if (!(memoryLimitMebibytes > 0 && memoryIdleMebibytes >= 0 && memoryIdleMebibytes <= memoryLimitMebibytes)) {
    throw invalid(`service "${name}": memory must satisfy 0 ≤ idle ≤ limit and limit > 0`);
  }
  if (!(memoryPerCallMebibytes >= 0)) throw invalid(`service "${name}": memoryPerCallMebibytes must be ≥ 0`);
}

function validateFeature({ name, services, calls, hours }: Feature, application: GraphApplication): void {
  if (services.length === 0) throw invalid(`feature "${name}" needs at least one service`);
  if (hours && !(hours[0] >= 0 && hours[0] < hours[1] && hours[1] <= 24)) {
    throw invalid(`feature "${name}": hours must rise within 0 … 24, not ${hours.join(' … ')}`);
  }
  const types = application.requests.map((request) => request.name);
  for (const { requests, caller } of calls) {
    const unknown = requests.find((type) => !types.includes(type));
    if (unknown !== undefined) throw invalid(`feature "${name}" extends the unknown request "${unknown}"`);
    if (!everyService(application).some((service) => service.name === caller)) {
      throw invalid(`feature "${name}": the caller "${caller}" is unknown`);
    }
  }
}

/** Features' calls are added to whatever a service calls, so a service must not get to itself through them. */
function refuseCycles(features: readonly Feature[], caller: string, above: readonly string[]): void {
  if (above.includes(caller)) throw invalid(`calls of features go round: ${[...above, caller].join(' → ')}`);
  const calls = features.flatMap((feature) => feature.calls).filter((each) => each.caller === caller);
  for (const called of new Set(calls.flatMap(({ call }) => calledBy(call)))) {
    refuseCycles(features, called, [...above, caller]);
  }
}

function calledBy({ service, calls = [] }: CallParameters): string[] {
  return [service, ...calls.flatMap(calledBy)];
}

function invalid(message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `application: ${message}.`);
}

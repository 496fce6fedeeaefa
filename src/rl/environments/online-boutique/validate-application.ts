import { CoxswainError } from '../../../contracts/errors.ts';
import type { Application, CallParameters, ServiceParameters } from './application.ts';

type NumberName = Exclude<keyof ServiceParameters, 'name'>;

/** Lowest and highest value of each number, and whether it must be whole. */
const limits: Readonly<Record<NumberName, readonly [low: number, high: number, whole: boolean]>> = {
  serversPerPod: [1, 1000, true],
  serviceSeconds: [1e-6, 60, false],
  serviceScv: [0, 100, false],
  networkSeconds: [0, 60, false],
  startupSeconds: [0, 600, false],
  terminationSeconds: [0, 600, false],
  cpuRequestMillicores: [1, 1e6, false],
  cpuIdleMillicores: [0, 1e6, false],
  cpuBusyMillicores: [0, 1e6, false],
  minReplicas: [1, 10_000, true],
  maxReplicas: [1, 10_000, true],
};

/**
 * Checks an application and gives it back.
 * @throws CoxswainError ENVIRONMENT_INVALID naming the service or request, the value and what is allowed.
 */
export function validateApplication(application: Application): Application {
  if (application.services.length === 0) throw invalid('an application needs at least one service');
  const names = new Set<string>();
  for (const service of application.services) {
    if (names.has(service.name)) throw invalid(`two services are called "${service.name}"`);
    names.add(service.name);
    validateService(service);
  }
  const totalWeight = application.requests.reduce((sum, request) => sum + request.weight, 0);
  if (!(totalWeight > 0)) throw invalid('the weights of the requests must sum to more than 0');
  for (const { name, weight, call } of application.requests) {
    if (!(weight >= 0)) throw invalid(`request "${name}": weight must be ≥ 0, not ${weight}`);
    validateCall(name, call, names);
  }
  return application;
}

function validateService(service: ServiceParameters): void {
  for (const [name, [low, high, whole]] of Object.entries(limits)) {
    const value = service[name as NumberName];
    if (value >= low && value <= high && (!whole || Number.isInteger(value))) continue;
    const kind = whole ? 'a whole number' : 'a number';
    throw invalid(`service "${service.name}": ${name} must be ${kind} from ${low} to ${high}, not ${value}`);
  }
  if (service.minReplicas > service.maxReplicas) {
    throw invalid(`service "${service.name}": minReplicas ${service.minReplicas} is above its maxReplicas`);
  }
}

function validateCall(request: string, call: CallParameters, names: ReadonlySet<string>): void {
  if (!names.has(call.service)) throw invalid(`request "${request}" calls the unknown service "${call.service}"`);
  const times = call.times ?? 1;
  if (!Number.isInteger(times) || times < 1 || times > 1000) {
    throw invalid(
      `request "${request}": times of "${call.service}" must be a whole number from 1 to 1000, not ${times}`,
    );
  }
  const share = call.share ?? 1;
  if (!(share >= 0 && share <= 1)) {
    throw invalid(`request "${request}": share of "${call.service}" must be a number from 0 to 1, not ${share}`);
  }
  for (const inner of call.calls ?? []) validateCall(request, inner, names);
}

function invalid(message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `application: ${message}.`);
}

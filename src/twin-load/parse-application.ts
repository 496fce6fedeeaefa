import { CoxswainError } from '../contracts/errors.ts';
import type { Application } from '../rl/environments/online-boutique/application.ts';
import { validateApplication } from '../rl/environments/online-boutique/validate-application.ts';

/** Deepest call tree: bounds the recursion over what somebody wrote. */
const maxDepth = 30;

/**
 * The application in a JSON text, checked. A fitted twin, whose field `application` holds it, is taken as well.
 * @param label of the file, for messages.
 * @throws CoxswainError ENVIRONMENT_INVALID naming what is wrong.
 */
export function parseApplication(text: string, label: string): Application {
  const value = parsed(text, label);
  const given = isRecord(value) && isRecord(value.application) ? value.application : value;
  if (!isRecord(given)) throw invalid(label, 'found no JSON object; expected one with services and requests');
  const { services, requests } = given;
  if (!Array.isArray(services) || !services.every(isNamed)) {
    throw invalid(label, 'services must be a list of objects, each with a name');
  }
  const isRequest = (request: unknown): boolean => isNamed(request) && isCall(request.call, maxDepth);
  if (!Array.isArray(requests) || !requests.every(isRequest)) {
    throw invalid(
      label,
      'requests must be a list of objects, each with a name and a call: {service, times?, share?, calls?}',
    );
  }
  return validateApplication({ services, requests } as unknown as Application);
}

function parsed(text: string, label: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid(label, 'it is not JSON');
  }
}

function isCall(value: unknown, depth: number): boolean {
  if (!isRecord(value) || typeof value.service !== 'string' || depth === 0) return false;
  const { calls = [] } = value;
  return Array.isArray(calls) && calls.every((call) => isCall(call, depth - 1));
}

function isNamed(value: unknown): value is Record<string, unknown> & { name: string } {
  return isRecord(value) && typeof value.name === 'string' && value.name !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(label: string, problem: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `application ${label}: ${problem}.`);
}

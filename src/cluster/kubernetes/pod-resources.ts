import type { ApiPodSpec, ApiResources } from './api-objects.ts';
import { millicores, wholeNumber } from './quantity.ts';

/** What one pod asks for and may use; null = none is set. */
export interface PodResources {
  readonly cpuRequestMillicores: number | null;
  readonly cpuLimitMillicores: number | null;
  readonly memoryRequestBytes: number | null;
  readonly memoryLimitBytes: number | null;
}

/**
 * Requests and limits of a pod of this template: sums over its containers and over the init containers that run beside
 * them. What is set for the pod as a whole counts instead. Where there is a limit and no request, it is the request.
 */
export function podResources(spec: ApiPodSpec): PodResources {
  const parts = [
    ...spec.containers,
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ].map(({ resources }) => resources ?? {});
  const whole = spec.resources ?? {};
  const request = (resource: Resource) =>
    amountOf(resource, whole.requests?.[resource]) ??
    sumOf(resource, parts, ({ requests, limits }) => requests?.[resource] ?? limits?.[resource]) ??
    amountOf(resource, whole.limits?.[resource]);
  const limit = (resource: Resource) =>
    amountOf(resource, whole.limits?.[resource]) ?? sumOf(resource, parts, ({ limits }) => limits?.[resource]);
  return {
    cpuRequestMillicores: request('cpu'),
    cpuLimitMillicores: limit('cpu'),
    memoryRequestBytes: request('memory'),
    memoryLimitBytes: limit('memory'),
  };
}

type Resource = 'cpu' | 'memory';
type Quantity = string | number | undefined;

function sumOf(
  resource: Resource,
  parts: readonly ApiResources[],
  quantityOf: (part: ApiResources) => Quantity,
): number | null {
  const amounts = parts.map((part) => amountOf(resource, quantityOf(part))).filter((amount) => amount !== null);
  return amounts.length === 0 ? null : amounts.reduce((total, amount) => total + amount, 0);
}

function amountOf(resource: Resource, quantity: Quantity): number | null {
  if (quantity === undefined) return null;
  return resource === 'cpu' ? millicores(quantity) : wholeNumber(quantity);
}

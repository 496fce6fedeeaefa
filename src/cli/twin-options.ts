import type { WorkloadName } from '../contracts/cluster.ts';
import type { FlashCrowd } from '../twin-load/load.ts';
import { maxCrowdMinutes, maxCrowdPeak } from '../twin-load/control-routes.ts';
import { usageError } from './exit-codes.ts';

/**
 * A flash crowd such as `peak=3,at=120,minutes=5`.
 * @throws CoxswainError REQUEST_INVALID
 */
export function flashCrowdOption(text: string): FlashCrowd {
  const form = `peak=3,at=120,minutes=5: a peak from 1 to ${maxCrowdPeak}, the second at which it begins, and up to ${maxCrowdMinutes} minutes`;
  const wrong = (): Error => usageError(`--flash-crowd: found ${text}; allowed: ${form}`);
  const values = new Map(text.split(',').map((part) => part.split('=', 2) as [string, string]));
  if (values.size !== 3) throw wrong();
  const number = (name: string, low: number, high: number): number => {
    const value = values.get(name)?.trim() ?? '';
    if (value === '' || !(Number(value) >= low && Number(value) <= high)) throw wrong();
    return Number(value);
  };
  return {
    peak: number('peak', 1, maxCrowdPeak),
    atSeconds: number('at', 0, 1e9),
    minutes: number('minutes', 0.1, maxCrowdMinutes),
  };
}

/** A gateway such as `istio-system/istio-ingressgateway`. @throws CoxswainError REQUEST_INVALID */
export function ingressOption(text: WorkloadName): { readonly namespace: string; readonly name: string } {
  const match = /^([a-z0-9.-]+)\/([a-z0-9.-]+)$/.exec(text);
  if (match) return { namespace: match[1], name: match[2] };
  throw usageError(`--ingress: found ${text}; allowed: namespace/name, for example istio-system/istio-ingressgateway`);
}

/** Simulated seconds a second; at the highest a step takes 83 ms. */
export const speedOption = numberOption('--speed', 0.1, 60);

/** A number within limits, for commander. @throws CoxswainError REQUEST_INVALID */
export function numberOption(option: string, low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= low && value <= high) return value;
    throw usageError(`${option}: found ${text}; allowed: a number from ${low} to ${high}`);
  };
}

import { CoxswainError } from '../contracts/errors.ts';

/** Where compiled programs run: `cpu`, `cuda` (the first card) or `cuda:n`. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`;

/** A device name taken apart. */
export type Device = { readonly kind: 'cpu' } | { readonly kind: 'cuda'; readonly index: number };

/** @throws CoxswainError DEVICE_UNAVAILABLE when `name` is no device name. */
export function parseDevice(name: string): Device {
  if (name === 'cpu') return { kind: 'cpu' };
  const match = /^cuda(?::(\d+))?$/.exec(name);
  if (match) return { kind: 'cuda', index: Number(match[1] ?? 0) };
  throw new CoxswainError(
    'DEVICE_UNAVAILABLE',
    `Device "${name}" is not known; allowed are cpu, cuda and cuda:<number>.`,
  );
}

import type { Dimension, Port } from './graph.ts';
import type { InputSpec } from './trace.ts';

/** The ports that inputs of a program get: `prefix` before their names and `leading` before their lengths. */
export function portsOf(
  specs: Readonly<Record<string, InputSpec>> = {},
  prefix = '',
  leading: readonly Dimension[] = [],
): Port[] {
  return Object.entries(specs).map(([name, { shape, type = 'float32' }]) => ({
    name: prefix + name,
    type,
    shape: [...leading, ...shape],
  }));
}

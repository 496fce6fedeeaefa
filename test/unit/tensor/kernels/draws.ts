import { Generator } from '../../../../src/rl/random.ts';
import { elementCount } from '../../../../src/tensor/graph.ts';
import type { Inputs } from '../compare.ts';

const generator = new Generator(7);

/** Random numbers, the same in every run. */
export function draws(count: number, low = -2, high = 2): number[] {
  return Array.from({ length: count }, () => low + (high - low) * generator.uniform());
}

/** A random input of this shape. */
export function random(shape: number[], low = -2, high = 2): Inputs[string] {
  return { shape, values: draws(elementCount(shape), low, high) };
}

/** An input of whole numbers. */
export function whole(shape: number[], values: number[]): Inputs[string] {
  return { shape, values, type: 'int32' };
}

/** An input of truth values. */
export function truth(shape: number[], values: number[]): Inputs[string] {
  return { shape, values, type: 'bool' };
}

import type { EnvironmentDescription, Space } from '../environment.ts';
import type { Generator } from '../random.ts';
import { boundsOf, choicesOf } from '../spaces.ts';

/** An action in the form that `step` takes. */
export type Action = Int32Array | Float32Array;

/** Choices of each head; null for a box. */
export function headsOf(space: Space): readonly number[] | null {
  return space.kind === 'box' ? null : choicesOf(space);
}

/** The first mask bit of each head. */
export function headStarts(choices: readonly number[]): number[] {
  let start = 0;
  return choices.map((count) => {
    start += count;
    return start - count;
  });
}

/** The choices that a mask allows in a head whose bits begin at `start`. */
export function allowedChoices(mask: Uint8Array | null, start: number, count: number): number[] {
  const allowed: number[] = [];
  for (let choice = 0; choice < count; choice++) if (mask === null || mask[start + choice] !== 0) allowed.push(choice);
  return allowed;
}

/** An action that is allowed, uniformly drawn: one of the choices of every head, or a point of the box. */
export function randomAction(
  { actionSpace }: EnvironmentDescription,
  mask: Uint8Array | null,
  generator: Generator,
): Action {
  if (actionSpace.kind === 'box') {
    const { low, high } = boundsOf(actionSpace);
    return Float32Array.from(low, (from, index) => from + (high[index] - from) * generator.uniform());
  }
  const choices = choicesOf(actionSpace);
  const starts = headStarts(choices);
  return Int32Array.from(choices, (count, head) => {
    const allowed = allowedChoices(mask, starts[head], count);
    return allowed[generator.integer(allowed.length)];
  });
}

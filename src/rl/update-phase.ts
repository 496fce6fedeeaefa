import { CoxswainError } from '../contracts/errors.ts';
import type { Values } from '../tensor/loaded-model.ts';
import type { Generator } from './random.ts';

/** Minibatches of all epochs of an update phase, as an update loop takes them. */
export interface Minibatches {
  readonly order: Int32Array;
  readonly batchSizes: readonly number[];
}

/** A new order of all `count` samples for every epoch; the last minibatch of an epoch takes what is left. */
export function shuffledMinibatches(
  count: number,
  minibatchSize: number,
  epochs: number,
  generator: Generator,
): Minibatches {
  const order = new Int32Array(epochs * count);
  const batchSizes: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const part = order.subarray(epoch * count, (epoch + 1) * count);
    for (let i = 0; i < count; i++) part[i] = i;
    generator.shuffle(part);
    for (let start = 0; start < count; start += minibatchSize) batchSizes.push(Math.min(minibatchSize, count - start));
  }
  return { order, batchSizes };
}

/** The mean over all updates of each figure. */
export function meansOverUpdates(figures: Readonly<Record<string, Values>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, mean(values)]));
}

function mean(values: Values): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

const inWords: Readonly<Record<string, string>> = {
  policyLoss: 'the policy loss',
  valueLoss: 'the value loss',
  gradientNorm: 'the gradient norm',
};

/**
 * @param algorithm its name in messages.
 * @param figures of all updates of a phase, one value an update.
 * @param parameters after the phase.
 * @param made updates before the phase.
 * @throws CoxswainError TRAINING_DIVERGED naming the first figure that is not a finite number, and the update.
 */
export function assertFinitePhase(
  algorithm: string,
  figures: Readonly<Record<string, Values>>,
  parameters: Values,
  made: number,
): void {
  const diverged = (what: string, update: number): CoxswainError =>
    new CoxswainError('TRAINING_DIVERGED', `${algorithm} diverged: ${what} at minibatch update ${update}.`);
  let updates = 0;
  for (const [name, values] of Object.entries(figures)) {
    updates = values.length;
    const update = values.findIndex((value) => !Number.isFinite(value));
    if (update >= 0) throw diverged(`${inWords[name] ?? name} is ${values[update]}`, made + update + 1);
  }
  const weight = parameters.findIndex((value) => !Number.isFinite(value));
  if (weight >= 0) throw diverged(`weight ${weight} is ${parameters[weight]}`, made + updates);
}

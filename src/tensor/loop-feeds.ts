import { elementCount } from './graph.ts';
import type { Port } from './graph.ts';
import type { Values } from './loaded-model.ts';
import { portsOf } from './ports.ts';
import type { UpdateLoopInputs, UpdateLoopSpec } from './update-loop.ts';

/** The inputs of an update loop but for the minibatches' boundaries. */
export function dataPorts(spec: UpdateLoopSpec): Port[] {
  return [
    ...portsOf(spec.state, 'initial.'),
    ...portsOf(spec.samples, 'samples.', ['samples']),
    ...portsOf(spec.picks, 'picks.', ['picks']),
    ...portsOf(spec.schedule, 'schedules.', ['iterations']),
    { name: 'order', type: 'int32', shape: ['picks'] },
  ];
}

/**
 * The loop's inputs by their names in the graph.
 * @throws Error when minibatches and picks do not add up, or a pick is no sample.
 */
export function loopFeeds(spec: UpdateLoopSpec, inputs: UpdateLoopInputs): Record<string, Values> {
  const { state, samples, picks = {}, schedule = {}, order, batchSizes } = inputs;
  checkPicks(spec, inputs);
  return {
    ...prefixed('initial.', state),
    ...prefixed('samples.', samples),
    ...prefixed('picks.', picks),
    ...prefixed('schedules.', schedule),
    ...boundaries(batchSizes),
    order,
  };
}

/** Where each minibatch starts and ends in the order. */
function boundaries(batchSizes: readonly number[]): { starts: Int32Array; ends: Int32Array } {
  const ends = new Int32Array(batchSizes.length);
  let end = 0;
  batchSizes.forEach((size, index) => (ends[index] = end += size));
  return { starts: ends.map((value, index) => value - batchSizes[index]), ends };
}

/**
 * ONNX Runtime would cut minibatches short, and take index −1 for the last sample, without a word.
 * @throws Error when minibatches and picks do not add up, or a pick is no sample.
 */
function checkPicks(spec: UpdateLoopSpec, { order, batchSizes, samples }: UpdateLoopInputs): void {
  const planned = batchSizes.reduce((sum, size) => sum + size, 0);
  if (planned !== order.length || batchSizes.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new Error(
      `The minibatches of an update loop must take all of the order's ${order.length} picks; their sizes are ${batchSizes.join(', ')}.`,
    );
  }
  const [kind] = Object.entries(spec.samples).filter(([name]) => name in samples);
  if (!kind) return;
  const count = samples[kind[0]].length / elementCount(kind[1].shape as number[]);
  const stray = order.find((pick) => pick < 0 || pick >= count);
  if (stray !== undefined) throw new Error(`An update loop picks sample ${stray} of ${count}.`);
}

/** @throws Error when an iteration leaves out a part of the state or makes one up. */
export function checkState(spec: { readonly state: object }, state: object): void {
  const [expected, found] = [spec.state, state].map((record) => Object.keys(record).sort().join(', '));
  if (expected !== found) throw new Error(`An update must give the state ${expected}; it gave ${found}.`);
}

/** The entries with `prefix` before their names. */
export function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

/** The entries whose names start with `prefix`, without it. */
export function withPrefix<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(record).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

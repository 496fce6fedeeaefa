import type * as tf from '@tensorflow/tfjs-core';

import type { DeviceName } from './device.ts';
import type { Dimension, ElementType, Graph, Node, Port } from './graph.ts';
import { compileGraph } from './program.ts';
import type { Values } from './loaded-model.ts';
import { trace } from './trace.ts';
import type { InputSpec, Tensors } from './trace.ts';

/** What an iteration of an update loop sees. */
export interface IterationInputs {
  /** What the iteration before left, or the initial state. */
  readonly state: Tensors;
  /** The samples and picks of this iteration's minibatch, batch axis first. */
  readonly batch: Tensors;
  /** This iteration's row of each schedule. */
  readonly schedule: Tensors;
}

/** What an iteration gives. */
export interface IterationOutputs {
  /** The new value of everything in the state. */
  readonly state: Tensors;
  /** Values to collect over all iterations. */
  readonly outputs: Tensors;
  /** A truth value; false makes this iteration the last. Default: all planned iterations are made. */
  readonly goOn?: tf.Tensor;
}

/** A loop over minibatches that runs as a whole inside ONNX Runtime. */
export interface UpdateLoopSpec {
  /** Shapes of what is carried from iteration to iteration. */
  readonly state: Readonly<Record<string, InputSpec>>;
  /** Shapes of one sample of each kind of data, without the batch axis. */
  readonly samples: Readonly<Record<string, InputSpec>>;
  /** Shapes of what comes with each pick instead of with each sample, without the batch axis. Default none. */
  readonly picks?: Readonly<Record<string, InputSpec>>;
  /** Shapes of one iteration's row of each schedule. Default none. */
  readonly schedule?: Readonly<Record<string, InputSpec>>;
  readonly iteration: (inputs: IterationInputs) => IterationOutputs;
}

/** What a run of the loop works on. */
export interface UpdateLoopInputs {
  readonly state: Readonly<Record<string, Values>>;
  /** All samples; minibatches are picked from them. */
  readonly samples: Readonly<Record<string, Values>>;
  /** In the order of {@link order}, one value for each pick. */
  readonly picks?: Readonly<Record<string, Values>>;
  /** For each iteration one row. */
  readonly schedule?: Readonly<Record<string, Values>>;
  /** Indices of the samples of all minibatches, one minibatch after the other. */
  readonly order: Int32Array;
  /** Samples of each minibatch. */
  readonly batchSizes: readonly number[];
}

/** A compiled update loop. */
export interface UpdateLoop {
  /** Makes all iterations in one call. The collected outputs have one row for each iteration that was made. */
  run(inputs: UpdateLoopInputs): Promise<{ state: Record<string, Values>; outputs: Record<string, Values> }>;
  dispose(): Promise<void>;
}

/**
 * Compiles a loop over minibatches into one ONNX `Loop`, so that weights, samples and results cross between JavaScript
 * and ONNX Runtime once for a whole phase of updates instead of once for each.
 * @throws CoxswainError TENSOR_UNSUPPORTED, DEVICE_UNAVAILABLE
 */
export async function compileUpdateLoop(spec: UpdateLoopSpec, device: DeviceName = 'cpu'): Promise<UpdateLoop> {
  const program = await compileGraph(loopGraph(spec), device);
  return {
    async run({ state, samples, picks = {}, schedule = {}, order, batchSizes }) {
      const results = await program.run({
        ...prefixed('initial.', state),
        ...prefixed('samples.', samples),
        ...prefixed('picks.', picks),
        ...prefixed('schedules.', schedule),
        ...boundaries(batchSizes),
        order,
      });
      return { state: withPrefix('final.', results), outputs: withPrefix('all.', results) };
    },
    dispose: () => program.dispose(),
  };
}

/** Where each minibatch starts and ends in the order. */
function boundaries(batchSizes: readonly number[]): { starts: Int32Array; ends: Int32Array } {
  const ends = new Int32Array(batchSizes.length);
  let end = 0;
  batchSizes.forEach((size, index) => (ends[index] = end += size));
  return { starts: ends.map((value, index) => value - batchSizes[index]), ends };
}

/** The graph around the loop: all samples and schedules come in, the last state and all outputs go out. */
function loopGraph(spec: UpdateLoopSpec): Graph {
  const body = bodyGraph(spec);
  const states = Object.keys(spec.state);
  const collected = body.outputs.slice(1 + states.length);
  const loop: Node = {
    operator: 'Loop',
    inputs: ['trips', 'always', ...states.map((name) => `initial.${name}`)],
    outputs: [...states.map((name) => `final.${name}`), ...collected.map(({ name }) => name.replace('out.', 'all.'))],
    attributes: { body: { graph: body } },
  };
  return {
    inputs: [
      ...ports('initial.', spec.state),
      ...ports('samples.', spec.samples, ['samples']),
      ...ports('picks.', spec.picks ?? {}, ['picks']),
      ...ports('schedules.', spec.schedule ?? {}, ['iterations']),
      { name: 'order', type: 'int32', shape: ['picks'] },
      { name: 'starts', type: 'int32', shape: ['iterations', 1] },
      { name: 'ends', type: 'int32', shape: ['iterations', 1] },
    ],
    outputs: [
      ...ports('final.', spec.state),
      ...collected.map((port) => ({
        ...port,
        name: port.name.replace('out.', 'all.'),
        shape: ['made', ...port.shape!],
      })),
    ],
    constants: [
      { name: 'always', type: 'bool', shape: [], values: [1] },
      { name: 'first_axis', type: 'int64', shape: [1], values: [0] },
    ],
    nodes: [
      { operator: 'Shape', inputs: ['starts'], outputs: ['trip_vector'], attributes: { start: 0, end: 1 } },
      { operator: 'Squeeze', inputs: ['trip_vector', 'first_axis'], outputs: ['trips'], attributes: {} },
      loop,
    ],
  };
}

/** One iteration: pick the rows, then the user's program. */
function bodyGraph(spec: UpdateLoopSpec): Graph {
  const program = traceIteration(spec);
  const names = (specs: Readonly<Record<string, InputSpec>> = {}): string[] => Object.keys(specs);
  const picked: Node[] = [
    gather('starts', 'iteration', 'start'),
    gather('ends', 'iteration', 'end'),
    slice('order', 'rows'),
    ...names(spec.samples).map((name) => gather(`samples.${name}`, 'rows', `batch.${name}`)),
    ...names(spec.picks).map((name) => slice(`picks.${name}`, `batch.${name}`)),
    ...names(spec.schedule).map((name) => gather(`schedules.${name}`, 'iteration', `schedule.${name}`)),
  ];
  const goOn = program.outputs.some(({ name }) => name === 'go_on');
  const keepOn: Node = { operator: 'Identity', inputs: ['before'], outputs: ['go_on'], attributes: {} };
  return {
    inputs: [
      { name: 'iteration', type: 'int64', shape: [] },
      { name: 'before', type: 'bool', shape: [] },
      ...ports('state.', spec.state),
    ],
    outputs: [
      { name: 'go_on', type: 'bool', shape: [] },
      ...ports('next.', spec.state),
      ...program.outputs.filter(({ name }) => name.startsWith('out.')),
    ],
    constants: program.constants,
    nodes: [...picked, ...program.nodes, ...(goOn ? [] : [keepOn])],
  };
}

/** The part of `data` that belongs to this iteration's minibatch. */
function slice(data: string, output: string): Node {
  return { operator: 'Slice', inputs: [data, 'start', 'end'], outputs: [output], attributes: {} };
}

function gather(data: string, index: string, output: string): Node {
  return { operator: 'Gather', inputs: [data, index], outputs: [output], attributes: { axis: 0 } };
}

function traceIteration(spec: UpdateLoopSpec): Graph {
  const inputs: Record<string, InputSpec> = {
    ...prefixed('state.', spec.state),
    ...prefixed('batch.', batched({ ...spec.samples, ...spec.picks })),
    ...prefixed('schedule.', spec.schedule ?? {}),
  };
  return trace((tensors) => {
    const { state, outputs, goOn } = spec.iteration({
      state: withPrefix('state.', tensors),
      batch: withPrefix('batch.', tensors),
      schedule: withPrefix('schedule.', tensors),
    });
    return { ...prefixed('next.', state), ...prefixed('out.', outputs), ...(goOn ? { go_on: goOn } : {}) };
  }, inputs);
}

function ports(prefix: string, specs: Readonly<Record<string, InputSpec>>, leading: Dimension[] = []): Port[] {
  return Object.entries(specs).map(([name, { shape, type = 'float32' as ElementType }]) => ({
    name: prefix + name,
    type,
    shape: [...leading, ...shape],
  }));
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

/** The entries whose names start with `prefix`, without it. */
function withPrefix<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(record).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** Shapes with the batch axis in front. */
function batched(specs: Readonly<Record<string, InputSpec>>): Record<string, InputSpec> {
  const entries = Object.entries(specs);
  return Object.fromEntries(entries.map(([name, spec]) => [name, { ...spec, shape: ['batch', ...spec.shape] }]));
}

import * as tf from '@tensorflow/tfjs-core';

import type { TfjsDevice } from '../device.ts';
import { elementCount } from '../graph.ts';
import type { Graph } from '../graph.ts';
import { inLaterTurn } from '../loaded-model.ts';
import type { NamedValues, Values } from '../loaded-model.ts';
import { checkState, dataPorts, loopFeeds } from '../loop-feeds.ts';
import { loopGraph } from '../loop-graph.ts';
import type { InputSpec, Tensors } from '../trace.ts';
import type {
  IterationInputs,
  IterationOutputs,
  UpdateLoop,
  UpdateLoopInputs,
  UpdateLoopResults,
  UpdateLoopSpec,
} from '../update-loop.ts';
import { prepareBackend } from './backend.ts';
import type { Backend } from './backend.ts';
import { inScope } from './scope.ts';
import { arrayType, inputShapes, intoOutputs, readTensors } from './values.ts';

/**
 * An update loop that TF.js runs operation by operation, with the contract of a compiled one.
 * @throws CoxswainError DEVICE_UNAVAILABLE
 */
export async function loadEagerLoop(spec: UpdateLoopSpec, device: TfjsDevice): Promise<UpdateLoop> {
  return new EagerLoop(spec, device.name, await prepareBackend(device));
}

/** Where a minibatch starts and ends in the order. */
interface Range {
  readonly start: number;
  readonly end: number;
}

class EagerLoop implements UpdateLoop {
  private readonly spec: UpdateLoopSpec;
  private readonly device: string;
  private readonly backend: Backend;
  private disposed = false;

  constructor(spec: UpdateLoopSpec, device: string, backend: Backend) {
    this.spec = spec;
    this.device = device;
    this.backend = backend;
  }

  run(inputs: UpdateLoopInputs, state?: NamedValues): Promise<UpdateLoopResults> {
    return inLaterTurn(() => this.runSync(inputs, state));
  }

  runSync(inputs: UpdateLoopInputs, state?: NamedValues): UpdateLoopResults {
    if (this.disposed) throw new Error('An update loop was run after it had been disposed of.');
    const shapes = inputShapes(loopPorts(this.spec), loopFeeds(this.spec, inputs));
    const results = inScope(this.device, this.backend, () => this.allIterations(inputs, shapes));
    return { state: intoOutputs(results.state, state), outputs: results.outputs };
  }

  async dispose(): Promise<void> {
    this.disposed = true;
  }

  private allIterations(inputs: UpdateLoopInputs, shapes: Record<string, number[]>): UpdateLoopResults {
    let state = tensors(this.spec.state, inputs.state, (name) => shapes[`initial.${name}`]);
    const rows: Record<string, Values>[] = [];
    let start = 0;
    for (let index = 0; index < inputs.batchSizes.length; index++) {
      const range = { start, end: start + inputs.batchSizes[index] };
      const made = tf.tidy(() => this.iteration(inputs, state, index, range) as unknown as tf.TensorContainer);
      const next = made as unknown as IterationOutputs;
      rows.push(readTensors(next.outputs));
      const stop = next.goOn?.dataSync()[0] === 0;
      disposeAllBut(next.state, [...Object.values(state), ...Object.values(next.outputs), next.goOn]);
      state = next.state;
      start = range.end;
      if (stop) break;
    }
    return { state: readTensors(state), outputs: rows.length > 0 ? stacked(rows) : noRows(loopGraph(this.spec)) };
  }

  private iteration(inputs: UpdateLoopInputs, state: Tensors, index: number, range: Range): IterationOutputs {
    const made = this.spec.iteration({ state, ...this.minibatch(inputs, index, range) });
    checkState(this.spec, made.state);
    return made;
  }

  /** What the iteration sees of the data. */
  private minibatch(inputs: UpdateLoopInputs, index: number, { start, end }: Range): Omit<IterationInputs, 'state'> {
    const { samples, picks = {}, schedule = {} } = this.spec;
    const order = inputs.order.subarray(start, end);
    const batched = (_name: string, spec: InputSpec): number[] => [end - start, ...(spec.shape as number[])];
    const picked = mapValues(samples, (name, { shape }) =>
      rowsOf(inputs.samples[name], order, elementCount(shape as number[])),
    );
    const sliced = mapValues(picks, (name, { shape }) => {
      const size = elementCount(shape as number[]);
      return inputs.picks![name].slice(start * size, end * size);
    });
    const scheduled = mapValues(schedule, (name, { shape }) =>
      rowsOf(inputs.schedule![name], [index], elementCount(shape as number[])),
    );
    return {
      batch: { ...tensors(samples, picked, batched), ...tensors(picks, sliced, batched) },
      schedule: tensors(schedule, scheduled, (_, { shape }) => shape as number[]),
    };
  }
}

function loopPorts(spec: UpdateLoopSpec): ReturnType<typeof dataPorts> {
  const boundary = { type: 'int32', shape: ['iterations', 1] } as const;
  return [...dataPorts(spec), { name: 'starts', ...boundary }, { name: 'ends', ...boundary }];
}

/** A tensor for each spec. */
function tensors(
  specs: Readonly<Record<string, InputSpec>>,
  values: NamedValues,
  shape: (name: string, spec: InputSpec) => number[],
): Tensors {
  return mapValues(specs, (name, spec) => tf.tensor(values[name], shape(name, spec), spec.type ?? 'float32'));
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (name: string, value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(name, value)]));
}

/** Rows of `size` values each. */
function rowsOf(values: Values, rows: Iterable<number> & { readonly length: number }, size: number): Values {
  const result = likeOf(values, rows.length * size);
  let place = 0;
  for (const row of rows) {
    result.set(values.subarray(row * size, (row + 1) * size), place);
    place += size;
  }
  return result;
}

/** A new array of the same type. */
function likeOf(values: Values, length: number): Values {
  return new (values.constructor as new (length: number) => Values)(length);
}

/** Frees what the state does not live on in. */
function disposeAllBut(state: Tensors, others: readonly (tf.Tensor | undefined)[]): void {
  const living = new Set(Object.values(state).map(({ id }) => id));
  for (const tensor of others) if (tensor && !living.has(tensor.id)) tensor.dispose();
}

/** The outputs of all iterations, one after the other. */
function stacked(rows: readonly Record<string, Values>[]): Record<string, Values> {
  return mapValues(rows[0], (name, first) => {
    const size = first.length;
    const all = likeOf(first, rows.length * size);
    rows.forEach((row, index) => all.set(row[name], index * size));
    return all;
  });
}

/** The outputs of no iteration; their names are known to the compiled loop only. */
function noRows(graph: Graph): Record<string, Values> {
  const collected = graph.outputs.filter(({ name }) => name.startsWith('all.'));
  return Object.fromEntries(collected.map((port) => [port.name.slice('all.'.length), new (arrayType(port))(0)]));
}

import * as tf from '@tensorflow/tfjs-core';

import { parseDevice } from './device.ts';
import type { DeviceName } from './device.ts';
import { loadEagerly } from './eager/program.ts';
import { inLaterTurn } from './loaded-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import { checkState, prefixed, withPrefix } from './loop-feeds.ts';
import { ParameterLayout } from './parameters.ts';
import { compileGraph } from './program.ts';
import { trace } from './trace.ts';
import type { InputSpec, Program, Tensors } from './trace.ts';
import { unsupported } from './unsupported.ts';
import type { IterationInputs, IterationOutputs } from './update-loop.ts';

/** One update on one batch. Everything is float32: what is whole numbers or truth values is cast in the program. */
export interface UpdateSpec {
  /** Shapes of what an update changes. */
  readonly state: Readonly<Record<string, InputSpec>>;
  /** Shapes of one sample of each kind of data, without the batch axis. */
  readonly batch: Readonly<Record<string, InputSpec>>;
  /** Shapes of what comes once with each update. Default none. */
  readonly schedule?: Readonly<Record<string, InputSpec>>;
  readonly update: (inputs: IterationInputs) => Omit<IterationOutputs, 'goOn'>;
}

/** Arrays by name that a program reads or fills in place. */
export type Views = Readonly<Record<string, Float32Array>>;

/**
 * An update that is made again and again, with the memory that it works on. The caller writes the state once, and batch
 * and schedule before each run, into the arrays that are here; it reads outputs and state from them afterwards.
 */
export interface Update {
  /**
   * The state after the last run. A run writes it into other arrays: take it from here again, keep no array of it. Its
   * arrays lie one after the other in {@link packedState}.
   */
  readonly state: Views;
  /** All of the state in one array, in the order of the specification; replaced by each run too. */
  readonly packedState: Float32Array;
  readonly batch: Views;
  readonly schedule: Views;
  /** What the last run gave; filled again by the next. */
  readonly outputs: Views;
  /** Makes one update before it returns; see `LoadedModel.runSync` for what its callers owe the rest of the process. */
  runSync(): void;
  /** Makes one update in a later turn of the event loop. */
  run(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Compiles an update that runs on its own, for algorithms that act between two updates. A phase of many updates is faster
 * as an update loop. State, data and outputs cross to ONNX Runtime as one vector each: for small networks crossing costs
 * as much as computing.
 * @throws CoxswainError TENSOR_UNSUPPORTED, DEVICE_UNAVAILABLE
 */
export async function compileUpdate(spec: UpdateSpec, batchSize: number, device: DeviceName = 'cpu'): Promise<Update> {
  const { program, inputs, layouts } = packedProgram(spec, batchSize);
  const target = parseDevice(device);
  const graph = trace(program, inputs);
  const load = (): Promise<LoadedModel> =>
    target.kind === 'tfjs' ? loadEagerly(program, inputs, target) : compileGraph(graph, device);
  // Both share one session; each always runs in the same direction, so neither binds its arrays anew.
  const there = await load();
  try {
    return new PackedUpdate([there, await load()], layouts());
  } catch (error) {
    await there.dispose();
    throw error;
  }
}

/** Where everything lies in the packed vectors. */
interface Layouts {
  readonly state: ParameterLayout;
  readonly data: ParameterLayout;
  readonly outputs: ParameterLayout;
}

/** The update as a program with one vector of each kind. */
function packedProgram(
  spec: UpdateSpec,
  batchSize: number,
): {
  program: Program;
  inputs: Record<string, InputSpec>;
  /** Known when the program has been traced. */
  layouts: () => Layouts;
} {
  const state = new ParameterLayout(shapesOf(spec.state));
  const data = new ParameterLayout({
    ...prefixed('batch.', shapesOf(spec.batch, [batchSize])),
    ...prefixed('schedule.', shapesOf(spec.schedule ?? {})),
  });
  let outputs = new ParameterLayout({});
  const program: Program = (tensors) => {
    const parts = data.size > 0 ? data.split(tensors.data) : {};
    const made = spec.update({
      state: state.split(tensors.state),
      batch: withPrefix('batch.', parts),
      schedule: withPrefix('schedule.', parts),
    });
    checkState(spec, made.state);
    outputs = new ParameterLayout(Object.fromEntries(Object.entries(made.outputs).map(([name, x]) => [name, x.shape])));
    return { next: packed(state, made.state), ...(outputs.size > 0 ? { outputs: packed(outputs, made.outputs) } : {}) };
  };
  const inputs = { state: { shape: [state.size] }, ...(data.size > 0 ? { data: { shape: [data.size] } } : {}) };
  return { program, inputs, layouts: () => ({ state, data, outputs }) };
}

/** @throws CoxswainError TENSOR_UNSUPPORTED for other types than float32 and for named lengths. */
function shapesOf(specs: Readonly<Record<string, InputSpec>>, leading: number[] = []): Record<string, number[]> {
  const entries = Object.entries(specs).map(([name, { shape, type = 'float32' }]) => {
    if (type !== 'float32' || shape.some((length) => typeof length !== 'number')) {
      throw unsupported(
        `${name} of an update is of type ${type} and shape [${shape.join(', ')}]; updates take float32 of fixed shapes (cast in the program)`,
      );
    }
    return [name, [...leading, ...(shape as number[])]];
  });
  return Object.fromEntries(entries) as Record<string, number[]>;
}

function packed(layout: ParameterLayout, tensors: Tensors): tf.Tensor {
  const parts = Object.entries(layout.shapes).map(([name, shape]) => {
    const { dtype, shape: given } = tensors[name];
    if (dtype !== 'float32' || given.join() !== shape.join()) {
      throw unsupported(
        `${name} is given by an update as ${dtype} [${given.join(', ')}], not float32 [${shape.join(', ')}]`,
      );
    }
    return tf.reshape(tensors[name], [-1]);
  });
  return parts.length > 1 ? tf.concat(parts) : parts[0];
}

class PackedUpdate implements Update {
  readonly batch: Views;
  readonly schedule: Views;
  readonly outputs: Views;
  private readonly models: readonly LoadedModel[];
  private readonly states: readonly Float32Array[];
  private readonly stateViews: readonly Views[];
  private readonly data: Float32Array;
  private readonly results: Float32Array;
  private runs = 0;

  constructor(models: readonly LoadedModel[], { state, data, outputs }: Layouts) {
    this.models = models;
    this.states = [new Float32Array(state.size), new Float32Array(state.size)];
    this.stateViews = this.states.map((values) => viewsOf(state, values));
    this.data = new Float32Array(data.size);
    this.batch = withPrefix('batch.', viewsOf(data, this.data));
    this.schedule = withPrefix('schedule.', viewsOf(data, this.data));
    this.results = new Float32Array(outputs.size);
    this.outputs = viewsOf(outputs, this.results);
  }

  get state(): Views {
    return this.stateViews[this.runs % 2];
  }

  get packedState(): Float32Array {
    return this.states[this.runs % 2];
  }

  runSync(): void {
    const [now, next] = [this.runs % 2, (this.runs + 1) % 2];
    const filled = { next: this.states[next], ...(this.results.length > 0 ? { outputs: this.results } : {}) };
    this.models[now].runSync({ state: this.states[now], data: this.data }, filled);
    this.runs++;
  }

  run(): Promise<void> {
    return inLaterTurn(() => this.runSync());
  }

  async dispose(): Promise<void> {
    await Promise.all(this.models.map((model) => model.dispose()));
  }
}

function viewsOf(layout: ParameterLayout, values: Float32Array): Record<string, Float32Array> {
  return Object.fromEntries(Object.keys(layout.shapes).map((name) => [name, layout.view(values, name)]));
}

import type * as tf from '@tensorflow/tfjs-core';

import { parseDevice } from './device.ts';
import type { DeviceName } from './device.ts';
import { loadEagerLoop } from './eager/update-loop.ts';
import type { LoadedModel, NamedValues, Values } from './loaded-model.ts';
import { loopFeeds, prefixed, withPrefix } from './loop-feeds.ts';
import { loopGraph } from './loop-graph.ts';
import { compileGraph } from './program.ts';
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

/** What a run of the loop gives. */
export interface UpdateLoopResults {
  readonly state: Record<string, Values>;
  /** One row for each iteration that was made. */
  readonly outputs: Record<string, Values>;
}

/** A loop over minibatches that is ready to run. Inputs and results belong to the caller, as those of a LoadedModel. */
export interface UpdateLoop {
  /**
   * Makes all iterations in one call, in a later turn of the event loop.
   * @param state arrays for the new state, which are filled in place; they must not be those of the initial state.
   * @throws Error when an input is missing or does not fit.
   */
  run(inputs: UpdateLoopInputs, state?: NamedValues): Promise<UpdateLoopResults>;
  /** The same before it returns; see {@link LoadedModel.runSync} for what its callers owe the rest of the process. */
  runSync(inputs: UpdateLoopInputs, state?: NamedValues): UpdateLoopResults;
  dispose(): Promise<void>;
}

/**
 * Compiles a loop over minibatches into one ONNX `Loop`, so that weights, samples and results cross between JavaScript
 * and ONNX Runtime once for a whole phase of updates instead of once for each. On the `tfjs` devices TF.js runs it
 * operation by operation.
 * @throws CoxswainError TENSOR_UNSUPPORTED, DEVICE_UNAVAILABLE
 */
export async function compileUpdateLoop(spec: UpdateLoopSpec, device: DeviceName = 'cpu'): Promise<UpdateLoop> {
  const target = parseDevice(device);
  if (target.kind === 'tfjs') return loadEagerLoop(spec, target);
  return new CompiledLoop(spec, await compileGraph(loopGraph(spec), device));
}

class CompiledLoop implements UpdateLoop {
  private readonly spec: UpdateLoopSpec;
  private readonly program: LoadedModel;

  constructor(spec: UpdateLoopSpec, program: LoadedModel) {
    this.spec = spec;
    this.program = program;
  }

  async run(inputs: UpdateLoopInputs, state?: NamedValues): Promise<UpdateLoopResults> {
    return byRole(await this.program.run(loopFeeds(this.spec, inputs), state && prefixed('final.', state)));
  }

  runSync(inputs: UpdateLoopInputs, state?: NamedValues): UpdateLoopResults {
    return byRole(this.program.runSync(loopFeeds(this.spec, inputs), state && prefixed('final.', state)));
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}

function byRole(results: Record<string, Values>): UpdateLoopResults {
  return { state: withPrefix('final.', results), outputs: withPrefix('all.', results) };
}

import * as tf from '@tensorflow/tfjs-core';

import type { TfjsDevice } from '../device.ts';
import type { Dimension, Port } from '../graph.ts';
import { inLaterTurn } from '../loaded-model.ts';
import type { LoadedModel, NamedValues, Values } from '../loaded-model.ts';
import { encodeModel } from '../onnx-model.ts';
import { portsOf } from '../ports.ts';
import { trace } from '../trace.ts';
import type { InputSpec, Program, Tensors } from '../trace.ts';
import { prepareBackend } from './backend.ts';
import type { Backend } from './backend.ts';
import { inScope } from './scope.ts';
import { inputShapes, intoOutputs, readTensors } from './values.ts';

/**
 * A program that TF.js runs operation by operation, with the contract of a compiled one.
 * @throws CoxswainError DEVICE_UNAVAILABLE
 */
export async function loadEagerly(
  program: Program,
  inputs: Readonly<Record<string, InputSpec>>,
  device: TfjsDevice,
): Promise<LoadedModel> {
  return new EagerModel(program, inputs, device.name, await prepareBackend(device));
}

class EagerModel implements LoadedModel {
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>;
  private readonly program: Program;
  private readonly specs: Readonly<Record<string, InputSpec>>;
  private readonly ports: readonly Port[];
  private readonly device: string;
  private readonly backend: Backend;
  private exported: Uint8Array | null = null;
  private disposed = false;

  constructor(program: Program, specs: Readonly<Record<string, InputSpec>>, device: string, backend: Backend) {
    this.program = program;
    this.specs = specs;
    this.ports = portsOf(specs);
    this.inputs = Object.fromEntries(this.ports.map(({ name, shape }) => [name, shape!]));
    this.device = device;
    this.backend = backend;
  }

  /** Compiled when it is first asked for: TF.js itself needs no file. */
  get model(): Uint8Array {
    this.exported ??= encodeModel(trace(this.program, this.specs));
    return this.exported;
  }

  run(inputs: NamedValues, outputs?: NamedValues): Promise<Record<string, Values>> {
    return inLaterTurn(() => this.runSync(inputs, outputs));
  }

  runSync(inputs: NamedValues, outputs?: NamedValues): Record<string, Values> {
    if (this.disposed) throw new Error('A model was run after it had been disposed of.');
    const shapes = inputShapes(this.ports, inputs);
    const results = inScope(this.device, this.backend, () => {
      const tensors = this.ports.map(({ name, type }) => [name, tf.tensor(inputs[name], shapes[name], type as 'bool')]);
      return readTensors(this.program(Object.fromEntries(tensors) as Tensors));
    });
    return intoOutputs(results, outputs);
  }

  async dispose(): Promise<void> {
    this.disposed = true;
  }
}

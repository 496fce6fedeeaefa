import type { Tensor } from 'onnxruntime-node';

import { CoxswainError } from '../contracts/errors.ts';
import { BoundPort } from './bound-port.ts';
import { parseDevice } from './device.ts';
import type { DeviceName } from './device.ts';
import type { Dimension } from './graph.ts';
import { hasSeveralOpen, refuseOtherLength, solvedShapes } from './port-lengths.ts';
import { leaseSession } from './session-lease.ts';
import type { Lease } from './session-lease.ts';

/** The values of a tensor in row-major order; truth values are 0 and 1 in a Uint8Array. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** Values by name. */
export type NamedValues = Readonly<Record<string, Values>>;

/**
 * A model that is ready to run.
 *
 * 1. Inputs are read during the call only and never written to; the caller may change and reuse them. Giving the same
 *    arrays at each call is a little faster than giving new ones.
 * 2. Results are new arrays that belong to the caller, but for outputs that he gives an array for: these are filled in
 *    place and returned. They must not overlap an input or each other.
 * 3. An output needs an array of exactly its size. It pays from about a million values on, and where nothing may be left
 *    to the garbage collector; a small output is as fast without.
 */
export interface LoadedModel {
  /** The ONNX file. */
  readonly model: Uint8Array;
  /** The shape of each input. */
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>;
  /**
   * Runs once, in a later turn of the event loop: messages and timers get their turn before each call. An input's named
   * length follows from the number of its values; of several, all but one must follow from other inputs.
   * @throws Error when an input is missing, when values do not fit the shape or type, or after {@link dispose}.
   */
  run(inputs: NamedValues, outputs?: NamedValues): Promise<Record<string, Values>>;
  /**
   * Runs once before it returns, for loops that call small models very often. Nothing else happens in the process
   * meanwhile: whoever calls it in a loop must await something (a {@link run}, a timer) every few milliseconds.
   * @throws Error as {@link run} does.
   */
  runSync(inputs: NamedValues, outputs?: NamedValues): Record<string, Values>;
  /** Frees the native memory once nobody else uses the same program on the same device. */
  dispose(): Promise<void>;
}

/**
 * Makes an ONNX file ready to run.
 * @throws CoxswainError DEVICE_UNAVAILABLE; an Error of ONNX Runtime when the file is no model.
 */
export async function loadModel(model: Uint8Array, device: DeviceName = 'cpu'): Promise<LoadedModel> {
  const target = parseDevice(device);
  if (target.kind === 'tfjs') {
    throw new CoxswainError(
      'DEVICE_UNAVAILABLE',
      `Device ${device} runs programs of TF.js, not ONNX files; choose cpu, cuda or webgpu.`,
    );
  }
  return new SessionModel(model, await leaseSession(model, target));
}

class SessionModel implements LoadedModel {
  readonly model: Uint8Array;
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>;
  private readonly lease: Lease;
  /** Those whose shape follows from their own values. */
  private readonly inputPorts: readonly BoundPort[];
  /** Those with several open lengths. */
  private readonly dependentPorts: readonly BoundPort[];
  private readonly outputPorts: readonly BoundPort[];
  /** Inputs that share a named length. */
  private readonly sameLength: readonly (readonly BoundPort[])[];
  /** Filled anew by each call. */
  private readonly feeds: Record<string, Tensor> = {};
  /** Asks for a new array for each output. */
  private readonly newOutputs: Readonly<Record<string, null>>;
  private disposed = false;

  constructor(model: Uint8Array, lease: Lease) {
    const { session } = lease;
    this.model = model;
    this.lease = lease;
    this.inputs = Object.fromEntries(session.inputs.map(({ name, shape }) => [name, shape]));
    const inputPorts = session.inputs.map((port) => new BoundPort(session, 'Input', port));
    this.inputPorts = inputPorts.filter(({ shape }) => !hasSeveralOpen(shape));
    this.dependentPorts = inputPorts.filter(({ shape }) => hasSeveralOpen(shape));
    this.outputPorts = session.outputs.map((port) => new BoundPort(session, 'Output', port));
    const names = new Set(this.inputPorts.map(({ openName }) => openName).filter((name) => name !== ''));
    this.sameLength = [...names].map((name) => this.inputPorts.filter(({ openName }) => openName === name));
    this.newOutputs = Object.fromEntries(this.outputPorts.map(({ name }) => [name, null]));
  }

  run(inputs: NamedValues, outputs?: NamedValues): Promise<Record<string, Values>> {
    return inLaterTurn(() => this.runSync(inputs, outputs));
  }

  runSync(inputs: NamedValues, outputs?: NamedValues): Record<string, Values> {
    if (this.disposed) throw new Error('A model was run after it had been disposed of.');
    for (const port of this.inputPorts) this.feeds[port.name] = port.tensor(inputs[port.name]);
    for (const group of this.sameLength) refuseOtherLength(group[0].openName, group);
    if (this.dependentPorts.length > 0) this.feedDependent(inputs);
    const fetches = outputs ? this.fetchesInto(outputs, inputs) : this.newOutputs;
    const results = this.lease.session.run(this.feeds, fetches);
    const values: Record<string, Values> = {};
    for (const { name } of this.outputPorts) values[name] = outputs?.[name] ?? (results[name].data as Values);
    return values;
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.lease.end();
  }

  /** Inputs with several open lengths: these follow from the other inputs'. */
  private feedDependent(inputs: NamedValues): void {
    const known = Object.fromEntries(this.sameLength.map(([{ openName, openLength }]) => [openName, openLength]));
    const counted = this.dependentPorts.map(({ name, shape }) => {
      if (!inputs[name]) throw new Error(`Input ${name} of a model is missing.`);
      return { name, shape, count: inputs[name].length };
    });
    const shapes = solvedShapes(counted, known);
    for (const port of this.dependentPorts) {
      this.feeds[port.name] = port.tensorOf(inputs[port.name], shapes[port.name]);
    }
  }

  /** Tensors over the arrays in `outputs`, and null where there is none. */
  private fetchesInto(outputs: NamedValues, inputs: NamedValues): Record<string, Tensor | null> {
    refuseUnknown(outputs, this.newOutputs);
    refuseOverlap(Object.values(outputs), Object.values(inputs));
    const fetches: Record<string, Tensor | null> = { ...this.newOutputs };
    for (const port of this.outputPorts) {
      if (!outputs[port.name]) continue;
      fetches[port.name] = port.tensor(outputs[port.name]);
      const known = this.inputPorts.filter(({ openName }) => openName !== '' && openName === port.openName);
      refuseOtherLength(port.openName, [...known.slice(0, 1), port]);
    }
    return fetches;
  }
}

/** Does `work` in a later turn of the event loop. */
export function inLaterTurn<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

function refuseUnknown(outputs: NamedValues, known: object): void {
  for (const name in outputs) {
    if (!(name in known)) {
      throw new Error(`A model has no output ${name} to fill; it has ${Object.keys(known).join(', ')}.`);
    }
  }
}

/** Writing a result over values that are still to be read would give a wrong result without a word. */
function refuseOverlap(written: readonly Values[], read: readonly Values[]): void {
  written.forEach((values, index) => {
    const others = [...read, ...written.slice(0, index)];
    if (others.some((other) => overlap(values, other))) {
      throw new Error('An array for the outputs of a model shares memory with an input or another output.');
    }
  });
}

function overlap(a: Values, b: Values): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  );
}

import type { Dimension, Port } from '../graph.ts';
import type { NamedValues, Values } from '../loaded-model.ts';
import { hasSeveralOpen, lengthsOf, openName, refuseOtherLength, solvedShapes } from '../port-lengths.ts';
import type { Tensors } from '../trace.ts';

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** The arrays' type by element type. */
export function arrayType(port: Port): (typeof arrays)[keyof typeof arrays] {
  return arrays[port.type as keyof typeof arrays];
}

/**
 * The full shape of each input, worked out from its values.
 * @throws Error as a compiled model does when an input is missing or does not fit.
 */
export function inputShapes(ports: readonly Port[], inputs: NamedValues): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  const groups = new Map<string, { name: string; openLength: number }[]>();
  const dependent: { name: string; shape: readonly Dimension[]; count: number }[] = [];
  for (const port of ports) {
    const { name, type, shape } = port;
    const values = inputs[name] as Values | undefined;
    if (!values) throw new Error(`Input ${name} of a model is missing.`);
    if (!(values instanceof arrayType(port))) {
      throw new Error(`Input ${name} of a model is of type ${type}, not ${(values as Values).constructor.name}.`);
    }
    if (hasSeveralOpen(shape!)) {
      dependent.push({ name, shape: shape!, count: values.length });
      continue;
    }
    const lengths = lengthsOf(`Input ${name}`, shape!, values.length);
    shapes[name] = lengths.shape;
    const group = groups.get(openName(shape!)) ?? [];
    groups.set(openName(shape!), [...group, { name, openLength: lengths.open }]);
  }
  groups.delete('');
  for (const [length, group] of groups) refuseOtherLength(length, group);
  const known = Object.fromEntries(Array.from(groups, ([length, [{ openLength }]]) => [length, openLength]));
  return { ...shapes, ...solvedShapes(dependent, known) };
}

/** Copies of the tensors' values: some backends hand out their own memory, or the array that an input was made of. */
export function readTensors(tensors: Tensors): Record<string, Values> {
  const entries = Object.entries(tensors);
  return Object.fromEntries(entries.map(([name, tensor]) => [name, (tensor.dataSync() as Values).slice()]));
}

/**
 * The results, in the caller's arrays where he gives any.
 * @throws Error when an array does not fit its output.
 */
export function intoOutputs(results: Record<string, Values>, outputs: NamedValues = {}): Record<string, Values> {
  for (const [name, given] of Object.entries(outputs)) {
    const values = results[name] as Values | undefined;
    if (!values) throw new Error(`A model has no output ${name} to fill; it has ${Object.keys(results).join(', ')}.`);
    if (given.constructor !== values.constructor || given.length !== values.length) {
      throw new Error(
        `Output ${name} of a model is ${values.length} values in a ${values.constructor.name}, not ${given.length} in a ${given.constructor.name}.`,
      );
    }
    given.set(values);
    results[name] = given;
  }
  return results;
}

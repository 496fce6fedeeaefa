import type { DeviceName } from './device.ts';
import type { Graph } from './graph.ts';
import { loadModel } from './loaded-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import { encodeModel } from './onnx-model.ts';
import { trace } from './trace.ts';
import type { InputSpec, Program } from './trace.ts';

/**
 * Compiles a program written with TF.js.
 * @param device default `cpu`.
 * @throws CoxswainError TENSOR_UNSUPPORTED, DEVICE_UNAVAILABLE
 */
export function compile(
  program: Program,
  inputs: Readonly<Record<string, InputSpec>>,
  device: DeviceName = 'cpu',
): Promise<LoadedModel> {
  return compileGraph(trace(program, inputs), device);
}

/** Makes a graph ready to run; the same graph on the same device is loaded once. */
export function compileGraph(graph: Graph, device: DeviceName = 'cpu'): Promise<LoadedModel> {
  return loadModel(encodeModel(graph), device);
}

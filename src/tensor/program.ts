import { CoxswainError } from '../contracts/errors.ts';
import { parseDevice } from './device.ts';
import type { DeviceName } from './device.ts';
import { loadEagerly } from './eager/program.ts';
import type { Graph } from './graph.ts';
import { loadModel } from './loaded-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import { encodeModel } from './onnx-model.ts';
import { trace } from './trace.ts';
import type { InputSpec, Program } from './trace.ts';

/**
 * Makes a program written with TF.js ready to run: compiled for ONNX Runtime or, on the `tfjs` devices, run by TF.js
 * operation by operation.
 * @param device default `cpu`.
 * @throws CoxswainError TENSOR_UNSUPPORTED, DEVICE_UNAVAILABLE
 */
export async function compile(
  program: Program,
  inputs: Readonly<Record<string, InputSpec>>,
  device: DeviceName = 'cpu',
): Promise<LoadedModel> {
  const target = parseDevice(device);
  if (target.kind === 'tfjs') return loadEagerly(program, inputs, target);
  return compileGraph(trace(program, inputs), device);
}

/**
 * Makes a graph ready to run; the same graph on the same device is loaded once.
 * @throws CoxswainError TENSOR_UNSUPPORTED when ONNX Runtime has an operation for other types only, DEVICE_UNAVAILABLE
 */
export async function compileGraph(graph: Graph, device: DeviceName = 'cpu'): Promise<LoadedModel> {
  try {
    return await loadModel(encodeModel(graph), device);
  } catch (error) {
    if (error instanceof CoxswainError || !(error instanceof Error)) throw error;
    throw new CoxswainError('TENSOR_UNSUPPORTED', `ONNX Runtime cannot run the compiled program: ${error.message}`, {
      cause: error,
    });
  }
}

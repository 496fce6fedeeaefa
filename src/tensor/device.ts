import { CoxswainError } from '../contracts/errors.ts';

/**
 * Where programs run. Compiled, by ONNX Runtime: `cpu`, `cuda` (the first card), `cuda:n`, `webgpu`. Eagerly, by TF.js:
 * `tfjs` (its WASM backend), `tfjs:wasm`, `tfjs:cpu`, `tfjs:node`, `tfjs:node-gpu`.
 */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}` | 'webgpu' | 'tfjs' | `tfjs:${TfjsBackend}`;

/** TF.js's ways to compute. */
export type TfjsBackend = 'wasm' | 'cpu' | 'node' | 'node-gpu';

/** A device of ONNX Runtime. */
export type OnnxDevice =
  | { readonly kind: 'cpu' | 'webgpu'; readonly name: string }
  | { readonly kind: 'cuda'; readonly name: string; readonly index: number };

/** A backend of TF.js. */
export interface TfjsDevice {
  readonly kind: 'tfjs';
  readonly name: string;
  readonly backend: TfjsBackend;
}

/** A device name taken apart. */
export type Device = OnnxDevice | TfjsDevice;

/** @throws CoxswainError DEVICE_UNAVAILABLE when `name` is no device name. */
export function parseDevice(name: string): Device {
  if (name === 'cpu' || name === 'webgpu') return { kind: name, name };
  const card = /^cuda(?::(\d+))?$/.exec(name);
  if (card) return { kind: 'cuda', name, index: Number(card[1] ?? 0) };
  const engine = /^tfjs(?::(wasm|cpu|node|node-gpu))?$/.exec(name);
  if (engine) return { kind: 'tfjs', name, backend: (engine[1] ?? 'wasm') as TfjsBackend };
  throw new CoxswainError(
    'DEVICE_UNAVAILABLE',
    `Device "${name}" is not known; allowed are cpu, cuda, cuda:<number>, webgpu, tfjs, tfjs:wasm, tfjs:cpu, tfjs:node and tfjs:node-gpu.`,
  );
}

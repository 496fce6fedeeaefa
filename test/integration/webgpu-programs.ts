import { loadModel } from '../../src/tensor/loaded-model.ts';
import { compile } from '../../src/tensor/program.ts';
import { compileUpdateLoop } from '../../src/tensor/update-loop.ts';
import { forward, ppoInputs, ppoLoop } from '../unit/tensor/representative.ts';

/**
 * `node webgpu-programs.ts DEVICE`: runs the representative programs on a device and prints their results as one line of
 * JSON. A process of its own: where Vulkan is found is decided by variables that must be set before it starts.
 */
const device = process.argv[2] as 'cpu' | 'webgpu';

const model = await compile(forward.program, forward.specs, device);
const again = await loadModel(model.model, device);
const [first, second] = [model.runSync(forward.inputs), await again.run(forward.inputs)];
await Promise.all([model.dispose(), again.dispose()]);

const loop = await compileUpdateLoop(ppoLoop(null), device);
const all = loop.runSync(ppoInputs);
await loop.dispose();

const stopping = await compileUpdateLoop(ppoLoop(0.06), device);
const stopped = stopping.runSync(ppoInputs);
await stopping.dispose();

const plain = (_key: string, value: unknown): unknown =>
  ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value;
process.stdout.write(`${JSON.stringify({ first, second, all, stopped }, plain)}\n`);

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

import type { VulkanEnvironment } from '../../scripts/local-services/obtain-software-vulkan.ts';
import { obtainSoftwareVulkan } from '../../scripts/local-services/obtain-software-vulkan.ts';
import { assertClose } from '../unit/tensor/compare.ts';

type Numbers = Record<string, number[]>;

/** What `webgpu-programs.ts` prints. */
interface Results {
  readonly first: Numbers;
  readonly second: Numbers;
  readonly all: { readonly state: Numbers; readonly outputs: Numbers };
  readonly stopped: { readonly state: Numbers; readonly outputs: Numbers };
}

const programs = join(import.meta.dirname, 'webgpu-programs.ts');

async function runOn(device: string, environment: VulkanEnvironment = {}): Promise<Results> {
  const { stdout } = await promisify(execFile)(process.execPath, [programs, device], {
    env: { ...process.env, ...environment },
    timeout: 150_000,
  });
  return JSON.parse(stdout) as Results;
}

/** Why there is no software Vulkan on this machine; empty when there is. */
let missing = '';
let cpu: Results;
let webgpu: Results;
before(
  async () => {
    try {
      const environment = await obtainSoftwareVulkan({ report: (line) => process.stderr.write(`${line}\n`) });
      [cpu, webgpu] = [await runOn('cpu'), await runOn('webgpu', environment)];
    } catch (error) {
      if (!/could not be obtained/.test((error as Error).message)) throw error;
      missing = `optional: ${(error as Error).message}`;
    }
  },
  { timeout: 300_000 },
);

function assertSame(actual: Numbers, expected: Numbers, tolerance: number): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) assertClose(actual[name], values, tolerance, name);
}

test('a forward pass on WebGPU gives the numbers of the CPU', (context) => {
  if (missing) return context.skip(missing);
  assertSame(webgpu.first, cpu.first, 1e-5);
  assertSame(webgpu.second, cpu.first, 1e-5);
});

test('it was WebGPU that computed: the numbers differ from those of the CPU in their last bits', (context) => {
  if (missing) return context.skip(missing);
  assert.notDeepEqual(webgpu.first, cpu.first);
  assert.notDeepEqual(webgpu.all.state.parameters, cpu.all.state.parameters);
});

test('a whole phase of updates on WebGPU gives the weights, moments and figures of the CPU', (context) => {
  if (missing) return context.skip(missing);
  assertSame(webgpu.all.state, cpu.all.state, 1e-4);
  assertSame(webgpu.all.outputs, cpu.all.outputs, 1e-4);
  assert.equal(webgpu.all.outputs.loss.length, 6);
});

test('a phase on WebGPU stops after the iteration that the CPU stops after', (context) => {
  if (missing) return context.skip(missing);
  assertSame(webgpu.stopped.state, cpu.stopped.state, 1e-4);
  assert.ok(cpu.stopped.outputs.loss.length < 6);
});

test('without a Vulkan driver the device is refused with the reason', async () => {
  const nowhere = join(import.meta.dirname, 'no-such-driver.json');
  const refused = runOn('webgpu', { VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere });
  await assert.rejects(refused, /Device webgpu cannot be used: .*(libvulkan|no driver of a graphics processor)/);
});

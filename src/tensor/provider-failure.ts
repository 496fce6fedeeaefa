import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Libraries of the system without which a provider finds no device, on Linux. */
const vulkanLoader = 'libvulkan.so.1';

/**
 * Why a provider of ONNX Runtime does not work. ONNX Runtime's error says only that a library did not load or that there
 * is no adapter, and prints the reason; loading the libraries once more gives it.
 * @param message what ONNX Runtime threw.
 */
export function providerFailure(provider: 'cuda' | 'webgpu', message: string): string {
  const reasons = provider === 'cuda' ? cudaReasons() : webgpuReasons();
  return [lastSentence(message), ...reasons].join('; ');
}

/** ONNX Runtime puts the source line and the function's signature before what went wrong. */
function lastSentence(message: string): string {
  const [, sentence] = /was false\. ([^]+)/.exec(message) ?? [];
  return (sentence ?? message).trim();
}

function cudaReasons(): string[] {
  const libraries = ['shared', 'cuda'].map((name) => `libonnxruntime_providers_${name}.so`);
  return libraries.map((library) => loadFailure(join(nativeFolder(), library))).filter((reason) => reason !== null);
}

function webgpuReasons(): string[] {
  if (process.platform !== 'linux') return [];
  const reason = loadFailure(vulkanLoader);
  return [
    reason === null
      ? 'the Vulkan loader is there, but no driver of a graphics processor (or Mesa 24 or newer for its software driver)'
      : `${reason}; install the Vulkan loader (Debian: libvulkan1) and a driver (mesa-vulkan-drivers, or the vendor's)`,
  ];
}

function nativeFolder(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

function loadFailure(library: string): string | null {
  if (process.platform !== 'linux') return null;
  try {
    process.dlopen({ exports: {} }, library);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // A library that loads but is no Node addon is reported so: then it was not the reason.
    return message.includes('self-register') ? null : message;
  }
}

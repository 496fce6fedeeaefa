import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';

/** What results may depend on besides the options of a training. */
export interface Surroundings {
  readonly cpuModel: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** This machine and the versions of what computes on it. */
export function surroundings(): Surroundings {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    versions: {
      node: process.versions.node,
      'onnxruntime-node': packageVersion('onnxruntime-node'),
      '@tensorflow/tfjs-core': packageVersion('@tensorflow/tfjs-core'),
    },
  };
}

/** The installed version of a package; `none` when it is not installed. */
function packageVersion(name: string): string {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return String((JSON.parse(readFileSync(path, 'utf8')) as { version: unknown }).version);
  } catch {
    return 'none';
  }
}

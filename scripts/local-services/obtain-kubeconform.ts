import { obtainGoProgram } from './obtain-go-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';

/** The pinned version: go.mod beside this file names the same, and a test compares them. */
export const kubeconformVersion = '0.8.0';

/**
 * Path of `kubeconform`, which holds Kubernetes objects to their schemas: from PATH, from the cache, or built from its Go
 * module. It comes without schemas. Throws an error that lists what was tried and the ways out.
 */
export function obtainKubeconform(options: ObtainOptions = {}): Promise<string> {
  return obtainGoProgram(
    {
      what: 'Kubeconform',
      entry: { key: `kubeconform-${kubeconformVersion}`, program: 'kubeconform' },
      onPath: true,
      builds: [
        {
          module: 'kubeconform',
          package: 'github.com/yannh/kubeconform/cmd/kubeconform',
          linkerFlags: `-X main.version=v${kubeconformVersion}`,
          output: 'kubeconform',
        },
      ],
      buildTakes: 'under a minute',
      wayOut: 'Ways out: install kubeconform so that it is on PATH; or install Go (1.26 or newer).',
    },
    options,
  );
}

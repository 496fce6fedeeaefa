import { obtainGoProgram } from './obtain-go-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';

/** The pinned version: go.mod beside this file names the same, and a test compares them. */
export const helmVersion = '4.3.1';

/**
 * Path of `helm`, with which the chart in `deploy/` is tested: from PATH, from the cache, or built from its Go module.
 * Throws an error that lists what was tried and the ways out.
 */
export function obtainHelm(options: ObtainOptions = {}): Promise<string> {
  return obtainGoProgram(
    {
      what: 'Helm',
      entry: { key: `helm-${helmVersion}`, program: 'helm' },
      onPath: true,
      builds: [
        {
          module: 'helm',
          package: 'helm.sh/helm/v4/cmd/helm',
          // Without it it calls itself v4.3, and a chart that asks for a version is judged by that.
          linkerFlags: `-X helm.sh/helm/v4/internal/version.version=v${helmVersion}`,
          output: 'helm',
        },
      ],
      buildTakes: 'about five minutes',
      wayOut: 'Ways out: install helm so that it is on PATH; or install Go (1.26 or newer).',
    },
    options,
  );
}

import { obtainGoProgram } from './obtain-go-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';

/** The pinned version: go.mod beside this file names the same. */
export const versitygwVersion = '1.8.0';

/**
 * Path of versitygw, an S3 server on a local folder, which tests of the S3 adapter use: from PATH, from the cache, or
 * built from its Go module. Throws an error that lists what was tried and the ways out.
 */
export function obtainVersitygw(options: ObtainOptions = {}): Promise<string> {
  return obtainGoProgram(
    {
      what: 'The S3 server versitygw',
      entry: { key: `versitygw-${versitygwVersion}`, program: 'versitygw' },
      onPath: true,
      builds: [{ module: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw', output: 'versitygw' }],
      buildTakes: 'two to five minutes',
      wayOut: 'Ways out: install versitygw so that it is on PATH; or install Go (1.25 or newer).',
    },
    options,
  );
}

import { join } from 'node:path';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { buildWithGo } from './go-build.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import { obtainProgram } from './obtain-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';
import { findOnPath } from './run-to-end.ts';

/** The pinned version: go.mod beside this file names the same. */
export const versitygwVersion = '1.8.0';

const entry: CacheEntry = { key: `versitygw-${versitygwVersion}`, program: 'versitygw' };

const wayOut = 'Ways out: install versitygw so that it is on PATH; or install Go (1.25 or newer).';

/**
 * Path of versitygw, an S3 server on a local folder, which tests of the S3 adapter use: from PATH, from the cache, or
 * built from its Go module. Throws an error that lists what was tried and the ways out.
 */
export async function obtainVersitygw(options: ObtainOptions = {}): Promise<string> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const found = findOnPath('versitygw') ?? findCached(cache, entry);
  if (found !== undefined) return found;
  return withCacheLock(cache, entry.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [
      { name: 'the cache', obtain: async () => fromCache(cache) },
      { name: `a build of its Go module v${versitygwVersion}`, obtain: () => build(cache, report) },
    ];
    return obtainProgram('The S3 server versitygw', sources, wayOut);
  });
}

/** The cache is asked again: another process may have filled it meanwhile. */
function fromCache(cache: string): string {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return path;
}

function build(cache: string, report: (line: string) => void): Promise<string> {
  report('Building versitygw, an S3 server, from its Go module (two to five minutes, once for this user) …');
  return fillCache(cache, entry, (folder) =>
    buildWithGo(
      { module: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw' },
      join(folder, entry.program),
      cache,
    ),
  );
}

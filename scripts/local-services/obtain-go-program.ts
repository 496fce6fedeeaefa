import { join } from 'node:path';
import type { CacheEntry } from './binary-cache.ts';
import { cacheFolder, fillCache, findCached, withCacheLock } from './binary-cache.ts';
import { buildWithGo, requireGo } from './go-build.ts';
import type { GoBuild } from './go-build.ts';
import { cleanUpLeftovers } from './leftovers.ts';
import { obtainProgram } from './obtain-program.ts';
import type { ObtainOptions } from './obtain-temporal.ts';
import { findOnPath } from './run-to-end.ts';

/** A program, or several that belong together, which one of the committed Go modules builds where there is none. */
export interface GoProgram {
  /** Begins the sentence that says it could not be obtained. */
  readonly what: string;
  /** Its place in the cache; of several programs, the one that is built last. */
  readonly entry: CacheEntry;
  /** True when one on PATH, named as in `entry`, serves as well, whatever its version. */
  readonly onPath?: boolean;
  readonly builds: readonly (GoBuild & { readonly output: string })[];
  /** Puts further files beside the programs. */
  readonly complete?: (folder: string) => Promise<void>;
  /** How long the build takes, for the line that announces it. */
  readonly buildTakes: string;
  /** What a person can do when it cannot be obtained. */
  readonly wayOut: string;
}

/**
 * Absolute path of `entry.program`: from PATH where that is allowed, from the cache, or built. Throws an error that lists
 * what was tried and the ways out.
 */
export async function obtainGoProgram(program: GoProgram, options: ObtainOptions = {}): Promise<string> {
  const { cache = cacheFolder(), report = () => undefined } = options;
  const { what, entry, onPath, wayOut } = program;
  const found = (onPath === true ? findOnPath(entry.program) : undefined) ?? findCached(cache, entry);
  if (found !== undefined) return found;
  return withCacheLock(cache, entry.key, report, async () => {
    await cleanUpLeftovers(join(cache, 'records'));
    const sources = [
      { name: 'the cache', obtain: async () => fromCache(cache, entry) },
      { name: `a build of its Go module (${entry.key})`, obtain: () => build(program, cache, report) },
    ];
    return obtainProgram(what, sources, wayOut);
  });
}

/** The cache is asked again: another process may have filled it meanwhile. */
function fromCache(cache: string, entry: CacheEntry): string {
  const path = findCached(cache, entry);
  if (path === undefined) throw new Error(`nothing at ${cache} for ${entry.key}`);
  return path;
}

async function build(program: GoProgram, cache: string, report: (line: string) => void): Promise<string> {
  const { what, entry, builds, complete, buildTakes } = program;
  requireGo();
  report(`Building ${what.replace(/^The /, 'the ')} from its Go module (${buildTakes}, once for this user) …`);
  return fillCache(cache, entry, async (folder) => {
    for (const { output, ...goBuild } of builds) await buildWithGo(goBuild, join(folder, output), cache);
    await complete?.(folder);
  });
}

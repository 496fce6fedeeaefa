import { join } from 'node:path';
import { findOnPath, runToEnd } from './run-to-end.ts';

/** What to build, out of one of the committed modules beside this file. */
export interface GoBuild {
  /** Folder of the module, relative to this file's; its go.mod and go.sum pin every version by hash. */
  readonly module: string;
  /** Package to build: `.` or the import path of a tool that go.mod names. */
  readonly package: string;
  readonly linkerFlags?: string;
}

const timeoutMs = 30 * 60_000;

/**
 * Builds a program from its pinned Go module into the file `output`; logs and records go into the cache folder. Needs
 * the Go toolchain and the Go module proxy; without cgo, so no C compiler. Throws when Go is missing or the build fails.
 */
export async function buildWithGo(build: GoBuild, output: string, cache: string): Promise<void> {
  const go = requireGo();
  const linkerFlags = ['-s -w', build.linkerFlags].filter(Boolean).join(' ');
  await runToEnd(
    {
      name: `${build.module}-build`,
      command: go,
      args: ['build', '-trimpath', '-ldflags', linkerFlags, '-o', output, build.package],
      workingFolder: join(import.meta.dirname, build.module),
      environment: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' },
      logFile: join(cache, 'logs', `${build.module}-build.log`),
      recordsFolder: join(cache, 'records'),
    },
    { timeoutMs },
  );
}

/** Absolute path of the Go toolchain. Throws when there is none on PATH. */
export function requireGo(): string {
  const go = findOnPath('go');
  if (go === undefined) throw new Error('there is no `go` on PATH');
  return go;
}

import { readFile } from 'node:fs/promises';
import { readRunSpecText, specFormatOf } from '../spec/run-spec-text.ts';
import type { CommandContext } from './command-context.ts';
import { usageError } from './exit-codes.ts';

/**
 * The value of a spec that a command names, not yet checked: `-` is standard input, which counts as YAML, of which JSON
 * is a part; a name without a file may be one that comes with Coxswain.
 * @param folder of `config/` with those
 * @throws CoxswainError REQUEST_INVALID when there is no such file, SPEC_INVALID when its text cannot be read.
 */
export async function readSpec(
  { readInput }: CommandContext,
  spec: string,
  folder: 'pipelines' | 'deployments',
): Promise<unknown> {
  if (spec === '-') return readRunSpecText(await readInput(), 'yaml');
  return readRunSpecText(await readSpecFile(spec, folder), specFormatOf(spec));
}

async function readSpecFile(path: string, folder: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const bundled = /^[a-z0-9-]+$/.test(path) ? await readBundled(path, folder) : null;
    if (bundled !== null) return bundled;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usageError(`cannot read the spec ${path} (${reason}); name a YAML or JSON file, or - for standard input`);
  }
}

async function readBundled(name: string, folder: string): Promise<string | null> {
  return readFile(new URL(`../../config/${folder}/${name}.yaml`, import.meta.url), 'utf8').catch(() => null);
}

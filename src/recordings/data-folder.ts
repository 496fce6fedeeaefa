import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { CoxswainError } from '../contracts/errors.ts';
import type { FileSource } from '../contracts/run-spec.ts';
import { traceError } from './trace-error.ts';

/**
 * Opens the file that a spec names, for reading, in one of the worker's data folders. What lies outside, by `..` or by a
 * symbolic link, is never opened. The caller closes the handle.
 * @throws CoxswainError NOT_ALLOWED for a folder that the worker does not have and for a path that leads out of it,
 * CONFIG_INVALID when the folder is not on this worker, TRACE_UNREADABLE when there is no readable file.
 */
export async function openInDataFolder(
  source: FileSource,
  dataFolders: Readonly<Record<string, string>>,
): Promise<FileHandle> {
  const label = `${source.folder}/${source.path}`;
  if (!Object.hasOwn(dataFolders, source.folder))
    throw notAllowed(`collect.source.folder: "${source.folder}" is not among this worker's data folders`);
  if (isAbsolute(source.path) || source.path.split(/[\\/]/).includes('..')) throw leadsOut(label);
  const root = await resolveFolder(source.folder, dataFolders[source.folder]);
  const path = await realpath(join(root, source.path)).catch((error: unknown) =>
    Promise.reject(unreadable(label, error)),
  );
  const inside = root.endsWith(sep) ? root : root + sep;
  if (!path.startsWith(inside)) throw path === root ? notAFile(label) : leadsOut(label);
  return openFile(path, label);
}

async function openFile(path: string, label: string): Promise<FileHandle> {
  // The path is resolved, so a link here was put in its place since; a pipe must not block the worker.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => Promise.reject(unreadable(label, error)));
  const isFile = await handle.stat().then((stats) => stats.isFile());
  if (isFile) return handle;
  await handle.close();
  throw notAFile(label);
}

function resolveFolder(name: string, path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => {
    const problem = `COXSWAIN_DATA_FOLDERS: the folder "${name}" cannot be found on this worker (${codeOf(error)})`;
    throw new CoxswainError('CONFIG_INVALID', problem, { cause: error });
  });
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'this worker may not read it; give its user the permission',
  EPERM: 'this worker may not read it; give its user the permission',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links lead in a circle',
};

function unreadable(label: string, error: unknown): CoxswainError {
  const code = codeOf(error);
  return traceError(label, null, problems[code] ?? `cannot be opened (${code})`, error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}

function notAFile(label: string): CoxswainError {
  return traceError(label, null, 'is not a file; expected a CSV file');
}

function leadsOut(label: string): CoxswainError {
  return notAllowed(`${label}: the path leads out of its data folder`);
}

function notAllowed(message: string): CoxswainError {
  return new CoxswainError('NOT_ALLOWED', message);
}

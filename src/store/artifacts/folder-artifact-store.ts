import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CoxswainError } from '../../contracts/errors.ts';
import type { ArtifactReference, ArtifactStore } from '../../contracts/stores.ts';
import { artifactCorrupt, artifactNotFound, artifactPath, matchesReference, referenceOf } from './content-address.ts';

const fullCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const abandonedAfterMs = 24 * 3_600_000;

/** Tells this process's drafts from those of an earlier one that had the same number. */
const processToken = randomUUID().slice(0, 8);
let draftCount = 0;

/**
 * Artifacts in a local folder (or a network file system that renames atomically): `sha256/ab/cdef…`, and `drafts/` for
 * what is being written. Creates the folder; removes drafts whose writer is dead. CONFIG_INVALID when the folder cannot
 * be used.
 */
export async function createFolderArtifactStore(folder: string): Promise<ArtifactStore> {
  const root = resolve(folder);
  try {
    await mkdir(join(root, 'sha256'), { recursive: true });
    await mkdir(join(root, 'drafts'), { recursive: true });
    await removeAbandonedDrafts(join(root, 'drafts'));
  } catch (error) {
    if (fullCodes.has(codeOf(error))) throw translate(error, root);
    const message = `Artifact folder ${root} cannot be used: ${reasonOf(error)}. Set COXSWAIN_ARTIFACTS to a folder that this user may write.`;
    throw new CoxswainError('CONFIG_INVALID', message, { cause: error });
  }
  return new FolderArtifactStore(root);
}

class FolderArtifactStore implements ArtifactStore {
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  async put(bytes: Uint8Array): Promise<ArtifactReference> {
    const reference = referenceOf(bytes);
    const path = join(this.root, artifactPath(reference)!);
    try {
      if (!(await isIntact(path, reference))) await this.write(path, bytes);
      // Also when it was there: its writer may not have come to this yet.
      await syncFolder(dirname(path));
    } catch (error) {
      throw translate(error, this.root);
    }
    return reference;
  }

  async get(reference: ArtifactReference): Promise<Uint8Array> {
    const path = artifactPath(reference);
    const bytes = path === null ? null : await this.read(join(this.root, path));
    if (bytes === null) throw artifactNotFound(reference, this.root);
    if (!matchesReference(bytes, reference)) throw artifactCorrupt(reference, this.root);
    return bytes;
  }

  async has(reference: ArtifactReference): Promise<boolean> {
    const path = artifactPath(reference);
    if (path === null) return false;
    try {
      return (await stat(join(this.root, path))).size === reference.bytes;
    } catch (error) {
      if (await this.isAbsent(error)) return false;
      throw translate(error, this.root);
    }
  }

  /** Nobody sees the file before its bytes are on the disk, and after a crash there is at most a draft. */
  private async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.makeShard(dirname(path));
    const draft = join(this.root, 'drafts', `${hostname()}.${process.pid}.${processToken}.${draftCount++}`);
    try {
      await writeDurably(draft, bytes);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** Not recursive: a root that is gone (not mounted) must fail, not be made anew somewhere else. */
  private async makeShard(shard: string): Promise<void> {
    try {
      await mkdir(shard);
      await syncFolder(dirname(shard));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }

  private async read(path: string): Promise<Uint8Array | null> {
    try {
      return await readFile(path);
    } catch (error) {
      if (await this.isAbsent(error)) return null;
      throw translate(error, this.root);
    }
  }

  /** True when the error says that the file is not there while the store itself is. */
  private async isAbsent(error: unknown): Promise<boolean> {
    if (codeOf(error) !== 'ENOENT') return false;
    return stat(join(this.root, 'sha256')).then(
      () => true,
      () => false,
    );
  }
}

async function isIntact(path: string, reference: ArtifactReference): Promise<boolean> {
  try {
    return (await stat(path)).size === reference.bytes && matchesReference(await readFile(path), reference);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function removeAbandonedDrafts(drafts: string): Promise<void> {
  for (const name of await readdir(drafts)) {
    const path = join(drafts, name);
    if (isOwnerDead(name) || (await isOld(path))) await rm(path, { force: true });
  }
}

/** The name of a draft is `host.pid.token.count`; only this host's processes can be asked. */
function isOwnerDead(name: string): boolean {
  const parts = name.split('.');
  const [pid, token] = [Number(parts.at(-3)), parts.at(-2)];
  if (parts.slice(0, -3).join('.') !== hostname() || !Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return token !== processToken;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

async function isOld(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  return entry !== undefined && Date.now() - entry.mtimeMs > abandonedAfterMs;
}

function translate(error: unknown, root: string): CoxswainError {
  if (error instanceof CoxswainError) return error;
  if (fullCodes.has(codeOf(error))) {
    const message = `The disk of artifact folder ${root} is full: ${reasonOf(error)}. Free space.`;
    return new CoxswainError('STORAGE_FULL', message, { cause: error });
  }
  const message = `Artifact folder ${root} cannot be reached: ${reasonOf(error)}. Check that it is mounted and writable.`;
  return new CoxswainError('STORE_UNAVAILABLE', message, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

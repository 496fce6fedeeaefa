import { createHash } from 'node:crypto';
import type { ModelFile, ModelUpload } from './tracker.ts';

/** Base64 MD5, as W&B addresses files. */
export function fileDigest(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

/**
 * The digest of an artifact's content: hexadecimal MD5 of a header line and one line `path:base64md5` a file, by path.
 * Equal content has one digest, so W&B finds a version again.
 */
export function artifactDigest(files: readonly ModelFile[]): string {
  const byName = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = byName.map(({ name, bytes }) => `${name}:${fileDigest(bytes)}\n`);
  return createHash('md5')
    .update(`wandb-artifact-manifest-v1\n${lines.join('')}`)
    .digest('hex');
}

/** The manifest file of an artifact. */
export function manifestJson(artifactId: string, files: readonly ModelFile[]): string {
  const contents = files.map(({ name, bytes }) => [
    name,
    { digest: fileDigest(bytes), size: bytes.length, birthArtifactID: artifactId },
  ]);
  return JSON.stringify({
    version: 1,
    storagePolicy: 'wandb-storage-policy-v1',
    storagePolicyConfig: { storageLayout: 'V2' },
    contents: Object.fromEntries(contents),
  });
}

/** The aliases of a new version; W&B's own clients add `latest` themselves. */
export function aliasesOf(model: ModelUpload): readonly string[] {
  return [...new Set([...model.aliases, 'latest'])];
}

/** A W&B client id: 128 characters that only this producer has. The same for the same words, so a retry is recognised. */
export function clientId(...words: readonly string[]): string {
  return createHash('sha512').update(JSON.stringify(words)).digest('hex');
}

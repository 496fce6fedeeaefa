import { createHash } from 'node:crypto';
import { CoxswainError } from '../../contracts/errors.ts';
import type { ArtifactReference } from '../../contracts/stores.ts';

/** The content address of `bytes`. */
export function referenceOf(bytes: Uint8Array): ArtifactReference {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength };
}

/** True when `bytes` are what `reference` says. */
export function matchesReference(bytes: Uint8Array, reference: ArtifactReference): boolean {
  return bytes.byteLength === reference.bytes && referenceOf(bytes).sha256 === reference.sha256;
}

/**
 * `sha256/ab/cdef…`: where the bytes lie below the root of a store. Null when the address is not 64 lower-case
 * hexadecimal digits, so that no address reaches outside the root.
 */
export function artifactPath(reference: ArtifactReference): string | null {
  if (!/^[0-9a-f]{64}$/.test(reference.sha256)) return null;
  return `sha256/${reference.sha256.slice(0, 2)}/${reference.sha256.slice(2)}`;
}

/** ARTIFACT_NOT_FOUND at `place`, a folder or bucket as shown to people. */
export function artifactNotFound(reference: ArtifactReference, place: string): CoxswainError {
  return new CoxswainError('ARTIFACT_NOT_FOUND', `${place} has no artifact ${reference.sha256}.`);
}

/** ARTIFACT_CORRUPT at `place`: what lies there is not what the address says. */
export function artifactCorrupt(reference: ArtifactReference, place: string): CoxswainError {
  return new CoxswainError(
    'ARTIFACT_CORRUPT',
    `Artifact ${reference.sha256} (${reference.bytes} bytes) in ${place} holds other bytes. Restore it from a backup.`,
  );
}

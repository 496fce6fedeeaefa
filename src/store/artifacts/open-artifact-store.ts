import { fileURLToPath } from 'node:url';
import { CoxswainError } from '../../contracts/errors.ts';
import type { ArtifactStore } from '../../contracts/stores.ts';
import { createFolderArtifactStore } from './folder-artifact-store.ts';
import type { S3ArtifactStoreOptions } from './s3-artifact-store.ts';
import { createS3ArtifactStore } from './s3-artifact-store.ts';
import type { S3Credentials } from './s3-requests.ts';

const s3Parameters = ['endpoint', 'region', 'addressing'] as const;

/**
 * The artifact store at `address`: a folder's path, `file:///folder`, or
 * `s3://bucket/prefix?endpoint=…&region=…&addressing=…`, where every parameter may be left out
 * (see {@link S3ArtifactStoreOptions}; region us-east-1). CONFIG_INVALID for any other address, for credentials in it, and for S3 without credentials.
 */
export async function openArtifactStore(address: string, credentials: S3Credentials | null): Promise<ArtifactStore> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined && address !== '') return createFolderArtifactStore(address);
  if (scheme === 'file' && URL.canParse(address)) return createFolderArtifactStore(folderOf(new URL(address)));
  if (scheme === 's3' && URL.canParse(address)) {
    return createS3ArtifactStore({ ...s3Place(new URL(address)), credentials: needed(credentials) });
  }
  throw invalid('is neither a folder nor s3://bucket/prefix');
}

function folderOf(url: URL): string {
  if (url.host !== '') throw invalid('is a file:// address with a host; write file:///folder');
  return fileURLToPath(url);
}

function s3Place(url: URL): Omit<S3ArtifactStoreOptions, 'credentials'> {
  if (url.username !== '' || url.password !== '') throw invalid('must not hold credentials: set them apart from it');
  // Only the names are shown: a value may be a key that somebody put here.
  const unknown = [...url.searchParams.keys()].filter((name) => !(s3Parameters as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw invalid(`has the parameter ${unknown.join(', ')}; allowed are ${s3Parameters.join(', ')}, never credentials`);
  }
  return {
    bucket: url.host,
    prefix: url.pathname,
    endpoint: url.searchParams.get('endpoint'),
    region: url.searchParams.get('region') ?? 'us-east-1',
    addressing: addressingOf(url.searchParams.get('addressing')),
  };
}

function addressingOf(value: string | null): S3ArtifactStoreOptions['addressing'] {
  if (value === null || value === 'path' || value === 'virtual-host') return value ?? undefined;
  throw invalid('has an addressing that is neither path nor virtual-host');
}

function needed(credentials: S3Credentials | null): S3Credentials {
  if (credentials !== null) return credentials;
  throw invalid('is an s3:// address, which needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
}

function invalid(problem: string): CoxswainError {
  return new CoxswainError('CONFIG_INVALID', `COXSWAIN_ARTIFACTS ${problem}.`);
}
